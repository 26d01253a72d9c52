"""The table of preferences is, to the byte, the one that records of them make."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.store.arrow import rows_of, table_of
from pipeline.tables.preference_arrow import preferences_of
from schemas import Preference
from stages.prefer.comparisons import CandidateScores
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import PreferStage, Rules
from stages.prefer.vetoes import Veto
from tests.support.candidate_batches import ALL, MODELS, batch_of, rules, tables, vetoes

NOBODY = CandidateScores("nobody", (), (), {})


def same_tables(of: Rules, utterances: list[CandidateScores]) -> int:
    """Hold the table of these choices to its records, and return how many pairs there are."""
    decided = PreferStage(of).process(utterances)

    table = preferences_of(decided, of.votes)

    records = rows_of(Preference, table)
    expected = table_of(Preference, records)
    assert table.equals(expected)
    assert table.schema == expected.schema
    assert table.nbytes == expected.nbytes  # by which row groups are cut
    for row, record in zip(decided, records, strict=True):
        assert row.model_dump() == record.model_dump(exclude={"pairs"})
        assert row.sides == [
            ((p.chosen_model, p.chosen_take), (p.rejected_model, p.rejected_take)) for p in record.pairs
        ]
    return sum(len(record.pairs) for record in records)


@settings(deadline=None)
@given(table=tables, rule=rules, refused=vetoes, lonely=st.integers(0, 3))
def test_columns_are_what_records_make(
    table: list[list[tuple[float, ...]]], rule: PairRule, refused: tuple[Veto, ...], lonely: int
) -> None:
    """Value for value, under any rule and veto, also between degraded utterances without candidates."""
    batch = batch_of(table)
    utterances = [batch.candidate_scores(row) for row in range(len(batch.ids))]
    utterances.insert(lonely, NOBODY)

    same_tables(Rules(ALL, rule, refused), utterances)


def test_utterances_of_different_sizes_keep_their_pairs_apart() -> None:
    """A place among the candidates of one is not one among those of another."""
    scores = np.arange(5.0)
    utterances = [
        CandidateScores(str(size), MODELS[:size], range(size), {"likeness": scores[:size]})
        for size in (3, 1, 5, 2)
    ]

    assert same_tables(Rules(ALL[2:]), utterances) == 3 + 0 + 7 + 1  # "clean" may not win
    assert same_tables(Rules(ALL[2:]), [NOBODY]) == 0
    assert same_tables(Rules(ALL[2:]), []) == 0
