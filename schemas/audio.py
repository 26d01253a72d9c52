"""Audio as it is stored, and references to stored audio."""

from typing import Annotated

from pydantic import Field

from schemas.record import Record

SampleRate = Annotated[int, Field(ge=1_000, le=384_000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EncodedAudio(Record):
    """Mono 24-bit FLAC, peak at most 1, at least one sample."""

    flac: bytes = Field(default=b"", repr=False)
    """Empty where only the description was read."""
    sample_rate: SampleRate
    num_samples: int = Field(gt=0)
    gain_db: float = 0.0
    """What was applied before encoding to keep the peak at or under 1; 0 if nothing was."""
    digest: Digest
    """SHA-256 of the rate and the 24-bit samples, so that codecs' framing does not matter."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate


class AudioRef(Record):
    """One recording of a pool, addressed by the digest of its samples."""

    pool: str
    id: str
    digest: Digest
    sample_rate: SampleRate
    num_samples: int = Field(gt=0)
    speaker: str | None = None
    """Who speaks in it, if somebody does and it is known."""
