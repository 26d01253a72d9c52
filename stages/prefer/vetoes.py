"""Vetoes: what a unanimous pair is refused for. They do not vote; they look at one side, or at each."""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas import Record
from stages.prefer.comparisons import CandidateScores, Indices

LENGTH_CHANGE = "length_change_s"
"""What the scores of candidates, and columns of datasets, call the change of length that a model made."""
CONFIDENCE = "confidence"
"""What they call the number that a model gives with a take."""


def _is_unsaid(value: object) -> bool:
    """Whether a bound is left out where rules are written: those that never said it keep their keys."""
    return value is None


class Veto(Record):
    """A bound on a score, a change of length or a confidence, without which a unanimous pair is not kept."""

    score: str | None = Field(default=None, min_length=1)
    """Any score of the run, also of a diagnostic; it does not vote by this."""
    max_length_change_s: float | None = Field(default=None, ge=0)
    """In place of a score: refuse pairs with a side that its model made longer or shorter by more than this,
    in seconds, before it was fitted to its input. What is off by more than a tenth of the input, or 0.1 s if
    that is more, or by more than 0.5 s, is not fitted in any case: it is a failed take."""
    min_confidence: float | None = Field(default=None, exclude_if=_is_unsaid)
    """In place of a score: refuse pairs with a side of which its model is less sure than this, in the model's
    own number, such as a mean log-probability. It finds hallucinations that predictors of quality miss (arXiv
    2601.12254). A side of a model that gives no number has none."""
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
    def _looks_at_one_thing(self) -> Self:
        given = (self.score, self.max_length_change_s, self.min_confidence)
        if sum(each is not None for each in given) != 1:
            raise ValueError("give 'score', 'max_length_change_s' or 'min_confidence', one of them")
        return self

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        if self.score is None:
            if self.at_least is not None or self.at_most is not None:
                raise ValueError("'at_least' and 'at_most' are bounds on a 'score'")
            return self
        if self.at_least is None and self.at_most is None:
            raise ValueError("give 'at_least', 'at_most' or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"'at_least' {self.at_least:g} is above 'at_most' {self.at_most:g}")
        return self

    @property
    def looks_at(self) -> str:
        """The name under which the scores of candidates hold what it looks at."""
        return self.score or (LENGTH_CHANGE if self.min_confidence is None else CONFIDENCE)

    @property
    def label(self) -> str:
        """What it is counted under: its name, or what it refuses, as ``chosen estoi under 0.5``."""
        side = "either" if self.side == "both" else self.side
        return self.name or f"{side} {self._refused}"

    @property
    def _refused(self) -> str:
        if self.max_length_change_s is not None:
            return f"longer or shorter by over {self.max_length_change_s:g} s"
        if self.min_confidence is not None:
            return f"confidence under {self.min_confidence:g}"
        under = [] if self.at_least is None else [f"under {self.at_least:g}"]
        over = [] if self.at_most is None else [f"over {self.at_most:g}"]
        return f"{self.score} {' or '.join(under + over)}"

    @property
    def _bounds(self) -> tuple[float, float]:
        if self.max_length_change_s is not None:
            return -self.max_length_change_s, self.max_length_change_s
        if self.min_confidence is not None:
            return self.min_confidence, np.inf
        return (
            -np.inf if self.at_least is None else self.at_least,
            np.inf if self.at_most is None else self.at_most,
        )

    def refuses(self, candidates: CandidateScores, chosen: Indices, rejected: Indices) -> NDArray[np.bool_]:
        """Return which pairs of ``chosen`` and ``rejected`` candidates are refused."""
        values = candidates.scores[self.looks_at]
        low, high = self._bounds
        unsound = (values < low) | (values > high) | (np.isnan(values) & (self.unmeasured == "refuse"))
        sides = {"chosen": (chosen,), "rejected": (rejected,), "both": (chosen, rejected)}[self.side]
        refused = np.zeros(chosen.size, dtype=bool)
        for side in sides:
            refused |= unsound[side]
        return refused
