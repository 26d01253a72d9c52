"""What a run is, as a user writes it: the shape of the YAML, closed to unknown keys."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from pipeline.config.chain_schema import Entry, PartEntry
from pipeline.sources.corpora import Corpus, SpeakerRule
from schemas import Record
from stages.dsp.noise import NoiseKind
from stages.dsp.rooms import RoomRanges
from stages.ingest.stage import IngestSettings
from stages.operators.metric import Aspect
from stages.prefer.pair_rules import PairRule
from stages.prefer.vetoes import Veto

ANY_LICENCE = ("*",)
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
"""Of configs: what a folder is called after."""
LeaveOut = Literal["leave_out"]


def _is_unsaid(value: object) -> bool:
    """Whether a setting is left out where configs are written: those that never said it keep their hash."""
    return not value


class PoolFiles(Record):
    """Recordings of the user's own: a folder, a glob, a manifest, a dataset on disk."""

    path: str = Field(
        min_length=1, description="folder, glob, .csv or .jsonl manifest, or a dataset saved on disk"
    )
    audio: str | None = Field(
        default=None, min_length=1, description="the audio column to take from a dataset that has several"
    )
    licence: str | None = Field(default=None, description="licence of recordings that do not state one")
    speaker: SpeakerRule | None = Field(
        default=None, description="who speaks in them, as in 'speech': where a voice must be another's"
    )


class PoolRooms(RoomRanges):
    """Rooms that are simulated once."""

    rooms: int = Field(gt=0, description="how many rooms to simulate")

    @property
    def ranges(self) -> RoomRanges:
        """Which rooms they may be, however many."""
        return RoomRanges.model_validate(self.model_dump(exclude={"rooms"}))


class PoolSynthesis(Record):
    """Noise that is made rather than recorded."""

    synthesise: tuple[NoiseKind, ...] = Field(min_length=1, description="kinds of noise to make")
    count: int = Field(default=1, gt=0, description="how many recordings of each kind")
    duration_s: float = Field(default=10.0, gt=0, le=600)
    voices: str | None = Field(
        default=None, min_length=1, description="speech that babble is made of, as in 'speech'"
    )


