"""What a survey says, as records: of each recording, and of all of them together."""

from enum import StrEnum
from typing import Self

from pydantic import Field

from pipeline.sources.corpora import Corpus
from schemas import Outcome, Reason, Record, Source, Status
from stages.ingest.stage import IngestSettings


class Oddity(StrEnum):
    """What stands out about a recording; most are no reason to refuse it."""

    REFUSED = "refused"
    NARROW_BAND = "narrow_band"
    NOISY = "noisy"
    CLIPPED = "clipped"
    OFFSET = "offset"
    FAINT = "faint"
    MOSTLY_SILENT = "mostly_silent"
    COPY = "copy"
    LONG = "long"
    NO_TRANSCRIPT = "no_transcript"


class Measurements(Record):
    """What the samples of a recording say. Levels are in dBFS: a full-scale sine has an RMS of −3.01."""

    sample_rate: int
    channels: int
    bits: int | None
    """Per sample; None for lossy codecs."""
    is_float: bool
    duration_s: float
    peak: float
    """Largest absolute sample; 1 is full scale."""
    offset: float
    """Mean of the samples: the constant that is added to all of them."""
    clipped_fraction: float
    """Share of samples in runs of three or more at the highest, or at the lowest, value."""
    audio: str
    """SHA-256 of the decoded samples and their rate: equal for copies in whatever container."""
    active_level_db: float | None = None
    """Active speech level (ITU-T P.56 method B). None, like all that follow, for silence."""
    activity: float | None = None
    """Share of the time that is active, by the same standard."""
    floor_db: float | None = None
    """RMS of the quietest tenth of the 20 ms frames, at least −100 dBFS."""
    snr_db: float | None = None
    """Active level over floor: an estimate, and too low for who never pauses."""
    bandwidth_hz: float | None = None
    """Highest frequency that carries signal."""

    @property
    def band_share(self) -> float | None:
        """Bandwidth over half the sample rate."""
        return None if self.bandwidth_hz is None else 2.0 * self.bandwidth_hz / self.sample_rate


class SurveyedRecording(Outcome):
    """One recording: how it would end in a run, and what was found."""

    source: Source
    utterances: int = 0
    """How many it would become; 0 if it would be refused."""
    measured: Measurements | None = None
    """None for what cannot be decoded."""
    oddities: tuple[Oddity, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds; 0 for what cannot be decoded."""
        return 0.0 if self.measured is None else self.measured.duration_s


class Copies(Record):
    """Recordings of the same samples."""

    ids: tuple[str, ...] = Field(min_length=2)
    same_bytes: bool
    """Whether the files are the same too, and not only what is in them."""


class Neighbours(Record):
    """What lies in the corpus beside the recordings that a run would list; names are relative to it."""

    texts: int = 0
    """Text files (.txt, .lab) that have a recording's name. A run does not read them: a manifest does."""
    texts_without_audio: tuple[str, ...] = ()
    """Text files beside those that have no recording of their name."""
    audio_without_text: tuple[str, ...] = ()
    """Recordings without a text file, in folders where others have one."""
    unlisted_audio: tuple[str, ...] = ()
    """Audio in the folders of a manifest's recordings that the manifest does not name."""
    unread: dict[str, int] = {}
    """Other files by suffix: what a run passes over."""


class RecordingGroup(Record):
    """So many recordings, and so many seconds of them that could be decoded."""

    name: str
    recordings: int
    duration_s: float

    @classmethod
    def of(cls, name: str, recordings: list[SurveyedRecording]) -> Self:
        """Return the group of those recordings."""
        return cls(
            name=name, recordings=len(recordings), duration_s=sum(one.duration_s for one in recordings)
        )


class RateGroup(RecordingGroup):
    """Recordings of one sample rate, and how far up they reach."""

    sample_rate: int
    narrow: int
    """How many carry nothing in the top fifth of their band."""
    narrow_s: float
    median_bandwidth_hz: float | None
    as_if: dict[int, int] = {}
    """How many of the narrow ones would lose nothing at which lower rate."""


class OutcomeGroup(RecordingGroup):
    """Recordings that would end alike, with a few of them."""

    status: Status
    reason: Reason | None
    utterances: int
    examples: tuple[str, ...] = ()


class OddityGroup(RecordingGroup):
    """Recordings of one oddity, worst first."""

    oddity: Oddity
    worst: tuple[str, ...] = ()


class SurveySummary(Record):
    """All recordings together."""

    recordings: int
    duration_s: float
    utterances: int
    """How many a run would make."""
    usable_s: float
    """Seconds of what a run would take."""
    outcomes: tuple[OutcomeGroup, ...]
    oddities: tuple[OddityGroup, ...]
    rates: tuple[RateGroup, ...]
    channels: tuple[RecordingGroup, ...]
    formats: tuple[RecordingGroup, ...]
    speakers: tuple[RecordingGroup, ...]
    """Most speech first; empty if nothing says who speaks."""
    with_transcript: int
    transcripts_without_audio: tuple[str, ...]
    """Ids of manifest lines or rows that say what is spoken, and whose audio cannot be decoded."""
    quantiles: dict[str, tuple[float, ...]]
    """5, 25, 50, 75 and 95 % of each measure, over recordings that have it."""


class Survey(Record):
    """What a corpus holds. The same files give the same survey, on however many cores."""

    corpus: Corpus
    ingest: IngestSettings
    summary: SurveySummary
    copies: tuple[Copies, ...]
    neighbours: Neighbours
    recordings: tuple[SurveyedRecording, ...]
    """In the order in which a run would list them."""
