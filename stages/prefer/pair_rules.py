"""Pair rules: which candidates are compared, who may not win, and which unanimous pairs are kept."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from schemas import Record
from schemas.rows import CLEAN
from stages.prefer.comparisons import Floats64, Indices


class PairRule(Record):
    """Which comparisons are made, and which unanimous pairs are kept."""

    keep: Literal["all", "best", "top_k"] = "all"
    """Of one degraded utterance: all unanimous pairs, the clearest one, or the clearest ``k``. How clear a
    pair is, its narrowest vote says, in units of the criterion's ``scale``."""
    k: int | None = Field(default=None, ge=1)
    """How many pairs ``top_k`` keeps."""
    between: Literal["any", "same_model", "across_models"] = "any"
    """Compare takes of one model with each other (GenSR-Pref's in-paradigm pairs), of two models, or both."""
    max_per_utterance: int | None = Field(default=None, ge=1)
    """Keep at most this many pairs per degraded utterance, the clearest first."""
    max_per_model_pair: int | None = Field(default=None, ge=1)
    """Keep at most this many pairs of the same two models per degraded utterance, the clearest first."""
    clean_may_win: bool = False
    """Let the clean reference be chosen, where ``score_clean`` makes it a candidate. A fixed winner collapses
    training (GenSR-Pref, arXiv 2508.17229), so by default it may only lose."""
    never_chosen: tuple[str, ...] = ()
    """Names of restorers that may be rejected but not chosen, such as identity."""

    @model_validator(mode="after")
    def _k_belongs_to_top_k(self) -> Self:
        if (self.keep == "top_k") != (self.k is not None):
            raise ValueError("'keep: top_k' and 'k', the number of pairs to keep, go together")
        return self

    @property
    def limit(self) -> int | None:
        """The most pairs of one degraded utterance, or None."""
        most = {"all": None, "best": 1, "top_k": self.k}[self.keep]
        return min((n for n in (most, self.max_per_utterance) if n is not None), default=None)

    def may_win(self, model: str) -> bool:
        """Whether candidates of ``model`` may be chosen."""
        return model not in self.never_chosen and (model != CLEAN or self.clean_may_win)

    def comparisons(self, models: Sequence[str]) -> tuple[Indices, Indices]:
        """Return every two candidates that are compared, by their places in ``models``."""
        return _comparisons(tuple(models), self.between)

    def select(self, strengths: Floats64, chosen: Sequence[str], rejected: Sequence[str]) -> list[int]:
        """Return which of the pairs stay, clearest first, by strength and the models of both sides.

        Pairs of one strength stay in the order given, so that a cap never depends on luck.
        """
        ranked: list[int] = np.argsort(-strengths, kind="stable").tolist()
        if self.max_per_model_pair is not None:
            taken: Counter[frozenset[str]] = Counter()
            models = [frozenset(sides) for sides in zip(chosen, rejected, strict=True)]
            ranked = [place for place in ranked if self._has_room(taken, models[place])]
        return ranked[: self.limit]

    def _has_room(self, taken: Counter[frozenset[str]], models: frozenset[str]) -> bool:
        """Whether one more pair of these models may be kept; it is then taken."""
        taken[models] += 1
        return self.max_per_model_pair is None or taken[models] <= self.max_per_model_pair


@lru_cache(maxsize=16)
def _comparisons(models: tuple[str, ...], between: str) -> tuple[Indices, Indices]:
    """Return who is compared with whom; most utterances of a run have the same candidates."""
    first, second = np.triu_indices(len(models), k=1)
    if between == "any":
        return first, second
    numbers = np.unique(models, return_inverse=True)[1]
    compared = (numbers[first] == numbers[second]) == (between == "same_model")
    return first[compared], second[compared]