def _part_of(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return next((key for key in ("rooms", "synthesise") if key in keys), "path")


PoolPart = Annotated[
    Annotated[PoolFiles, Tag("path")]
    | Annotated[PoolRooms, Tag("rooms")]
    | Annotated[PoolSynthesis, Tag("synthesise")],
    Discriminator(_part_of),
]


class NamedEntry(Entry):
    """An operator of which there may be several of one kind."""

    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+$", description="default: its kind")

    @property
    def called(self) -> str:
        """Its name in the run."""
        return self.name or self.kind


class CriterionEntry(Record):
    """A vote: a score and the margin by which it must be won."""

    metric: str = Field(description="the name of a score; which way is better, its metric says")
    margin: float | None = Field(default=None, ge=0, description="default: the score's noise floor")
    scale: float | None = Field(
        default=None,
        gt=0,
        description="what counts as one step when the clearest pairs are looked for; default: the score's "
        "noise floor, or 1 if it declares none",
    )
    diagnostic: bool = Field(default=False, description="let a score vote that is not meant to")


class RestorerStandIn(NamedEntry):
    """A restoration model; parameters that are distributions are drawn for each take."""

    takes: int = Field(default=1, ge=1, le=64, description="outputs per input")
    gpus: float | None = Field(default=None, ge=0, description="GPUs per worker, instead of the model's own")


class RestorerEntry(RestorerStandIn):
    """A restoration model; parameters that are distributions are drawn for each take."""

    without_weights: RestorerStandIn | LeaveOut | None = Field(
        default=None,
        exclude_if=_is_unsaid,
        description="where its weights are not here when a run begins: the model that stands in for it, or "
        "leave_out",
    )


class MetricStandIn(NamedEntry):
    """A metric in place of another."""

    gpus: float | None = Field(default=None, ge=0, description="GPUs per worker, instead of the metric's own")
    scores: dict[str, CriterionEntry | str] = Field(
        default={},
        description="which of its scores takes the place of which score of the other; default: the only one "
        "that may vote, or the only one of the same aspect",
    )


class MetricEntry(NamedEntry):
    """A metric."""

    gpus: float | None = Field(default=None, ge=0, description="GPUs per worker, instead of the metric's own")
    without_weights: MetricStandIn | LeaveOut | None = Field(
        default=None,
        exclude_if=_is_unsaid,
        description="where its weights are not here when a run begins: the metric that stands in for it and "
        "its votes, or leave_out",
    )


class Degradations(Record):
    """How speech is damaged."""

    chain: tuple[PartEntry, ...] = Field(min_length=1)
    repeats: int = Field(default=1, ge=1, description="degraded versions per utterance")
    level: Literal["guard", "joint_peak"] = Field(
        default="guard",
        description="guard: one gain for both sides only if a peak exceeds 1; joint_peak: always to peak 1",
    )


class PreferenceSettings(Record):
    """Who votes, and which pairs are kept."""

    criteria: tuple[CriterionEntry | str, ...] = Field(min_length=1)
    pairs: PairRule = PairRule()
    vetoes: tuple[Veto, ...] = Field(
        default=(), description="bounds that a unanimous pair must keep; they do not vote"
    )
    held_out: tuple[str, ...] = Field(
        default=(),
        description="scores, or metrics with all their scores, that take no part in choosing, so that what "
        "was chosen can be judged by them",
    )
    uncovered: tuple[Aspect, ...] = Field(
        default=(), description="aspects that are left without a vote on purpose"
    )
    band_limited: bool = Field(
        default=False, description="above 16 kHz, let no vote hear the full band, on purpose"
    )


class ExportSettings(Record):
    """How the dataset is cut into files."""

    shard_megabytes: int = Field(default=500, gt=0, description="size of a file")
    row_group_megabytes: int = Field(
        default=32, gt=0, le=100, description="what a reader takes at a time; viewers refuse 300 and more"
    )
    beside_pairs: tuple[Literal["candidates", "scores"], ...] = Field(
        default=("candidates", "scores"),
        description="what is written beside the pairs: candidates, each recording with all scores, so that "
        "others can decide anew; scores, the same without audio",
    )
    audio_bits: Literal[16, 24] = Field(
        default=24, description="16 rounds the audio after it was scored; smaller, and the card says so"
    )


class RoundSettings(Record):
    """Which of several rounds a run is, where models are trained on one round's pairs for the next."""

    of: str | None = Field(
        default=None,
        min_length=1,
        description="the workspace of the round before, whose dataset is finished: a folder, or the URL of "
        "an object store; the first round names none",
    )
    policies: tuple[str, ...] = Field(
        default=(),
        description="restorers that are trained between rounds, whatever they are called in each; default: "
        "those whose weights have changed under one name",
    )


class Config(Record):
    """One run."""

    name: str = Field(pattern=NAME_PATTERN, description="its workspace is runs/NAME unless one is said")
    description: str = Field(default="", description="said in the dataset's card and at the start of a run")
    substitutes: dict[str, str] = Field(
        default={}, description="parts of a published recipe, and what stands in for each here"
    )
    stand_ins: dict[str, str] = Field(
        default={},
        exclude_if=_is_unsaid,
        description="noted by a run that begins without some weights: by operator, what stands in for it",
    )
    citations: dict[str, str] = Field(
        default={},
        description="how to cite what went into the dataset, by name of corpus, pool, model or metric; said "
        "in the dataset's card",
    )
    seed: int = Field(default=0, ge=0)
    shard_seconds: float = Field(default=300.0, gt=0, description="audio per shard")
    failure_budget: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="share of a table that may fail: of its rows, and of the takes of restorations and "
        "scores; a take fails with any of a metric's scores on it",
    )
    deadline_s: float = Field(
        default=600.0,
        gt=0,
        description="a worker that finishes nothing for this long, and for 50 times what a record took so "
        "far, is taken for hanging and replaced",
    )
    allow_licences: tuple[str, ...] = Field(
        default=ANY_LICENCE,
        min_length=1,
        description="SPDX identifiers or patterns such as CC-BY-*; what is under another licence is refused: "
        "operators, weights and corpora before the run, single recordings at ingest; 'unknown' stands for "
        "what states none",
    )
    operators: tuple[str, ...] = Field(default=(), description="Python files with operators of your own")
    speech: tuple[Corpus, ...] = Field(min_length=1)
    ingest: IngestSettings = IngestSettings()
    pools: dict[str, tuple[PoolPart, ...]] = {}
    degradations: Degradations
    restorers: tuple[RestorerEntry, ...] = Field(min_length=1)
    metrics: tuple[MetricEntry, ...] = Field(min_length=1)
    score_clean: bool = Field(
        default=False,
        description="score the clean reference too, as the one take of a model called 'clean'; it is "
        "compared like any other, but chosen only if 'preference.pairs.clean_may_win'",
    )
    preference: PreferenceSettings
    round: RoundSettings | None = Field(
        default=None,
        exclude_if=_is_unsaid,
        description="where the run is one of several rounds: the round before, and who is trained in between",
    )
    export: ExportSettings = ExportSettings()
