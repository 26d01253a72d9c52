"""Krippendorff's α: how far several observers agree on things of which not all have seen all."""

from collections import Counter
from collections.abc import Iterable, Sequence


def krippendorff_alpha(units: Iterable[Sequence[int]], *, is_ordinal: bool) -> float | None:
    """Return α over what observers said of each unit, as levels whose order matters if ``is_ordinal``.

    1 is perfect agreement, 0 what chance would give, less than 0 contradiction. Units with fewer than two
    answers say nothing of agreement. None where nobody could have disagreed: all answers are of one level, or
    there are none. (K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011.)
    """
    said = [Counter(unit) for unit in units if len(unit) > 1]
    totals = sum(said, Counter[int]())
    number = totals.total()
    distance = _distances(totals, is_ordinal=is_ordinal)
    observed = sum(
        of_one * of_other * distance[one, other] / (unit.total() - 1)
        for unit in said
        for one, of_one in unit.items()
        for other, of_other in unit.items()
    )
    expected = sum(totals[one] * totals[other] * apart for (one, other), apart in distance.items())
    return None if expected == 0 else 1 - (number - 1) * observed / expected


def _distances(totals: Counter[int], *, is_ordinal: bool) -> dict[tuple[int, int], float]:
    """Return how far any two levels are apart: by the answers between them if they have an order."""
    levels = sorted(totals)
    if not is_ordinal:
        return {(one, other): float(one != other) for one in levels for other in levels}
    return {
        (one, other): (
            sum(totals[level] for level in levels if min(one, other) <= level <= max(one, other))
            - (totals[one] + totals[other]) / 2
        )
        ** 2
        for one in levels
        for other in levels
    }
