"""How fast metrics are: seconds of audio per second of one core, ours and the obvious way, in the same run.

    python -m tests.benchmarks.metrics [--takes 2] [--only KIND …] [--weights KIND=PATH …]

Takes at 44.1 kHz of bundled speech of 3, 6, 10 and 15 s, noise at 0 to 20 dB under it. Ours is the score
stage: FLAC is decoded, resampled, brought to one level and measured, in a process of its own where the metric
asks for one. The obvious way gets decoded audio and calls the library once per take, with librosa (soxr VHQ)
before it; under "decoded" stands what ours makes of audio that was decoded before. Then two ratios for all
metrics that have a rival: of equal numbers (both get the same samples at the metric's rate, with the same
windows; the largest difference of scores is printed) and of default settings, with what each part gains.
Counted is the processor's time, that of child processes included, all on one core: a busy machine blurs it,
but does not enter. Whisper without weights is a small random one, good for the ratio alone.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import psutil

from pipeline.text import align_columns, format_digits
from schemas import EncodedAudio, MissingWeightsError, Outcome
from stages.audio.cache import AudioCache
from stages.audio.resampling import resample
from stages.metrics import METRICS, Metric
from stages.operators.metric import Comparison, Measured
from stages.score.stage import ScoreStage
from tests.benchmarks.degradations import speech
from tests.benchmarks.metric_rivals import EQUAL, RIVALS, Rival, keep_from_fetching, whisper_per_file
from tests.support.score_inputs import score_input
from tests.support.speech_like import noisy
from tests.support.speech_networks import write_whisper

INTRUSIVE = ("pesq", "stoi", "estoi")
T = TypeVar("T")
Rivals = Mapping[str, Mapping[str, Rival]]
SECONDS = (3.0, 6.0, 10.0, 15.0)
SNRS_DB = (20.0, 15.0, 10.0, 5.0, 0.0)


class Forgetful(AudioCache):
    """One that can start anew, as with the next shard."""

    def forget(self, *, decoded: bool = True) -> None:
        """Drop all that is held, or all but decoded recordings: those are called by their digest alone."""
        kept = {} if decoded else {name: held for name, held in self._held.items() if len(name) == 1}
        self._held.clear()
        self._numbers.clear()
        self._held.update(kept)
        self._bytes = sum(waveform.samples.nbytes for waveform in kept.values())


class Bench:
    """The recordings of one run, and how long work on all of them takes."""

    def __init__(self, takes: int) -> None:
        clips = [speech(seconds, number) for number, seconds in enumerate(SECONDS)]
        snrs_db = [SNRS_DB[take % len(SNRS_DB)] for take in range(takes)]
        self.pairs = [Comparison(noisy(clip, snr_db), clip, "words") for clip in clips for snr_db in snrs_db]
        self.records = [
            score_input(
                clip, *[noisy(clip, snr_db) for snr_db in snrs_db], name=str(place), transcript="words"
            )
            for place, clip in enumerate(clips)
        ]
        self.audio_s = takes * sum(SECONDS)
        self._called: dict[Rival, float] = {}

    def speed(self, work: Callable[[slice], object]) -> float:
        """Return audio seconds per second of ``work`` on all there is, after the first, not counted."""
        work(slice(1))
        started = cpu_s()
        work(slice(None))
        return self.audio_s / (cpu_s() - started)

    def staged(self, *metrics: Metric, decoding: bool = True) -> float:
        """Return the speed of the score stage, one metric after the other on what is decoded once.

        Without ``decoding`` it was decoded before.
        """
        memory = Forgetful()
        if not decoding:
            for stored in self._stored():
                memory.waveform(stored)
        stages = [ScoreStage(metric.kind, metric, memory) for metric in metrics]
        for stage in stages:
            stage.load("cpu")

        def work(some: slice) -> None:
            memory.forget(decoded=decoding)
            for stage in stages:
                for batch in stage.batches(self.records[some]):
                    stage.process(batch)

        return self.speed(work)

    def _stored(self) -> Iterator[EncodedAudio]:
        for record in self.records:
            sides = record.degraded.clean, *(take.audio for take in record.restored.takes)
            yield from (side for side in sides if side is not None)

    def called(self, rival: Rival) -> float:
        """Return the speed of one call of a library per pair, measured once."""
        if rival not in self._called:
            self._called[rival] = self.speed(lambda some: [rival(pair) for pair in self.pairs[some]])
        return self._called[rival]

    def timed(
        self, work: Callable[[list[Comparison]], Iterable[T]], pairs: list[Comparison]
    ) -> tuple[float, list[T]]:
        """Return the speed of ``work`` on ``pairs``, and what it finds."""
        found: list[list[T]] = []
        speed = self.speed(lambda some: found.append(list(work(pairs[some]))))
        return speed, found[-1]

    def prepared(self, metric: Metric) -> list[Comparison]:
        """Return the pairs at the metric's rate."""
        rate = metric.sample_rate
        if rate is None:
            return self.pairs
        return [Comparison(resample(p.candidate, rate), resample(p.clean, rate), "words") for p in self.pairs]


