"""How fast a corpus is surveyed: seconds of audio per second of one core.

    python -m tests.benchmarks.surveying [FOLDER] [--minutes 20] [--rate 16000] [--repeats 3]

Without a FOLDER, of FLAC files of 16 bits that are made here: the bundled speech in the noise of a quiet
room. Printed are, by processor time and the least of the repeats: plain decoding by soundfile, which is the
other way to look at a corpus and says nothing of it; the survey of each recording; and its parts. Then the
whole on all cores by the clock, the start of their processes included: on a machine that does nothing else.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile

from pipeline.sources.corpora import Corpus, list_sources
from pipeline.survey.measures import survey_recording
from pipeline.survey.survey import survey_corpus
from pipeline.text import align_columns, format_digits
from stages.audio.bandwidth import bandwidth_hz
from stages.audio.loudness import active_level_db
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.ingest.decoding import decode_recording
from stages.ingest.stage import IngestSettings
from stages.operators.rng import rng_for

BUNDLED = Path(__file__).parents[2] / "configs" / "speech"


def make_corpus(folder: Path, minutes: float, rate: int) -> None:
    """Write speech in a little noise, file by file, until there is enough."""
    voices = [
        resample(Waveform(*soundfile.read(file, dtype="float32")), rate)
        for file in sorted(BUNDLED.glob("*.flac"))
    ]
    rng = rng_for(0, "surveying")
    seconds = 0.0
    while seconds < 60.0 * minutes:
        number = len(list(folder.iterdir()))
        chosen = rng.choice(len(voices), size=int(rng.integers(1, 4)))
        speech = np.concatenate([voices[index].samples for index in chosen])
        noisy = speech + 0.001 * rng.standard_normal(speech.size)
        soundfile.write(folder / f"{number:05d}.flac", noisy, rate, subtype="PCM_16")
        seconds += speech.size / rate


def least_s(repeats: int, work: Callable[[], object]) -> float:
    """Return the processor time of the fastest of several goes."""
    work()
    took = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def measure(folder: Path, repeats: int) -> list[tuple[str, float]]:
    """Return what is done, and how many times faster than the audio lasts."""
    sources = list_sources([Corpus(name="c", path=str(folder))]).sources
    files = [Path(source.path) for source in sources]
    heard = [decode_recording(file.open("rb")).waveform for file in files]
    seconds = sum(waveform.duration_s for waveform in heard)
    settings = IngestSettings()
    works: dict[str, Callable[[], object]] = {
        "plain decoding by soundfile": lambda: [soundfile.read(file, dtype="float32") for file in files],
        "survey of each recording": lambda: [survey_recording(source, settings) for source in sources],
        "  of it, decoding with checks": lambda: [decode_recording(file.open("rb")) for file in files],
        "  of it, bandwidth": lambda: [bandwidth_hz(one.samples, one.sample_rate) for one in heard],
        "  of it, active level": lambda: [active_level_db(one.samples, one.sample_rate) for one in heard],
    }
    return [(what, seconds / least_s(repeats, work)) for what, work in works.items()] + whole(folder, seconds)


def whole(folder: Path, seconds: float) -> list[tuple[str, float]]:
    """Return the speed on all cores by the clock, the start of their processes included."""
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic()
    survey_corpus(
        Corpus(name="c", path=str(folder)), IngestSettings(), cores, lambda *_: None, lambda *_: None
    )
    took = time.monotonic() - began
    return [
        (f"whole corpus on {cores} cores, by the clock", seconds / took),
        ("  of it per core", seconds / took / cores),
    ]


def main() -> None:
    """Make or take a folder, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=16_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        if options.folder is None:
            make_corpus(folder, options.minutes, options.rate)
        rows = [(what, f"{format_digits(speed)} ×") for what, speed in measure(folder, options.repeats)]
    for line in align_columns([("", "real time"), *rows]):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
