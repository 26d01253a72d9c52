"""Neural metrics and restorers as one thing: made ready, asked in batches, and held to the CPU."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from schemas import BrokenError, Outcome, Reason
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics import METRICS
from stages.operators.metric import Comparison, Measured
from stages.operators.operator import Operator
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, group_by_length, load_model
from stages.restorers import RESTORERS, Restorer
from stages.score.inputs import MetricInputs
from stages.score.stage import COMPARISONS_PER_BATCH, SCORING_LEVEL_DB, ScoreInput

O = TypeVar("O", bound=Operator)  # noqa: E741
OF_PEAK = "of_peak"
"""What the difference of a restorer is called: that of a sample, by the peak of the CPU's."""


class NeuralSubject(Protocol):
    """A loaded model and what it is asked; items are what one call may hold several of."""

    def items(self, record: ScoreInput) -> list[Any]:
        """Return what the model is given for the takes of a record."""

    def batches(self, items: Sequence[Any]) -> Iterator[Sequence[int]]:
        """Yield the places of items that are asked for together."""

    def results(self, items: Sequence[Any]) -> Sequence[Any]:
        """Ask for several at once."""

    def duration_s(self, item: Any) -> float:
        """Return how much audio an item is."""

    def differences(self, ours: Sequence[Any], alone: Sequence[Any]) -> Mapping[str, float]:
        """Return how far results are from those of a CPU that was asked for one after the other."""


def load_subject(name: str, device: str, cache: AudioCache, *, together: bool) -> NeuralSubject:
    """Return a model by its kind, or kind and settings as ``nsnet2:model_sample_rate=16000``, on a device.

    Raises ``MissingWeightsError`` if its weights are not here.
    """
    if name in METRICS:
        return MetricSubject(name, device, cache, together=together)
    return RestorerSubject(name, device)


def settled(member: type[O], settings: Mapping[str, Any]) -> O:
    """Return an operator whose weights are seen to be here."""
    return member.model_validate(dict(settings)).with_digests()


def settled_restorer(name: str) -> Restorer:
    """Return a restorer by its kind, or its kind and settings."""
    kind, _, said = name.partition(":")
    named = (each.split("=") for each in said.split(",") if each)
    settings = {setting: int(value) if value.isdigit() else value for setting, value in named}
    return settled(RESTORERS[kind], settings)


def settled_model(name: str) -> Operator:
    """Return a metric or a restorer by its name; raises ``MissingWeightsError`` without its weights."""
    return settled(METRICS[name], {}) if name in METRICS else settled_restorer(name)


class MetricSubject:
    """A metric over comparisons that are prepared before the clock runs."""

    def __init__(self, kind: str, device: str, cache: AudioCache, *, together: bool) -> None:
        metric = settled(METRICS[kind], {})
        metric.load(device)
        self.results = metric.score_together if together else metric.score
        self._inputs = MetricInputs(metric, cache, SCORING_LEVEL_DB)

    def items(self, record: ScoreInput) -> list[Comparison]:
        """Return the comparison of each take; raises ``RecordError`` where there is none."""
        clean, takes = record.degraded.clean, record.restored.takes
        kept = [take.audio for take in takes if take.audio is not None]
        return [self._inputs.prepare(audio, clean, record.recipe).comparison for audio in kept]

    def batches(self, items: Sequence[Comparison]) -> Iterator[Sequence[int]]:
        """Yield them as the score stage does."""
        for first in range(0, len(items), COMPARISONS_PER_BATCH):
            yield range(first, min(first + COMPARISONS_PER_BATCH, len(items)))

    def duration_s(self, item: Comparison) -> float:
        """Return the candidate's."""
        return item.candidate.duration_s

    def differences(
        self, ours: Sequence[Measured | Outcome], alone: Sequence[Measured | Outcome]
    ) -> Mapping[str, float]:
        """Return the largest difference of each score; raises ``BrokenError`` for one on one side alone."""
        largest: dict[str, float] = {}
        for left, right in zip(ours, alone, strict=True):
            if isinstance(left, Outcome) and isinstance(right, Outcome):
                continue  # unfit on both sides, as a clean that is not understood
            if isinstance(left, Outcome) or isinstance(right, Outcome):
                raise BrokenError(Reason.ERROR, f"a score on one side alone: {left}; {right}")
            for suffix in right:
                largest[suffix] = max(largest.get(suffix, 0.0), abs(left[suffix] - right[suffix]))
        return largest


class RestorerSubject:
    """A restoration model over inputs at its rate, no longer than it takes them."""

    def __init__(self, name: str, device: str) -> None:
        self._model, self._calls = settled_restorer(name), ModelCalls(device)
        load_model(self._model, device)

    def items(self, record: ScoreInput) -> list[Waveform]:
        """Return the takes."""
        kept = [take.audio for take in record.restored.takes if take.audio is not None]
        return [self._fitted(decode_flac(audio)) for audio in kept]

    def batches(self, items: Sequence[Waveform]) -> Iterator[Sequence[int]]:
        """Yield inputs of about one length together, as the restore stage does."""
        yield from group_by_length(
            range(len(items)), lambda place: (1, items[place].duration_s), self._model.batch_s
        )

    def results(self, items: Sequence[Waveform]) -> Sequence[Waveform]:
        """Return the restorations; those of one length draw alike."""
        return self._calls.outputs(
            self._model, items, [rng_for(0, "gpu", item.samples.size) for item in items]
        )

    def duration_s(self, item: Waveform) -> float:
        """Return the input's."""
        return item.duration_s

    def differences(self, ours: Sequence[Waveform], alone: Sequence[Waveform]) -> Mapping[str, float]:
        """Return the largest difference of a sample by the peak of the CPU's."""
        ratios = [_difference_ratio(*pair) for pair in zip(ours, alone, strict=True)]
        return {OF_PEAK: max(ratios, default=0.0)}

    def _fitted(self, take: Waveform) -> Waveform:
        given = resample(take, self._model.sample_rate or take.sample_rate)
        longest = round((self._model.chunk_s or given.duration_s) * given.sample_rate)
        return given.with_samples(given.samples[:longest])


def _difference_ratio(ours: Waveform, alone: Waveform) -> float:
    if ours.samples.size != alone.samples.size:
        raise RuntimeError(f"{ours.samples.size} samples, but {alone.samples.size} on the CPU")
    peak = float(np.abs(alone.samples).max()) or 1.0
    return float(np.abs(ours.samples - alone.samples).max()) / peak
