"""What is written of scored files: one row each, with a value or a reason for every score."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.panel.rewards import unanimity_rewards
from pipeline.store.dataset_columns import INTEGER, MISSING, NUMBER, OUTCOME, TEXT, Columns
from pipeline.store.table_store import TableStore
from pipeline.tables.given import GivenGraph
from pipeline.tables.speech import walk_together
from schemas import Given, Outcome, Score, Scored
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto

UNANIMITY = "beaten_share"
FACTS: Columns = {
    "model": TEXT,
    "item": TEXT,
    "path": TEXT,
    "sample_rate": INTEGER,
    "duration_s": NUMBER,
    "peak_gain_db": NUMBER,
    "digest": TEXT,
}
WAYS: Columns = {**OUTCOME, "missing_scores": MISSING}
GivenScores = dict[str, Any]


def scores_of(given: Given, scored: Sequence[Scored]) -> dict[str, Score]:
    """Return the scores of one item by name; one that is no candidate has its own reason for each."""
    found = [score for row in scored for take in row.takes for score in take.scores]
    if not given.is_ok:
        return {score.name: Score(name=score.name, **given.fields) for score in found}
    return {score.name: score for score in found}


def walk_score_rows(graph: GivenGraph, store: TableStore) -> Iterator[GivenScores]:
    """Walk the rows of finished tables in the order of shards."""
    for shard in graph.shards:
        paths = {source.id: source.path for source in shard.sources}
        given = store.read(graph.given.folder, shard.name, graph.given.record, audio=False)
        scored = [store.read(table.folder, shard.name, table.record) for table in graph.scores]
        for row, *of_row in walk_together(given, *scored):
            yield _row(row, paths[row.id], scores_of(row, of_row))


def with_unanimity(
    rows: Sequence[GivenScores], criteria: Sequence[Criterion], vetoes: Sequence[Veto]
) -> Sequence[GivenScores]:
    """Return rows with the share of the other candidates of their item that each beats on every vote."""
    names = dict.fromkeys([*(c.metric for c in criteria), *(veto.looks_at for veto in vetoes)])
    values = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    groups: list[Hashable] = [row["item"] for row in rows]
    shares = unanimity_rewards(values, criteria, vetoes, groups).tolist()
    return [
        row | {UNANIMITY: None if np.isnan(share) else share} for row, share in zip(rows, shares, strict=True)
    ]


def columns_of_scores(scores: Sequence[str]) -> Columns:
    """Return the columns of what is written, with their types."""
    return {**FACTS, **dict.fromkeys(scores, NUMBER), **WAYS}


def _row(given: Given, path: str, scores: Mapping[str, Score]) -> GivenScores:
    audio = given.audio
    heard: GivenScores = dict.fromkeys(("sample_rate", "duration_s", "peak_gain_db", "digest"))
    if audio is not None:
        heard = {
            "sample_rate": audio.sample_rate,
            "duration_s": audio.duration_s,
            "peak_gain_db": audio.gain_db,
            "digest": audio.digest,
        }
    trouble = {} if not given.clean_trouble else {"detail": f"clean reference: {given.clean_trouble}"}
    return {
        "model": given.model,
        "item": given.item,
        "path": path,
        **heard,
        **{name: score.value for name, score in scores.items()},
        **_fields(given),
        **trouble,
        "missing_scores": [
            {"score": name, **_fields(score)} for name, score in scores.items() if score.value is None
        ],
    }


def _fields(outcome: Outcome) -> GivenScores:
    return {name: value if value is None else str(value) for name, value in outcome.fields.items()}
