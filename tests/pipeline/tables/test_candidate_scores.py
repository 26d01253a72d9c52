"""Scores of a shard as candidates: read as columns, the same as read as records."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.store.arrow import table_of
from pipeline.tables.candidate_scores import candidate_scores_of
from schemas import IntegrityError, Reason, Recipe, Scored, Status
from tests.support.candidate_scores import candidates_of, recipe, scored

ROWS = ("u:0", "v:0", "w:1")
VALUE = st.sampled_from([Reason.SILENT, Reason.DUPLICATE_TAKE, Reason.NO_VALUE_UPSTREAM]) | st.floats(-9, 9)
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["quality", "distance", "other"]),
        st.lists(st.lists(VALUE, max_size=3), min_size=len(ROWS), max_size=len(ROWS)),
    ),
    unique_by=lambda table: table[:2],
    max_size=6,
)


@settings(deadline=None)  # the first example pays for what is loaded late
@given(TABLES)
def test_candidates_hold_what_the_records_say(
    tables: list[tuple[str, str, list[list[float | Reason]]]],
) -> None:
    """Model by model and take by take; what was only skipped is no candidate, what has no value no score."""
    names = ("quality", "distance")
    records = [
        (model, [scored(row, model, metric, takes) for row, takes in zip(ROWS, rows, strict=True)])
        for model, metric, rows in tables
    ]
    planned = table_of(Recipe, [recipe(row) for row in ROWS])

    utterances = candidate_scores_of(
        planned, [(model, table_of(Scored, rows)) for model, rows in records], names
    )

    assert [candidates.id for candidates in utterances] == list(ROWS)
    for number, candidates in enumerate(utterances):
        expected = _gathered([(model, rows[number]) for model, rows in records])
        found = {(c.model, c.take): dict(c.scores) for c in candidates_of(candidates)}
        assert found == {
            candidate: {name: value for name, value in scores.items() if name in names}
            for candidate, scores in expected.items()
        }
        models = list(dict.fromkeys(model for model, _ in records))
        order = [
            (models.index(model), take)
            for model, take in zip(candidates.models, candidates.takes, strict=True)
        ]
        assert order == sorted(order)


def _gathered(rows: list[tuple[str, Scored]]) -> dict[tuple[str, int], dict[str, float]]:
    found: dict[tuple[str, int], dict[str, float]] = {}
    for model, row in rows:
        for take in row.takes:
            if any(score.status is not Status.SKIPPED for score in take.scores):
                held = found.setdefault((model, take.take), {})
                held.update({s.name: s.value for s in take.scores if s.value is not None})
    return found


def test_says_how_long_the_speech_is() -> None:
    """For the speed that a run reports."""
    (candidates,) = candidate_scores_of(table_of(Recipe, [recipe("u:0")]), [], ("quality",))

    assert candidates.duration_s == pytest.approx(1.0)
    assert np.size(candidates.models) == 0


def test_tables_that_do_not_match_are_an_error() -> None:
    """Never a guess."""
    planned = table_of(Recipe, [recipe("u:0")])
    other = table_of(Scored, [scored("x:0", "a", "quality", [1.0])])

    with pytest.raises(IntegrityError, match="disagree"):
        candidate_scores_of(planned, [("a", other)], ("quality",))
