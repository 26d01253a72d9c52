"""What an audit against listeners says, as data."""

from pipeline.audit.records import Interval
from schemas import Record

KEPT_PAIRS = "pairs"
"""Name of the judge that says what the kept pairs say."""


class UnmatchedRating(Record):
    """A rating that could not be used."""

    where: str
    """File and line."""
    name: str
    """How it names what was rated."""
    why: str


class BucketAgreement(Record):
    """Agreement where a judge's difference lies between two bounds."""

    at_least: float
    """In units of the criterion's scale: the score's noise floor, unless the config says otherwise."""
    below: float | None
    """None for no bound."""
    comparisons: int
    """Those on which listeners prefer a side."""
    agreement: Interval | None


class JudgeAgreement(Record):
    """How far one judge prefers what listeners prefer, of two restorations of one degraded utterance."""

    judge: str
    """A score's name; ``unanimous`` for all criteria together, ``pairs`` for the pairs that were kept."""
    part: str
    """What part it has in choosing."""
    comparisons: int
    """Those that it has values for."""
    decisive: int
    """Those of them in which it favours one side beyond its margin."""
    agreement: Interval | None
    """Share of the same side, of all comparisons on which listeners prefer one; two equal scores count half.
    None for unanimity and kept pairs, which take no side in many."""
    beyond_margin: Interval | None
    """The same, of those that are decisive."""
    with_ties: Interval | None
    """Share of the same answer of three: this side, that side, a tie. Listeners tie where opinion scores are
    no more than 0.5 apart, or where no more than half of them prefer one side; a judge ties within its
    margin, unanimity where there is none."""
    buckets: tuple[BucketAgreement, ...]
    recordings: int
    """Those with an opinion score and a value."""
    correlation: Interval | None
    """Spearman's rank correlation with the opinion scores of recordings, in the direction in which the score
    is better. Resamples keep the ranks of the whole."""


class HumanAudit(Record):
    """How far scores and pairs agree with people."""

    sources: tuple[str, ...]
    """Where ratings come from."""
    ratings: int
    """Those that could be used."""
    unmatched: tuple[UnmatchedRating, ...]
    outdated_votes: int
    """Votes of the listening test on audio that is not there any more."""
    listeners: int
    """Those with a name."""
    utterances: int
    recordings: int
    """Those with opinion scores."""
    comparisons: int
    from_opinions: int
    """Comparisons of two recordings with opinion scores; the others are preferences."""
    undecided: int
    """Comparisons in which listeners prefer neither side: no more than even."""
    ties: int
    """Comparisons that count as a tie where there are ties."""
    between_listeners: Interval | None
    """How often two listeners who prefer a side prefer the same. Judges are held to the mean of all, and may
    do better than one listener. None where no comparison has two."""
    judges: tuple[JudgeAgreement, ...]
    resamples: int
