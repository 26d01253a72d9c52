"""What the choice of a split promises."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Source, Split
from stages.ingest.splits import TRAIN_ONLY, check_fractions, side_of, split_for

SHARES = {Split.TRAIN: 0.8, Split.VALIDATION: 0.1, Split.TEST: 0.1}


def test_shares_are_what_was_asked_for() -> None:
    """Of many speakers, each side gets its fraction."""
    counts = Counter(split_for(SHARES, "corpus", f"speaker-{number}") for number in range(10_000))

    assert counts[Split.TRAIN] == pytest.approx(8_000, abs=150)
    assert counts[Split.VALIDATION] == pytest.approx(1_000, abs=100)
    assert counts[Split.TEST] == pytest.approx(1_000, abs=100)


def test_the_choice_never_changes() -> None:
    """These recordings were put on these sides once, and stay there in every later version."""
    known = {"p225": Split.TRAIN, "p229": Split.VALIDATION, "p241": Split.TEST}

    assert {name: split_for(SHARES, "vctk", name) for name in known} == known


def test_the_order_of_the_shares_does_not_matter() -> None:
    """A config may name the sides in any order."""
    backwards = dict(reversed(SHARES.items()))

    for number in range(100):
        assert split_for(SHARES, "c", str(number)) is split_for(backwards, "c", str(number))


def _recording(name: str, corpus: str = "a", content: str = "", speaker: str | None = None) -> Source:
    return Source(
        id=f"{corpus}/{name}", corpus=corpus, path=name, name=name, content=content, speaker=speaker
    )


def test_copies_are_on_one_side() -> None:
    """Whatever they are called, in whichever corpus; other recordings are spread."""
    sides = [
        {side_of(_recording(name, corpus, f"digest-{number}"), SHARES) for corpus in "ab" for name in "cde"}
        for number in range(100)
    ]

    assert all(len(copies) == 1 for copies in sides)
    assert set.union(*sides) == set(Split)


def test_a_speaker_is_on_one_side() -> None:
    """All recordings of one go where the speaker goes, also those that cannot be read."""
    for speaker in map(str, range(100)):
        spoken = [_recording(f"{n}", content=f"{n}" * (n > 0), speaker=speaker) for n in range(5)]

        assert {side_of(source, SHARES) for source in spoken} == {split_for(SHARES, "a", speaker)}


def test_what_cannot_be_read_goes_by_its_name() -> None:
    """It has no bytes."""
    assert side_of(_recording("x"), SHARES) is split_for(SHARES, "a", "x")


@given(st.text(), st.text())
def test_by_default_everything_is_for_training(corpus: str, name: str) -> None:
    """Without fractions nothing is held back."""
    assert split_for(TRAIN_ONLY, corpus, name) is Split.TRAIN


@pytest.mark.parametrize("train", [0.5, 1.5, -0.1])
def test_shares_that_do_not_sum_to_one_are_refused(train: float) -> None:
    """The message gives the shares and their sum."""
    with pytest.raises(ValueError, match=r"sum to 1; .*train"):
        check_fractions({Split.TRAIN: train, Split.TEST: 0.1})