def cpu_s() -> float:
    """Return the processor's seconds that this process and its living children have had."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return time.process_time() + sum(each.user + each.system for each in times)


def speed_rows(bench: Bench, metrics: Sequence[Metric], rivals: Rivals) -> Iterator[tuple[str, ...]]:
    """Yield each metric with its speed in the stage, its rivals' speeds and the ratios."""
    yield "metric, default settings", "audio s/s", "decoded", "obvious way", "audio s/s", "ratio", "decoded"
    for metric in metrics:
        ours, decoded = bench.staged(metric), bench.staged(metric, decoding=False)
        speeds = metric.kind, format_digits(ours), format_digits(decoded)
        if metric.kind not in rivals:
            yield *speeds, "", "", "", ""
        for library, rival in rivals.get(metric.kind, {}).items():
            theirs = bench.called(rival)
            ratios = format_digits(ours / theirs), format_digits(decoded / theirs)
            yield *speeds, library, format_digits(theirs), *ratios


def equal_rows(bench: Bench, metrics: Sequence[Metric]) -> Iterator[tuple[str, ...]]:
    """Yield the panel of equal numbers: same samples, same windows, largest difference of scores."""
    yield "metric, equal numbers", "audio s/s", "library", "ours over it", "largest difference"
    ours_s = theirs_s = 0.0
    for metric in metrics:
        same = type(metric).model_validate({**metric.model_dump(), **EQUAL.get(metric.kind, {})})
        same.load("cpu")
        pairs = bench.prepared(same)
        ours, values = bench.timed(same.score, pairs)
        theirs, others = bench.timed(partial(map, first_rival(metric)), pairs)
        apart = [difference(*both) for both in zip(values, others, strict=True)]
        ours_s, theirs_s = ours_s + 1.0 / ours, theirs_s + 1.0 / theirs
        yield (
            same.kind,
            format_digits(ours),
            format_digits(theirs),
            format_digits(ours / theirs),
            f"{max(apart):.1e}",
        )
    yield (
        "all of them",
        format_digits(1 / ours_s),
        format_digits(1 / theirs_s),
        format_digits(theirs_s / ours_s),
        "",
    )


def first_rival(metric: Metric) -> Rival:
    """Return the rival that counts in the panels."""
    return next(iter(RIVALS[metric.kind].values()))


def difference(ours: Measured | Outcome, theirs: Measured) -> float:
    """Return the largest difference of two sets of values."""
    assert not isinstance(ours, Outcome), ours
    return max(abs(ours[suffix] - value) for suffix, value in theirs.items())


def gain_rows(bench: Bench, metrics: Sequence[Metric]) -> Iterator[tuple[str, ...]]:
    """Yield what the panel gains at default settings, step by step, from the libraries called per take."""
    slow = sum(1.0 / bench.called(first_rival(metric)) for metric in metrics)
    yield "panel, default settings", "audio s/s", "over the obvious way"
    yield "libraries, resampled for every call", format_digits(1.0 / slow), "1"
    equal = [type(m).model_validate({**m.model_dump(), **EQUAL.get(m.kind, {})}) for m in metrics]
    steps = {
        "each metric by itself, same windows": sum(1.0 / bench.staged(metric) for metric in equal),
        "decoded and resampled once for all": 1.0 / bench.staged(*equal),
        "default windows": 1.0 / bench.staged(*metrics),
    }
    for name, took in steps.items():
        yield name, format_digits(1.0 / took), format_digits(slow / took)


def intrusive_rows(bench: Bench) -> Iterator[tuple[str, ...]]:
    """Yield PESQ, STOI and ESTOI together, with PESQ in its own process."""
    speed = bench.staged(*(METRICS[kind]() for kind in INTRUSIVE))
    yield " + ".join(INTRUSIVE) + ", with isolation", format_digits(speed)


def wanted(kinds: Sequence[str], places: Mapping[str, Path]) -> Iterator[Metric]:
    """Yield the metrics that can be loaded here."""
    for kind in kinds or METRICS:
        metric = METRICS[kind].model_validate({"path": places[kind]} if kind in places else {})
        try:
            metric.load("cpu")
        except MissingWeightsError as missing:
            _say(f"{kind} is left out: {missing}")
            continue
        yield type(metric).model_validate(metric.model_dump())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--takes", type=int, default=2, help="of each utterance")
    parser.add_argument("--only", nargs="*", default=[], help="metrics; all others are left out")
    parser.add_argument("--weights", nargs="*", default=[], metavar="KIND=PATH", help="where weights lie")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        _measure(arguments, Path(folder))


def _measure(arguments: argparse.Namespace, folder: Path) -> None:
    given = dict(pair.split("=", 1) for pair in arguments.weights)
    places = {kind: Path(path) for kind, path in given.items()}
    keep_from_fetching(folder, places.get("nisqa"))
    random = write_whisper(folder)
    rivals = {
        **RIVALS,
        **{
            kind: {"whisper": whisper_per_file(places.setdefault(kind, random), both_sides=both_sides)}
            for kind, both_sides in (("whisper", False), ("whisper_clean", True))
        },
    }
    bench = Bench(arguments.takes)
    metrics = list(wanted(arguments.only, places))
    panel = [metric for metric in metrics if metric.kind in RIVALS]
    _print(speed_rows(bench, metrics, rivals))
    _print(equal_rows(bench, panel))
    _print(gain_rows(bench, panel))
    _print(intrusive_rows(bench))


def _print(rows: Iterator[tuple[str, ...]]) -> None:
    """Print a table once it is whole, and tell of each row as it comes."""
    table = []
    for row in rows:
        _say(" ".join(row))
        table.append(row)
    sys.stdout.write("\n".join(align_columns(table)) + "\n\n")
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
