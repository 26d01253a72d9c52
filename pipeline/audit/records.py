"""What an audit says, as data: for the command line, the dataset's card and the report."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import combinations

from schemas import Record
from stages.operators.metric import Better

QUANTILES = tuple(place / 20 for place in range(21))
"""Points at which distributions are given."""
UNANIMOUS = "unanimous"
RANDOM = "random"
"""Names of selections; every other selection bears the name of the one metric that makes it."""


class ScoreRole(StrEnum):
    """What part a score has in choosing."""

    VOTES = "votes"
    VETOES = "vetoes"
    HELD_OUT = "held_out"
    """None, on purpose: so that pairs can be judged by it."""
    RECORDED = "recorded"
    """None, but nobody held it out."""


class AuditedScore(Record):
    """A score of the run."""

    name: str
    better: Better
    part: ScoreRole
    noise_floor: float
    """How far it moves when nothing audible changes; 0 if its metric declares none."""


class Interval(Record):
    """A value with its 95 % interval, by bootstrap over utterances."""

    value: float
    low: float | None = None
    high: float | None = None
    """None where fewer than five utterances gave pairs: so few say nothing of how much utterances differ."""


class Judgement(Record):
    """The pairs of one selection, judged by one score.

    All choose from the same ordered pairs of a degraded utterance: those of two restorations that the pair
    rule compares, with every vote on both sides, a chosen side that may be chosen, and no veto against them.
    All take as many of them as the dataset holds of this utterance. A criterion alone takes what the pair
    rule keeps of the pairs that it favours by more than its margin. Where that leaves more than are needed,
    and for ``random``, which takes any, all ways to draw count alike: these are expected values.
    Pairs with the clean reference are not judged: it would lend every selection what is known beforehand.
    A baseline takes any, the side with more of what it goes by chosen, or either where both have as much;
    where vetoes leave it fewer than the dataset holds, it takes those.
    """

    selection: str
    """``unanimous``: the dataset's pairs; a criterion's or baseline's name: that alone; ``random``."""
    score: str
    pairs: float
    """Pairs that have the score on both sides; for selections that draw, the number expected of all draws."""
    utterances: int
    """Utterances that these pairs are of."""
    win_rate: Interval | None
    """Share of pairs whose chosen side is better by the score, a tie counted half; None without pairs."""
    advantage: Interval | None
    """Mean of how much better the chosen side is, in units of the score; positive is better."""
    lead: Interval | None
    """Win rate of the dataset's pairs minus this one, on the same resamples; None for the dataset's own."""


class BaselineCheck(Record):
    """What a baseline says of the dataset's pairs. Its own pairs are judged as one more selection."""

    name: str
    told_apart: float | None
    """Share of the comparisons in which the two sides differ; None without any. 0: it says nothing."""
    chosen_is_more: Interval | None
    """Share of the dataset's pairs whose chosen side has more of what it goes by, equal ones half: what stays
    off one half may be taken for quality by whoever learns from the pairs. None without pairs."""


class Group(StrEnum):
    """By what degraded utterances or comparisons are told apart."""

    ALL = "all"
    DEGRADATION = "degradation"
    MODELS = "models"
    SNR = "snr"


class ScoreCorrelation(Record):
    """How scores agree on candidates of one input, without the clean reference; matrices by ``Audit.scores``.

    By models, the name is one model's for comparisons between its takes, and ``a × b`` for those of two.
    """

    by: Group
    name: str
    inputs: int
    """Degraded utterances with at least one comparison."""
    comparisons: int
    tau: tuple[tuple[float | None, ...], ...]
    """Kendall's τ-b, in the direction in which each score is better, averaged over degraded utterances: 1 if
    two scores rank alike, 0 if they have nothing to do with each other, −1 if they contradict each other.
    None if no input has two candidates that both scores tell apart."""
    disagreeing: tuple[tuple[float | None, ...], ...]
    """Share of the comparisons with both scores on both sides in which the two favour different sides."""


class LeftOut(Record):
    """What the pairs would be if one criterion did not vote."""

    criterion: str
    pairs: int
    """Pairs there would then be, under the same vetoes and pair rule."""
    added: int
    """Pairs of them that are none now."""
    dropped: int
    """Pairs now that would be none then: caps keep others in their place."""
    contradicted: int
    """Comparisons on which all others agree and this one favours the other side beyond its margin: what its
    vote prevents. Before vetoes and pair rule, like the next two."""
    within_margin: int
    """Comparisons on which all others agree and this one sees a difference no larger than its margin."""
    unmeasured: int
    """Comparisons on which all others agree and this one has no value for a side."""
    agreed: int
    """Comparisons on which all others agree, and this one too."""

    @property
    def others_agree(self) -> int:
        """Comparisons on which all others agree, whatever this one says."""
        return self.agreed + self.contradicted + self.within_margin + self.unmeasured


