"""Ablation: what the pairs would be if one criterion did not vote."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from pipeline.audit.options import Chooser, Mask, OrderedPairs, mask_all
from pipeline.audit.records import LeftOut


class Ablation:
    """Counts for every criterion, as long as there is more than one."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        criteria = chooser.rules.criteria
        self._found = {c.metric: Counter[str]() for c in criteria if len(criteria) > 1}

    def add(self, ordered: OrderedPairs, kept: Mask) -> None:
        """Take in ordered pairs, and which of them are the dataset's."""
        for left_out, counts in enumerate(self._found.values()):
            others = [vote for vote in self._chooser.all_votes if vote != left_out]
            then = self._chooser.apply_rule(ordered, others, ordered.allowed)
            counts["pairs"] += int(then.sum())
            counts["added"] += int((then & ~kept).sum())
            counts["dropped"] += int((kept & ~then).sum())
            counts.update(self._votes(ordered, left_out, mask_all(ordered.favoured[..., others])))

    def _votes(self, ordered: OrderedPairs, left_out: int, agreed: Mask) -> dict[str, int]:
        """Count how one criterion votes where all others favour the chosen side."""
        vote = ordered.advantages[..., self._chooser.votes[left_out]][agreed]
        margin = self._chooser.margins[left_out]
        return {
            "agreed": int((vote > margin).sum()),
            "contradicted": int((vote < -margin).sum()),
            "within_margin": int((np.abs(vote) <= margin).sum()),
            "unmeasured": int(np.isnan(vote).sum()),
        }

    def walk_criteria(self) -> Iterator[LeftOut]:
        """Walk the criteria."""
        names = LeftOut.model_fields.keys() - {"criterion"}
        for criterion, counts in self._found.items():
            yield LeftOut(criterion=criterion, **{name: counts[name] for name in names})
