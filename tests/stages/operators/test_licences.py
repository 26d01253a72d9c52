"""Licences: which asks more, what several come to, and which are let through."""

import pytest

from stages.operators.licences import Restriction, is_allowed, most_restrictive_of, restriction_of

LADDER = (
    "CC0-1.0",
    "MIT",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "research only",
)


def test_the_ladder_has_every_step() -> None:
    """Public domain, permissive, share-alike, non-commercial, that and share-alike, unknown."""
    assert [restriction_of(licence) for licence in LADDER] == list(Restriction)


@pytest.mark.parametrize(
    ("licence", "rank"),
    [
        ("Unlicense", Restriction.PUBLIC_DOMAIN),
        ("BSD-3-Clause", Restriction.PERMISSIVE),
        ("apache-2.0", Restriction.PERMISSIVE),
        ("CC-BY-3.0", Restriction.PERMISSIVE),
        ("GPL-3.0-only WITH Classpath-exception-2.0", Restriction.SHARE_ALIKE),
        ("LGPL-2.1-or-later", Restriction.SHARE_ALIKE),
        ("CC-BY-NC-ND-4.0", Restriction.NON_COMMERCIAL_SHARE_ALIKE_OR_NO_DERIVATIVES),
        ("CC-BY-ND-4.0", Restriction.NON_COMMERCIAL_SHARE_ALIKE_OR_NO_DERIVATIVES),
        ("LicenseRef-ITU-T-P.862", Restriction.UNKNOWN),
        (None, Restriction.UNKNOWN),
        ("", Restriction.UNKNOWN),
        ("MIT AND CC-BY-NC-4.0", Restriction.NON_COMMERCIAL),
        ("GPL-3.0-only OR MIT", Restriction.PERMISSIVE),
        ("(GPL-3.0-only OR MIT) AND CC-BY-SA-4.0", Restriction.SHARE_ALIKE),
        ("CC-BY-4.0 (content) / MIT (code)", Restriction.UNKNOWN),
        ("MIT AND", Restriction.UNKNOWN),
        ("(MIT", Restriction.UNKNOWN),
    ],
)
def test_what_an_expression_asks(licence: str | None, rank: Restriction) -> None:
    """Both of AND, the better of OR; a text that is no expression is unknown, whatever words are in it."""
    assert restriction_of(licence) is rank


@pytest.mark.parametrize("lower", range(len(LADDER)))
def test_the_most_restrictive_wins_in_any_order(lower: int) -> None:
    """Whatever else went in."""
    for higher in range(lower, len(LADDER)):
        assert most_restrictive_of([LADDER[lower], LADDER[higher]]) == LADDER[higher]
        assert most_restrictive_of([LADDER[higher], LADDER[lower]]) == LADDER[higher]


def test_licences_of_one_rank_stand_side_by_side() -> None:
    """None of them is lost, and of an expression only the part that counts is left."""
    assert most_restrictive_of(["MIT", "CC0-1.0", "CC-BY-4.0", "MIT"]) == "CC-BY-4.0 AND MIT"
    assert most_restrictive_of(["MIT AND CC-BY-NC-4.0", "CC-BY-4.0"]) == "CC-BY-NC-4.0"
    assert most_restrictive_of(["MIT OR Apache-2.0", "CC0-1.0"]) == "MIT OR Apache-2.0"
    assert most_restrictive_of(["MIT", None]) == "unknown"


def test_of_nothing_there_is_no_licence() -> None:
    """An empty list is a mistake of the caller."""
    with pytest.raises(ValueError, match="nothing"):
        most_restrictive_of([])


@pytest.mark.parametrize(
    ("licence", "allowed", "answer"),
    [
        ("MIT", ["*"], True),
        (None, ["*"], True),
        ("mit", ["MIT"], True),
        ("CC-BY-4.0", ["CC-BY-*"], True),
        ("CC-BY-4.0", ["CC-BY-[0-9]*"], True),
        ("CC-BY-NC-4.0", ["CC-BY-[0-9]*"], False),
        ("MIT AND CC-BY-4.0", ["MIT"], False),
        ("MIT OR GPL-3.0-only", ["MIT"], True),
        (None, ["MIT"], False),
        (None, ["MIT", "unknown"], True),
        ("MIT", [], False),
        ("CC-BY-4.0 for the content", ["CC-BY-*"], False),
        ("CC-BY-4.0 for the content", ["cc-by-4.0 for the content"], True),
    ],
)
def test_what_is_let_through(licence: str | None, allowed: list[str], answer: bool) -> None:  # noqa: FBT001
    """What the list names, by pattern; what is not stated only as 'unknown' or by a pattern for all."""
    assert is_allowed(licence, allowed) is answer
