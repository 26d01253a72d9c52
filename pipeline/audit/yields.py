"""Yields: how many pairs come of which degradations, levels of noise and models."""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from pipeline.audit.candidate_batches import Damage
from pipeline.audit.correlation import name_of_models
from pipeline.audit.options import Mask, OrderedPairs
from pipeline.audit.records import Group, ModelRecord, YieldOf
from stages.prefer.comparisons import Indices

BIN_DB = 5
NOTHING_ADDED = "nothing added"
WHOLE = (Group.ALL, 0.0, "all")
_COUNTED = ("inputs", "comparisons", "unanimous", "pairs")


class Yields:
    """Counts by group, and by model."""

    def __init__(self) -> None:
        self._found: dict[tuple[Group, float, str], Counter[str]] = {WHOLE: Counter()}
        self._models: dict[str, Counter[str]] = {}

    def add(self, ordered: OrderedPairs, kept: Mask) -> None:
        """Take in ordered pairs, and which of them are the dataset's."""
        found = np.stack([ordered.unanimous, kept])
        per_row = found.sum(axis=2)
        for row, damage in enumerate(ordered.batch.damages):
            for group in _groups(damage):
                self._count(group, 1, ordered.chosen.size // 2, per_row[:, row])
        self._count_models(ordered, found.sum(axis=1))

    def _count(self, group: tuple[Group, float, str], inputs: int, comparisons: int, pairs: Indices) -> None:
        unanimous, kept = (int(number) for number in pairs)
        counts = self._found.setdefault(group, Counter())
        counts.update(inputs=inputs, comparisons=comparisons, unanimous=unanimous, pairs=kept)

    def _count_models(self, ordered: OrderedPairs, pairs: Indices) -> None:
        batch, inputs = ordered.batch, len(ordered.batch.ids)
        models = np.array(batch.models)
        chosen, rejected = models[ordered.chosen].tolist(), models[ordered.rejected].tolist()
        names = np.array([name_of_models(a, b) for a, b in zip(chosen, rejected, strict=True)])
        for name in dict.fromkeys(names.tolist()):
            between = names == name
            comparisons = inputs * int(between.sum()) // 2
            self._count((Group.MODELS, 0.0, name), inputs, comparisons, pairs[:, between].sum(axis=1))
        for model, number in Counter(batch.models).items():
            self._models.setdefault(model, Counter()).update(candidates=number * inputs)
        for a, b, number in zip(chosen, rejected, pairs[1].tolist(), strict=True):
            self._models[a]["chosen"] += number
            self._models[b]["rejected"] += number

    def walk_yields(self) -> Iterator[YieldOf]:
        """Walk the groups: all, degradations and models by name, levels of noise from loud to soft."""
        order = list(Group)
        for group in sorted(self._found, key=lambda group: (order.index(group[0]), *group[1:])):
            numbers = {name: self._found[group][name] for name in _COUNTED}
            yield YieldOf(by=group[0], name=group[2], **numbers)

    def walk_models(self) -> Iterator[ModelRecord]:
        """Walk the models by name."""
        for model, counts in sorted(self._models.items()):
            numbers = {name: counts[name] for name in ("candidates", "chosen", "rejected")}
            yield ModelRecord(model=model, **numbers)


def _groups(damage: Damage) -> Iterator[tuple[Group, float, str]]:
    """Walk the groups that a degraded utterance counts in: what they are of, their place, their name."""
    yield WHOLE
    for kind in damage.kinds:
        yield Group.DEGRADATION, 0.0, kind
    if damage.snr_db is None:
        yield Group.SNR, math.inf, NOTHING_ADDED
    else:
        low = BIN_DB * math.floor(damage.snr_db / BIN_DB)
        yield Group.SNR, low, f"{low} to {low + BIN_DB} dB"
