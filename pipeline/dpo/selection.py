"""Which pairs of a dataset to train on."""

from collections.abc import Mapping
from typing import Any

from schemas import Record


class Selection(Record):
    """Conditions that a pair must meet, all of them; without any, every pair does."""

    min_strength: float | None = None
    """Least ``strength``: the narrowest vote, in units of its criterion's scale."""
    min_margins: dict[str, float] = {}
    """Least margin by score, in the score's own unit; a pair without that margin is left out."""
    degradations: frozenset[str] | None = None
    """Kinds of degradations, of which at least one must have changed the speech."""
    models: frozenset[str] | None = None
    """Restoration models that both sides must be from."""
    pair_ids: frozenset[str] | None = None
    """Names of the pairs, such as those that ``export --select`` chose."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of ``pairs`` that decide."""
        asked = {
            "strength": self.min_strength,
            "degradations": self.degradations,
            "chosen_model": self.models,
            "rejected_model": self.models,
        }
        return (
            *(name for name, condition in asked.items() if condition is not None),
            *(f"margin_{score}" for score in self.min_margins),
        )

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of ``pairs`` meets all conditions."""
        least = {f"margin_{score}": value for score, value in self.min_margins.items()}
        if self.min_strength is not None:
            least["strength"] = self.min_strength
        if self.pair_ids is not None and row["pair_id"] not in self.pair_ids:
            return False
        if any(row[name] is None or row[name] < value for name, value in least.items()):
            return False
        if self.degradations is not None and self.degradations.isdisjoint(row["degradations"]):
            return False
        return self.models is None or {row["chosen_model"], row["rejected_model"]} <= self.models
