"""Word errors of faster-whisper on real speech in noise, and how fast it hears beside its package per file.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/word_errors.py [FOLDER] [--every 1] [--only-speed]

FOLDER is that of real models and recordings that tests use too; the weights are fetched before. Each sentence
of VCTK and LibriTTS that has a transcript stands in white noise and in babble of six other speakers, as the
simulator mixes them. A rate is of all words together; its 95 % interval draws whole sentences anew. The
obvious way is ``WhisperModel.transcribe`` with its default settings for each take and for its clean side.
Counted is the processor's time, on one core.
"""

import argparse
import csv
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile

from pipeline.text import align_columns, say
from stages.audio.cache import AudioCache
from stages.audio.waveform import Waveform
from stages.degradations.noise import Noise
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.noise import NoiseKind, synthesise
from stages.metrics.faster_whisper import FasterWhisper, FasterWhisperClean
from stages.networks import faster_transcription
from stages.operators.rng import rng_for
from stages.score.stage import ScoreStage
from tests.conftest import SHARED_DATA
from tests.support.score_inputs import score_input

CORPORA = ("vctk16k", "libritts16k")
NOISES: tuple[NoiseKind, ...] = ("white", "babble")
SNR_STEPS_DB = (20.0, 10.0, 5.0, 0.0, -5.0)
VOICES = 6
DRAWS = 2_000
SENTENCES_TIMED = 8
Condition = tuple[str, float]
Rates = dict[tuple[str, Condition], list[float | None]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A recording, who speaks, and what is said."""

    name: str
    speaker: str
    words: str
    clean: Waveform


def main(folder: Path, every: int, *, only_speed: bool) -> None:
    """Print the table of rates and the speeds."""
    sentences = list(_read(folder))[::every]
    stages = [ScoreStage(kind.kind, kind(), AudioCache()) for kind in (FasterWhisper, FasterWhisperClean)]
    for stage in stages:
        stage.load("cpu")
    if not only_speed:
        rates: Rates = defaultdict(list)
        for sentence in sentences:
            _score(sentence, _takes_of(sentence, sentences), stages, rates)
            say(f"{sentence.name} scored")
        for line in align_columns(list(_rows(rates, [len(each.words.split()) for each in sentences]))):
            say(line)
    for line in _speeds(sentences[:SENTENCES_TIMED], sentences):
        say(line)


def _read(folder: Path) -> Iterator[Sentence]:
    with (folder / "speech" / "transcripts.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["text"] and Path(row["file"]).parts[1] in CORPORA:
                clean = Waveform(*soundfile.read(folder / row["file"], dtype="float32"))
                yield Sentence(row["file"], row["speaker"], row["text"], clean)


def _takes_of(sentence: Sentence, others: Sequence[Sentence]) -> Mapping[Condition, Waveform]:
    """Return the clean sentence, and in each noise at each ratio."""
    takes: dict[Condition, Waveform] = {("clean", np.inf): sentence.clean}
    for kind in NOISES:
        rng = rng_for(0, "word errors", kind, sentence.name)
        voices = [each.clean for each in others if each.speaker != sentence.speaker]
        chosen = sorted(rng.choice(len(voices), VOICES, replace=False))
        duration_s, rate = sentence.clean.duration_s + 1.0, sentence.clean.sample_rate
        sources = MemoryAudioSource()
        noise = sources.add(
            "noise", kind, synthesise(kind, rng, duration_s, rate, [voices[n] for n in chosen])
        )
        for snr_db in SNR_STEPS_DB:
            mixed = Noise(noise=noise, offset_fraction=0.0, snr_db=snr_db)
            takes[kind, snr_db] = mixed.apply(sentence.clean, sources)
    return takes


def _score(
    sentence: Sentence, takes: Mapping[Condition, Waveform], stages: Sequence[ScoreStage], rates: Rates
) -> None:
    record = score_input(sentence.clean, *takes.values(), transcript=sentence.words, language="en")
    for stage in stages:
        (row,) = stage.process([record])
        for condition, take in zip(takes, row.takes, strict=True):
            for score in take.scores:
                rates[score.name, condition].append(score.value)


def _rows(rates: Rates, num_words: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Yield one row for each condition: rates against both, and how many have no value."""
    yield "noise", "SNR", "WER", "95 %", "CER", "inserted", "deleted", "against clean: WER", "CER", "no value"
    for kind, snr_db in dict.fromkeys(condition for _, condition in rates):
        columns = {name: values for (name, condition), values in rates.items() if condition == (kind, snr_db)}
        pooled = {name: _pooled(values, num_words) for name, values in columns.items()}
        low, high = _interval(columns["faster_whisper_wer"], num_words)
        missing = sum(value is None for value in columns["faster_whisper_wer"])
        yield (
            kind,
            f"{snr_db:g}",
            f"{pooled['faster_whisper_wer']:.3f}",
            f"{low:.2f} to {high:.2f}",
            *(f"{pooled[f'faster_whisper_{suffix}']:.3f}" for suffix in ("cer", "inserted", "deleted")),
            *(f"{pooled[f'faster_whisper_clean_{suffix}']:.3f}" for suffix in ("wer", "cer")),
            str(missing),
        )


def _pooled(values: Sequence[float | None], num_words: Sequence[int]) -> float:
    """Return the rate of all words together, of those sentences that have one."""
    there = [(value, words) for value, words in zip(values, num_words, strict=True) if value is not None]
    return sum(value * words for value, words in there) / max(1, sum(words for _, words in there))


def _interval(values: Sequence[float | None], num_words: Sequence[int]) -> tuple[float, float]:
    rng = rng_for(0, "word errors", "interval")
    drawn = [rng.integers(len(values), size=len(values)) for _ in range(DRAWS)]
    rates = [_pooled([values[n] for n in places], [num_words[n] for n in places]) for places in drawn]
    low, high = np.percentile(rates, (2.5, 97.5))
    return float(low), float(high)


def _speeds(sentences: Sequence[Sentence], others: Sequence[Sentence]) -> Iterator[str]:
    """Yield seconds of candidates per second of one core: ours, and the package called for each side."""
    from faster_whisper import WhisperModel  # noqa: PLC0415

    wanted = [("white", 20.0), ("white", 5.0), ("babble", 10.0), ("babble", 0.0)]
    taken = [(each, [_takes_of(each, others)[condition] for condition in wanted]) for each in sentences]
    seconds = sum(take.duration_s for _, takes in taken for take in takes)
    faster_transcription.load_faster_transcriber.cache_clear()
    stage = ScoreStage("ours", FasterWhisperClean(), AudioCache())
    stage.load("cpu")
    start = time.process_time()
    for sentence, takes in taken:
        stage.process([score_input(sentence.clean, *takes)])
    ours = time.process_time() - start
    place = str(faster_transcription.WHISPER_TINY_EN.folder)
    package = WhisperModel(place, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    start = time.process_time()
    for sentence, takes in taken:
        for side in (side for take in takes for side in (take, sentence.clean)):
            found, _ = package.transcribe(side.samples, language="en")
            _ = [segment.text for segment in found]
    theirs = time.process_time() - start
    yield f"against the clean, {len(wanted)} takes each: ours {seconds / ours:.1f} audio s/s"
    yield f"the package for each side {seconds / theirs:.1f} audio s/s; {theirs / ours:.2f} times as long"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED_DATA)
    parser.add_argument("--every", type=int, default=1, help="take every n-th sentence")
    parser.add_argument("--only-speed", action="store_true", help="no table of rates")
    arguments = parser.parse_args()
    main(arguments.folder, arguments.every, only_speed=arguments.only_speed)
