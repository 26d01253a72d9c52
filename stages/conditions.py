"""Conditions: which utterances a part of a chain is for."""

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


class When(Record):
    """Which utterances a part of a chain is for; what is not said does not matter."""

    min_bandwidth_hz: float | None = Field(default=None, ge=0)
    """Of the recording before it was resampled, as it was measured."""
    max_bandwidth_hz: float | None = Field(default=None, ge=0)
    min_sample_rate: int | None = Field(default=None, ge=0)
    """Of the utterance as it is damaged."""
    min_duration_s: float | None = Field(default=None, ge=0)

    def holds(self, utterance: Utterance) -> bool:
        """Whether the utterance is as is asked for."""
        at_least = (
            (self.min_bandwidth_hz, utterance.bandwidth_hz),
            (self.min_sample_rate, utterance.sample_rate),
            (self.min_duration_s, utterance.duration_s),
        )
        if any(bound is not None and value < bound for bound, value in at_least):
            return False
        return self.max_bandwidth_hz is None or utterance.bandwidth_hz <= self.max_bandwidth_hz
