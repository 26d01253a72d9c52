"""Stored takes of speech in made noise, for benchmarks of metrics and restorers."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import soundfile

from stages.audio.waveform import Waveform
from stages.score.stage import ScoreInput
from tests.support.score_inputs import score_input
from tests.support.speech_like import noisy

SNRS_DB = (20.0, 10.0, 0.0, 15.0, 5.0)
LONGEST_S = 20.0


def list_recordings(folder: Path) -> list[Path]:
    """Return the FLAC and WAV files in a folder and below it."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".flac", ".wav"})


def make_takes(speech: Path, seconds: float) -> Iterator[ScoreInput]:
    """Yield recordings with the speech in two noises as their takes, until those are ``seconds`` long.

    Two recordings at least; where there are too few, they come again with other noise.
    """
    paths = list_recordings(speech)
    held_s = 0.0
    for number in count():
        clean = read_beginning(paths[number % len(paths)])
        snrs_db = [SNRS_DB[(number // len(paths) + place) % len(SNRS_DB)] for place in (number, number + 1)]
        takes = [noisy(clean, snr_db) for snr_db in snrs_db]
        yield score_input(
            clean, *takes, name=f"{paths[number % len(paths)].stem}-{number}", transcript="speech"
        )
        held_s += len(takes) * clean.duration_s
        if held_s >= seconds and number:
            return


def read_beginning(path: Path) -> Waveform:
    """Return the first channel of a recording, or of its first 20 s."""
    rate = soundfile.info(path).samplerate
    samples, _ = soundfile.read(path, round(LONGEST_S * rate), dtype="float32", always_2d=True)
    return Waveform(samples[:, 0].copy(), rate)
