"""Conditions: which utterances a part of a chain is for, and beside what."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from schemas import Record


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the drawing of a recipe may know of the utterance that it is for."""

    id: str
    source_id: str = ""
    speaker: str | None = None
    digest: str = ""
    sample_rate: int = 48_000
    duration_s: float = 10.0
    bandwidth_hz: float = 24_000.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What a condition may look at: the utterance, and the kinds of what was drawn for it so far."""

    utterance: Utterance
    drawn: Sequence[str] = ()


class When(Record):
    """Which utterances a part of a chain is for, and after what; what is not said does not matter."""

    min_bandwidth_hz: float | None = Field(default=None, ge=0)
    """Of the recording before it was resampled, as it was measured."""
    max_bandwidth_hz: float | None = Field(default=None, ge=0)
    min_sample_rate: int | None = Field(default=None, ge=0)
    """Of the utterance as it is damaged."""
    min_duration_s: float | None = Field(default=None, ge=0)
    after: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Degradations of which at least one was drawn before, by kind."""
    not_after: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Degradations of which none was drawn before."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """All degradations that it names."""
        return (*(self.after or ()), *(self.not_after or ()))

    def holds(self, situation: Situation) -> bool:
        """Whether the utterance, and what was drawn for it so far, are as is asked for."""
        drawn = set(situation.drawn)
        if self.after is not None and drawn.isdisjoint(self.after):
            return False
        return drawn.isdisjoint(self.not_after or ()) and self._fits(situation.utterance)

    def _fits(self, utterance: Utterance) -> bool:
        at_least = (
            (self.min_bandwidth_hz, utterance.bandwidth_hz),
            (self.min_sample_rate, utterance.sample_rate),
            (self.min_duration_s, utterance.duration_s),
        )
        if any(bound is not None and value < bound for bound, value in at_least):
            return False
        return self.max_bandwidth_hz is None or utterance.bandwidth_hz <= self.max_bandwidth_hz
