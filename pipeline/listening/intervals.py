"""A share of votes, and how sure it is: votes on one utterance count for less than votes on several."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Self

from schemas import Record

Z = 1.959963984540054
"""95 % of a normal distribution lies within this many standard deviations."""


class Share(Record):
    """How many of so many votes, with the 95 % interval of what more votes would show."""

    votes: int
    agreed: int
    undecided: int = 0
    """Listeners who could not tell; not among ``votes``."""
    share: float | None = None
    """None without a vote."""
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, answers: Iterable[tuple[str, bool | None]]) -> Self:
        """Return the share of true answers; each comes with what it is about, None is undecided.

        The interval is Wilson's for the effective number of votes (Kish 1965; Franco, Little, Louis and Slud
        2019): answers about one thing are alike, and several of them are not several independent ones.
        """
        given = list(answers)
        decided = [(about, agrees) for about, agrees in given if agrees is not None]
        votes, agreed = len(decided), sum(agrees for _, agrees in decided)
        undecided = len(given) - votes
        if not votes:
            return cls(votes=0, agreed=0, undecided=undecided)
        low, high = wilson_interval(agreed / votes, _effective(decided))
        return cls(votes=votes, agreed=agreed, undecided=undecided, share=agreed / votes, low=low, high=high)


def wilson_interval(share: float, votes: float) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share of ``votes`` (E. B. Wilson 1927)."""
    centre = (share + Z**2 / (2 * votes)) / (1 + Z**2 / votes)
    half = Z * math.sqrt(share * (1 - share) / votes + (Z / (2 * votes)) ** 2) / (1 + Z**2 / votes)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _effective(decided: list[tuple[str, bool]]) -> float:
    """Return how many independent votes tell as much as these do: their number over the design effect.

    Where all agree nothing shows how alike they are: then each thing counts once.
    """
    by_thing: defaultdict[str, list[bool]] = defaultdict(list)
    for about, agrees in decided:
        by_thing[about].append(agrees)
    votes, things = len(decided), len(by_thing)
    share = sum(agrees for _, agrees in decided) / votes
    if things in {1, votes} or share in {0.0, 1.0}:
        return float(things)
    between = sum((sum(answers) - share * len(answers)) ** 2 for answers in by_thing.values())
    variance = things / (things - 1) * between / votes**2
    design_effect = variance / (share * (1 - share) / votes)
    return votes / max(design_effect, 1.0)
