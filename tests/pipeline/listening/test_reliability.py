"""Krippendorff's alpha: what was published, and what it has to be at its ends."""

from itertools import zip_longest

import pytest

from pipeline.listening.reliability import krippendorff_alpha

OF_2011 = ("12332141 2...", "12332241 25.3", ".333234 2251.", "12332441 251.")
"""Four observers and twelve units, of which some have not seen all (Krippendorff 2011, section C)."""
OF_WIKIPEDIA = ("*****34121133*3", "1*21334 3*******", "**2134 4*2113 3*4")


def _units(observers: tuple[str, ...]) -> list[list[int]]:
    rows = [said.replace(" ", "") for said in observers]
    return [[int(level) for level in unit if level.isdecimal()] for unit in zip_longest(*rows, fillvalue=".")]


@pytest.mark.parametrize(
    ("observers", "nominal", "ordinal"), [(OF_2011, 0.743, 0.815), (OF_WIKIPEDIA, 0.691, 0.807)]
)
def test_alpha_is_what_was_published(observers: tuple[str, ...], nominal: float, ordinal: float) -> None:
    """With missing answers, by levels that differ or not, and by levels that have an order."""
    units = _units(observers)

    assert krippendorff_alpha(units, is_ordinal=False) == pytest.approx(nominal, abs=0.0006)
    assert krippendorff_alpha(units, is_ordinal=True) == pytest.approx(ordinal, abs=0.0006)


def test_alpha_at_its_ends() -> None:
    """Perfect agreement is 1, contradiction is less than 0, and there has to be something to disagree on."""
    assert krippendorff_alpha([[0, 0], [2, 2], [1, 1, 1], [0]], is_ordinal=True) == 1.0
    assert (krippendorff_alpha([[0, 2]] * 8, is_ordinal=False) or 0.0) < 0.0
    assert krippendorff_alpha([[0], [2]], is_ordinal=False) is None
    assert krippendorff_alpha([[1, 1], [1, 1]], is_ordinal=True) is None
