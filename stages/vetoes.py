"""Vetoes: what a unanimous pair is refused for. They do not vote; they look at one side, or at each."""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas import Record
from stages.verdicts import Ballot, Indices


class Veto(Record):
    """A bound on a score, without which a unanimous pair is not kept."""

    score: str
    """Any score of the run, also of a diagnostic; it does not vote by this."""
    side: Literal["chosen", "rejected", "both"] = "chosen"
    """Whose score is looked at: a chosen one that lost words, a rejected one that is broken beyond use."""
    at_least: float | None = None
    """Refuse pairs with a score under this."""
    at_most: float | None = None
    """Refuse pairs with a score over this."""
    unmeasured: Literal["refuse", "pass"] = "refuse"
    """What becomes of pairs whose side has no such score: what is not known to be sound is refused."""
    name: str = Field(default="", description="what it is counted under; default: side, score and bounds")

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give 'at_least', 'at_most' or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"'at_least' {self.at_least:g} is above 'at_most' {self.at_most:g}")
        return self

    @property
    def label(self) -> str:
        """What it is counted under: its name, or what it refuses, as ``chosen estoi under 0.5``."""
        under = [] if self.at_least is None else [f"under {self.at_least:g}"]
        over = [] if self.at_most is None else [f"over {self.at_most:g}"]
        side = "either" if self.side == "both" else self.side
        return self.name or f"{side} {self.score} {' or '.join(under + over)}"

    def refuses(self, ballot: Ballot, chosen: Indices, rejected: Indices) -> NDArray[np.bool_]:
        """Return which pairs of ``chosen`` and ``rejected`` candidates are refused."""
        values = ballot.scores[self.score]
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        unsound = (values < low) | (values > high) | (np.isnan(values) & (self.unmeasured == "refuse"))
        sides = {"chosen": (chosen,), "rejected": (rejected,), "both": (chosen, rejected)}[self.side]
        refused = np.zeros(chosen.size, dtype=bool)
        for side in sides:
            refused |= unsound[side]
        return refused
