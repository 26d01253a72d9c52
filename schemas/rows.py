"""What flows: the degraded utterance, from its recipe to its preferences."""

from schemas.audio import AudioRef, EncodedAudio
from schemas.outcome import Outcome, Row, Status
from schemas.record import OperatorSpec, Params, Record
from schemas.source import Split

_OK = Outcome()
_GRAVEST_LAST = (Status.OK, Status.SKIPPED, Status.UNFIT, Status.FAILED)
CLEAN = "clean"
"""The model whose one take is the clean reference, where that is a candidate."""


class Recipe(Row):
    """Everything that was drawn for one degraded utterance, before a sample is touched."""

    utterance_id: str
    source_id: str
    corpus: str
    repeat: int
    split: Split
    speaker: str | None = None
    transcript: str | None = None
    language: str | None = None
    licence: str | None = None
    sample_rate: int
    num_samples: int
    bandwidth_hz: float
    steps: tuple[OperatorSpec, ...]
    sources: tuple[AudioRef, ...]
    """The pool recordings that the steps refer to, in order."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate


Fact = float | tuple[float, ...]
"""What was measured of a step: a number, or several of a kind in their order."""


class AppliedStep(Record):
    """What one step of a recipe was found to have done."""

    kind: str
    facts: dict[str, Fact] = {}

    @property
    def is_applied(self) -> bool:
        """Whether the step changed the speech: a low-pass above the highest frequency does not."""
        return self.number("applied") != 0.0

    def number(self, name: str) -> float | None:
        """Return a fact that is one number; None if it was not measured."""
        fact = self.facts.get(name)
        return None if isinstance(fact, tuple) else fact


class Degraded(Row):
    """The degraded audio, and the clean reference that restorations are judged by."""

    degraded: EncodedAudio | None = None
    clean: EncodedAudio | None = None
    joint_gain_db: float = 0.0
    """One gain for both sides: the recipe's joint peak, or the guard that keeps peaks under 1."""
    residual_lag_samples: int = 0
    """By how much the degraded audio is later than the reference (GCC-PHAT); 0 if no lag stands out."""
    applied: tuple[AppliedStep, ...] = ()
    """What each drawn step did, also of those that had nothing to do."""


class Take(Outcome):
    """One of several outputs of one restoration model for one input."""

    take: int
    settings: Params = {}
    audio: EncodedAudio | None = None
    lag_samples: int = 0
    """The delay that was measured (GCC-PHAT) and removed, at the input's rate."""
    length_change_s: float = 0.0
    """By how much longer (above 0) or shorter the model's output was than what it was given, before it was
    fitted; of a recording that was restored in chunks, the largest."""
    level_gain_db: float = 0.0
    """What was applied to bring the take to the input's active level."""
    confidence: float | None = None
    """How sure the model is of it, if it says so; more is surer, on a scale of the model's own."""


class Restored(Row):
    """All takes of one model for one degraded utterance."""

    model: str
    takes: tuple[Take, ...] = ()

    @property
    def counted(self) -> tuple[Outcome, ...]:
        """Its takes; the row itself where there was nothing to take."""
        return self.takes or (self,)


class Given(Row):
    """A recording that somebody else restored, as it was found, and its clean reference."""

    model: str
    """Where it is from: what tells candidates of one item apart."""
    item: str
    """What its candidates have in common: the name of the recording that was restored."""
    transcript: str | None = None
    language: str | None = None
    audio: EncodedAudio | None = None
    clean: EncodedAudio | None = None
    clean_trouble: str = ""
    """Why a clean reference that was named cannot serve."""


class Score(Outcome):
    """One number of one metric, or why there is none."""

    name: str
    value: float | None = None


class TakeScores(Record):
    """The scores of one take."""

    take: int
    gain_db: float = 0.0
    """What brought the take to the one level at which metrics that depend on level hear it."""
    clean_gain_db: float = 0.0
    """What brought its clean reference there."""
    lag_samples: int = 0
    """By how much it is later than its clean reference (GCC-PHAT), at the recording's rate.

    0 if no lag stands out, or if the metric needs no reference.
    """
    scores: tuple[Score, ...] = ()

    @property
    def gravest(self) -> Outcome:
        """How it ended: as the score that ended worst, so that ``ok`` has every one."""
        return max(self.scores, key=lambda score: _GRAVEST_LAST.index(score.status), default=_OK)


class Scored(Row):
    """One metric's scores for all takes of one model."""

    model: str
    takes: tuple[TakeScores, ...] = ()

    @property
    def counted(self) -> tuple[Outcome, ...]:
        """Its takes, each by its worst score; the row itself where there was nothing to score."""
        return tuple(take.gravest for take in self.takes) or (self,)


class Margin(Record):
    """By how much the chosen side beat the rejected one; positive is better whatever the direction."""

    metric: str
    chosen: float
    rejected: float
    advantage: float


class Pair(Record):
    """A preference on which every criterion agreed."""

    chosen_model: str
    chosen_take: int
    rejected_model: str
    rejected_take: int
    strength: float
    """The narrowest vote, each in units of its criterion's ``scale``: how clear the pair is."""
    margins: tuple[Margin, ...]


class Removal(Record):
    """How many unanimous pairs one rule or veto took away."""

    by: str
    """The veto's name, or ``clean chosen`` for pairs that a model was not to win."""
    pairs: int


class ComparisonCounts(Row):
    """What became of the comparisons of one degraded utterance's candidates."""

    num_candidates: int = 0
    """Recordings that were compared, each once."""
    num_same_audio: int = 0
    """Candidates beside them that are the same recording as one before."""
    num_complete: int = 0
    """Candidates with a score from every criterion."""
    num_comparisons: int = 0
    num_unanimous: int = 0
    num_within_margin: int = 0
    """All criteria lean one way, but at least one by no more than its margin."""
    num_disagreed: int = 0
    num_missing_vote: int = 0
    removed: tuple[Removal, ...] = ()
    """Unanimous pairs that vetoes took away, each counted under the first that did."""


class Preference(ComparisonCounts):
    """The unanimous pairs of one degraded utterance, and what became of the other comparisons."""

    pairs: tuple[Pair, ...] = ()
    """The pairs that were kept, after vetoes and caps, the clearest first."""
