"""Where speech, noise and responses come from, what ingest made of them, and the sides of a dataset."""

from enum import StrEnum

from pydantic import Field

from schemas.audio import EncodedAudio
from schemas.outcome import Row
from schemas.record import Record


class Split(StrEnum):
    """Train, validation or test."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Source(Record):
    """One recording, or a stretch of one, as a folder or a manifest names it."""

    id: str = Field(min_length=1)
    """Unique in the workspace: ``<corpus>/<path without extension>`` unless the manifest says otherwise."""
    corpus: str
    path: str
    """Where the file lies; never written to a table."""
    name: str
    """The path relative to its corpus: the same on every machine."""
    content: str
    """SHA-256 of the file's bytes; empty if it cannot be read."""
    row: int | None = None
    """The row, if ``path`` is a dataset on disk rather than an audio file."""
    audio: str | None = None
    """The column of that dataset to take, where the config names one; ``content`` is of what is in it."""
    offset_s: float = Field(default=0.0, ge=0.0)
    duration_s: float | None = Field(default=None, gt=0.0)
    speaker: str | None = None
    transcript: str | None = None
    language: str | None = None
    licence: str | None = None
    licence_allowed: bool = True
    """Whether the config's ``allow_licences`` let it through."""
    duplicate_of: str | None = None
    """The id that this source would have had, if an earlier one had not taken it."""


class Probe(Record):
    """What was measured on a recording before it was resampled."""

    sample_rate: int
    duration_s: float
    channels: int
    peak: float
    """Largest absolute value, the offset counted."""
    dc_offset: float
    """Mean of the samples: a fault of the recorder, which takes no part in any level and stays as it is."""
    clipped_fraction: float
    active_level_db: float
    """Active speech level in dBFS (ITU-T P.56 method B), of what can be heard."""
    bandwidth_hz: float
    """Highest frequency that carries signal."""


class Segment(Record):
    """One utterance: a source, or the stretch of it between two pauses."""

    id: str
    offset_s: float
    audio: EncodedAudio
    probe: Probe


class Ingested(Row):
    """A source after decoding: its utterances, or why there are none."""

    corpus: str
    name: str
    content: str
    speaker: str | None = None
    transcript: str | None = None
    language: str | None = None
    licence: str | None = None
    split: Split = Split.TRAIN
    segments: tuple[Segment, ...] = ()


class PoolRecording(Row):
    """One recording of a pool: noise, a measured response, a simulated room."""

    pool: str
    split: Split = Split.TRAIN
    speaker: str | None = None
    licence: str | None = None
    audio: EncodedAudio | None = None
    facts: dict[str, float] = {}
    """What is known of it, such as ``rt60_s`` and ``direct_path_sample`` of a room."""
