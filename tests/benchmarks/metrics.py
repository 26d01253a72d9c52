"""How fast metrics are: seconds of audio per second on one core, ours and the obvious way, in the same run.

    python -m tests.benchmarks.metrics [--seconds 10] [--utterances 4] [--takes 4] [--only KIND …]
                                       [--weights KIND=PATH …]

Takes at 44.1 kHz of bundled speech, noise at 0 to 20 dB under it. Ours is the score stage: FLAC is decoded,
resampled, brought to one level and measured, in a process of its own where the metric asks for one. The
obvious way gets decoded audio and calls the library once per take, with librosa (soxr VHQ) before it. Then
two ratios for all metrics that have a rival: of equal numbers (both get the same samples at the metric's
rate, with the same windows; the largest difference of scores is printed) and of default settings, with what
each part gains. All processes are kept on one core; the median of ``--repeats`` runs counts. Close other
programs first.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from pipeline.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np

from pipeline.wording import aligned, few_digits
from schemas import MissingWeightsError
from stages.audio_memory import AudioMemory
from stages.metrics import METRICS, Metric
from stages.metrics.base import Comparison, Measured, Unmeasured
from stages.resampling import resample
from stages.score import ScoreStage
from tests.benchmarks.degradations import speech
from tests.benchmarks.metric_rivals import EQUAL, RIVALS, Rival, whisper_per_file
from tests.score_inputs import score_input
from tests.speech_like import noisy

INTRUSIVE = ("pesq", "stoi", "estoi")
T = TypeVar("T")
SNRS_DB = (20.0, 15.0, 10.0, 5.0, 0.0)


class Forgetful(AudioMemory):
    """One that can start anew, as with the next shard."""

    def forget(self) -> None:
        """Drop all that is held."""
        self._held.clear()
        self._figures.clear()
        self._bytes = 0


class Bench:
    """The recordings of one run, and how long work on all of them takes."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        clips = [speech(arguments.seconds, number) for number in range(arguments.utterances)]
        snrs_db = [SNRS_DB[take % len(SNRS_DB)] for take in range(arguments.takes)]
        self.pairs = [Comparison(noisy(clip, snr_db), clip, "words") for clip in clips for snr_db in snrs_db]
        self.records = [
            score_input(
                clip, *[noisy(clip, snr_db) for snr_db in snrs_db], name=str(place), transcript="words"
            )
            for place, clip in enumerate(clips)
        ]
        self.audio_s = arguments.seconds * len(self.pairs)
        self.repeats: int = arguments.repeats

    def speed(self, work: Callable[[], object]) -> float:
        """Return audio seconds per second of ``work`` on all pairs, the first time not counted."""
        work()
        times = []
        for _ in range(self.repeats):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return self.audio_s / float(np.median(times))

    def staged(self, *metrics: Metric) -> float:
        """Return the speed of the score stage, one metric after the other on what is decoded once."""
        memory = Forgetful()
        stages = [ScoreStage(metric.kind, metric, memory) for metric in metrics]
        for stage in stages:
            stage.load("cpu")

        def work() -> None:
            memory.forget()
            for stage in stages:
                for batch in stage.batches(self.records):
                    stage.process(batch)

        return self.speed(work)

    def called(self, rival: Rival) -> float:
        """Return the speed of one call of a library per pair."""
        return self.speed(lambda: [rival(pair) for pair in self.pairs])

    def timed(
        self, work: Callable[[list[Comparison]], Iterable[T]], pairs: list[Comparison]
    ) -> tuple[float, list[T]]:
        """Return the speed of ``work`` on ``pairs``, and what it finds."""
        return self.speed(lambda: list(work(pairs))), list(work(pairs))

    def prepared(self, metric: Metric) -> list[Comparison]:
        """Return the pairs at the metric's rate."""
        rate = metric.sample_rate
        if rate is None:
            return self.pairs
        return [Comparison(resample(p.candidate, rate), resample(p.clean, rate), "words") for p in self.pairs]


def speed_rows(
    bench: Bench, metrics: Sequence[Metric], rivals: dict[str, Rival]
) -> Iterator[tuple[str, ...]]:
    """Yield each metric with its speed in the stage, its rival's and their ratio."""
    yield "metric, default settings", "audio s/s", "obvious way", "ours over it"
    for metric in metrics:
        ours = bench.staged(metric)
        theirs = bench.called(rivals[metric.kind]) if metric.kind in rivals else None
        ratio = ("", "") if theirs is None else (few_digits(theirs), few_digits(ours / theirs))
        yield metric.kind, few_digits(ours), *ratio