class BeatsClean(Record):
    """Candidates that one score prefers to the clean reference, which cannot be restored any better."""

    score: str
    candidates: int
    """Candidates with a score whose clean reference has one too."""
    beating: int
    """Those better by more than the score's margin, or its noise floor where it does not vote."""
    chosen: int
    """Those of them that are the chosen side of a pair."""
    by_model: dict[str, int]
    """``beating`` by model."""


class Flagged(Record):
    """One candidate that beats its clean reference."""

    id: str
    """The degraded utterance."""
    model: str
    take: int
    score: str
    value: float
    clean: float
    is_chosen: bool


class YieldOf(Record):
    """What became of the comparisons of one group."""

    by: Group
    name: str
    """A kind of degradation, one or two models (``a × b``), or a range of SNR in dB; ``all`` for all."""
    inputs: int
    comparisons: int
    unanimous: int
    pairs: int
    """Kept in the dataset."""

    @property
    def share(self) -> float | None:
        """Pairs per comparison; None without any."""
        return self.pairs / self.comparisons if self.comparisons else None


class ModelRecord(Record):
    """How one model fared."""

    model: str
    candidates: int
    chosen: int
    """Pairs whose chosen side is a take of it."""
    rejected: int


class ScoreDistribution(Record):
    """One score of the dataset's pairs: values at ``QUANTILES``, or none if no pair has it.

    Of more than 100,000 pairs every second is looked at, or every fourth …, in the order of the dataset.
    """

    score: str
    chosen: tuple[float, ...]
    rejected: tuple[float, ...]
    advantage: tuple[float, ...]
    """By how much the chosen side is better, over pairs with the score on both sides."""


class Audit(Record):
    """All that is asked of the pairs of a run, each time it ends."""

    key: str
    """Fingerprint of all that it depends on."""
    config_name: str
    config_hash: str
    shards: int
    """Shards that had all their scores, and are audited."""
    shards_left_out: int
    """Shards that had not; 0 once a run has ended."""
    utterances: int
    inputs: int
    """Degraded utterances."""
    candidates: int
    pairs: int
    resamples: int
    scores: tuple[AuditedScore, ...]
    judgements: tuple[Judgement, ...]
    """Every selection by every score, in the order of ``scores``."""
    baselines: tuple[BaselineCheck, ...]
    """Those that there is something to go by for."""
    agreement: tuple[ScoreCorrelation, ...]
    left_out: tuple[LeftOut, ...]
    """Empty if there is only one criterion."""
    beats_clean: tuple[BeatsClean, ...] | None
    """None where the clean reference was not scored (``score_clean``)."""
    flagged: tuple[Flagged, ...]
    """Of each score the five candidates that are furthest ahead of their clean reference."""
    yields: tuple[YieldOf, ...]
    models: tuple[ModelRecord, ...]
    distributions: tuple[ScoreDistribution, ...]

    @property
    def selections(self) -> tuple[str, ...]:
        """Names of all selections, the dataset's own first."""
        return tuple(dict.fromkeys(found.selection for found in self.judgements))

    def judgement(self, selection: str, score: str) -> Judgement:
        """Return one selection judged by one score."""
        found = (j for j in self.judgements if (j.selection, j.score) == (selection, score))
        return next(found)

    @property
    def win_rates(self) -> dict[str, float]:
        """In what share of the dataset's pairs the chosen side is better, by scores that did not choose."""
        judges = (*self.scores_that(ScoreRole.HELD_OUT), *self.scores_that(ScoreRole.RECORDED))
        names = {score.name for score in judges}
        own = [found for found in self.judgements if found.selection == UNANIMOUS and found.score in names]
        return {found.score: found.win_rate.value for found in own if found.win_rate is not None}

    def scores_that(self, part: ScoreRole) -> tuple[AuditedScore, ...]:
        """Return the scores that have this part."""
        return tuple(score for score in self.scores if score.part is part)

    def of_criteria(self, found: ScoreCorrelation) -> tuple[float | None, float | None]:
        """Return τ and share of disagreement, averaged over every two criteria that have them."""
        votes = [place for place, score in enumerate(self.scores) if score.part is ScoreRole.VOTES]
        pairs = list(combinations(votes, 2))
        return _mean(found.tau[a][b] for a, b in pairs), _mean(found.disagreeing[a][b] for a, b in pairs)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
