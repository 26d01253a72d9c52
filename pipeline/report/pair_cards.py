"""What is said about one pair beside its players."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.clips import Clip
from stages.operators.metric import Better

STRENGTH = "narrowest vote"
"""What the strength of a pair is called beside its margins."""


@dataclass(frozen=True, slots=True)
class CardSide:
    """The chosen or the rejected restoration."""

    model: str
    take: int
    settings: Mapping[str, Any]
    lag_samples: int
    length_change_s: float
    gain_db: float
    clip: Clip


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of both sides."""

    name: str
    role: str
    """``votes``, ``held out`` or nothing."""
    better: Better | None
    chosen: float | None
    rejected: float | None
    reasons: tuple[str | None, str | None]
    """Why a side has no score."""

    @property
    def margin(self) -> float | None:
        """By how much the chosen side is better; None if that is not known."""
        if self.chosen is None or self.rejected is None or self.better is None:
            return None
        ahead = self.chosen - self.rejected
        return ahead if self.better is Better.HIGHER else -ahead


@dataclass(frozen=True, slots=True)
class CardStep:
    """One degradation: what was drawn, and what it was found to have done."""

    kind: str
    params: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def is_applied(self) -> bool:
        """Whether it changed the speech."""
        return bool(self.facts.get("applied", 1.0))


@dataclass(frozen=True, slots=True)
class PairCard:
    """One pair with its recordings, scores and recipe."""

    pair_id: str
    utterance_id: str
    split: str
    speaker: str | None
    transcript: str | None
    sample_rate: int
    strength: float
    steps: Sequence[CardStep]
    degraded: Clip
    clean: Clip
    chosen: CardSide
    rejected: CardSide
    scores: Sequence[ScoreRow]

    @property
    def degradations(self) -> list[str]:
        """The kinds that changed the speech, in their order."""
        return [step.kind for step in self.steps if step.is_applied]

    @property
    def margins(self) -> dict[str, float]:
        """How clear the pair is, over all and by each score."""
        known = {row.name: row.margin for row in self.scores if row.margin is not None}
        return {STRENGTH: self.strength, **known}

    @property
    def text(self) -> str:
        """What a reader may look for."""
        return " ".join(filter(None, (self.transcript, self.speaker, self.pair_id)))

    @property
    def clips(self) -> tuple[tuple[str, Clip, str], ...]:
        """The four recordings: what each is, where it lies, who made it."""
        return (
            ("degraded", self.degraded, ""),
            ("chosen", self.chosen.clip, f"{self.chosen.model}, take {self.chosen.take}"),
            ("rejected", self.rejected.clip, f"{self.rejected.model}, take {self.rejected.take}"),
            ("clean", self.clean, ""),
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What pairs can be filtered by."""

    degradations: Sequence[str]
    models: Sequence[str]
    splits: Sequence[str]
    scores: Sequence[str]

    @classmethod
    def of(cls, cards: Sequence[PairCard]) -> "Choices":
        """Return what these pairs differ in."""
        return cls(
            degradations=sorted({kind for card in cards for kind in card.degradations}),
            models=sorted({side.model for card in cards for side in (card.chosen, card.rejected)}),
            splits=sorted({card.split for card in cards}),
            scores=list(dict.fromkeys(name for card in cards for name in card.margins)),
        )
