"""Preferences that were made as columns are the table that their records make."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrow import table_of
from pipeline.preference_columns import preferences_of
from schemas import Preference
from stages.pair_rules import PairRule
from stages.prefer import PreferStage, Rules
from stages.verdicts import Ballot
from stages.vetoes import Veto
from tests.slates import ALL, MODELS, rules, slate_of, tables, vetoes

NOBODY = Ballot("nobody", (), (), {})


def same_tables(stage: PreferStage, ballots: list[Ballot]) -> int:
    """Hold the columns of these ballots to their records, and return how many pairs there are."""
    records = stage.process(ballots)
    expected = table_of(Preference, records)

    rows, table = preferences_of(stage, ballots)

    assert table.equals(expected)
    assert table.schema == expected.schema
    assert table.nbytes == expected.nbytes  # by which row groups are cut
    assert rows == [record.model_copy(update={"pairs": ()}) for record in records]
    return sum(len(record.pairs) for record in records)


@settings(deadline=None)
@given(table=tables, rule=rules, refused=vetoes, lonely=st.integers(0, 3))
def test_columns_are_what_records_make(
    table: list[list[tuple[float, ...]]], rule: PairRule, refused: tuple[Veto, ...], lonely: int
) -> None:
    """Value for value, under any rule and veto, also between degraded utterances without candidates."""
    slate = slate_of(table)
    ballots = [slate.ballot(row) for row in range(len(slate.ids))]
    ballots.insert(lonely, NOBODY)

    same_tables(PreferStage(Rules(ALL, rule, refused)), ballots)


def test_ballots_of_different_sizes_keep_their_pairs_apart() -> None:
    """A place among the candidates of one is not one among those of another."""
    scores = np.arange(5.0)
    ballots = [
        Ballot(str(size), MODELS[:size], range(size), {"likeness": scores[:size]}) for size in (3, 1, 5, 2)
    ]

    assert same_tables(PreferStage(Rules(ALL[2:])), ballots) == 3 + 0 + 7 + 1  # "clean" may not win
    assert same_tables(PreferStage(Rules(ALL[2:])), [NOBODY]) == 0
    assert same_tables(PreferStage(Rules(ALL[2:])), []) == 0