def equal_rows(bench: Bench, metrics: Sequence[Metric]) -> Iterator[tuple[str, ...]]:
    """Yield the panel of equal numbers: same samples, same windows, largest difference of scores."""
    yield "metric, equal numbers", "audio s/s", "library", "ours over it", "largest difference"
    ours_s = theirs_s = 0.0
    for metric in metrics:
        same = type(metric).model_validate({**metric.model_dump(), **EQUAL.get(metric.kind, {})})
        same.load("cpu")
        pairs = bench.prepared(same)
        ours, values = bench.timed(same.score, pairs)
        theirs, others = bench.timed(partial(map, RIVALS[metric.kind]), pairs)
        apart = [difference(*both) for both in zip(values, others, strict=True)]
        ours_s, theirs_s = ours_s + 1.0 / ours, theirs_s + 1.0 / theirs
        yield same.kind, few_digits(ours), few_digits(theirs), few_digits(ours / theirs), f"{max(apart):.1e}"
    yield "all of them", few_digits(1 / ours_s), few_digits(1 / theirs_s), few_digits(theirs_s / ours_s), ""


def difference(ours: Measured | Unmeasured, theirs: Measured) -> float:
    """Return the largest difference of two sets of values."""
    assert not isinstance(ours, Unmeasured), ours.error
    return max(abs(ours[suffix] - value) for suffix, value in theirs.items())


def gain_rows(bench: Bench, metrics: Sequence[Metric]) -> Iterator[tuple[str, ...]]:
    """Yield what the panel gains at default settings, step by step, from the libraries called per take."""
    panel = {metric.kind: metric for metric in metrics}
    slow = sum(1.0 / bench.called(RIVALS[kind]) for kind in panel)
    yield "panel, default settings", "audio s/s", "over the obvious way"
    yield "libraries, resampled for every call", few_digits(1.0 / slow), "1"
    equal = [type(m).model_validate({**m.model_dump(), **EQUAL.get(m.kind, {})}) for m in metrics]
    steps = {
        "each metric by itself, same windows": sum(1.0 / bench.staged(metric) for metric in equal),
        "decoded and resampled once for all": 1.0 / bench.staged(*equal),
        "default windows": 1.0 / bench.staged(*metrics),
    }
    for name, took in steps.items():
        yield name, few_digits(1.0 / took), few_digits(slow / took)


def intrusive_rows(bench: Bench) -> Iterator[tuple[str, ...]]:
    """Yield PESQ, STOI and ESTOI together, with PESQ in its own process."""
    speed = bench.staged(*(METRICS[kind]() for kind in INTRUSIVE))
    yield " + ".join(INTRUSIVE) + ", with isolation", few_digits(speed)


def wanted(arguments: argparse.Namespace) -> Iterator[Metric]:
    """Yield the metrics that can be loaded here."""
    places = dict(pair.split("=", 1) for pair in arguments.weights)
    for kind in arguments.only or METRICS:
        metric = METRICS[kind].model_validate({"path": places[kind]} if kind in places else {})
        try:
            metric.load("cpu")
        except MissingWeightsError as missing:
            sys.stdout.write(f"{kind} is left out: {missing}\n")
            continue
        yield type(metric).model_validate(metric.model_dump())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of an utterance")
    parser.add_argument("--utterances", type=int, default=4)
    parser.add_argument("--takes", type=int, default=4, help="of each utterance")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="metrics; all others are left out")
    parser.add_argument("--weights", nargs="*", default=[], metavar="KIND=PATH", help="where weights lie")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    bench = Bench(arguments)
    metrics = list(wanted(arguments))
    places = dict(pair.split("=", 1) for pair in arguments.weights)
    whisper = {"whisper": whisper_per_file(places["whisper"])} if "whisper" in places else {}
    panel = [metric for metric in metrics if metric.kind in RIVALS]
    _print(speed_rows(bench, metrics, {**RIVALS, **whisper}))
    _print(equal_rows(bench, panel))
    _print(gain_rows(bench, panel))
    _print(intrusive_rows(bench))


def _print(rows: Iterator[tuple[str, ...]]) -> None:
    sys.stdout.write("\n".join(aligned(list(rows))) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
