"""Votes of listeners as a table: who preferred which of which two, and whether that is the chosen side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.listening.votes import Stimulus, Vote, VoteChoice
from pipeline.store.dataset_columns import FLAG, INTEGER, NUMBER, TEXT, Columns
from pipeline.store.row_files import write_row_file
from pipeline.tables.sql import RunTables

RATING_COLUMNS: Columns = {"a": TEXT, "b": TEXT, "preferred": TEXT, "listener": TEXT}
"""What a CSV of votes has, since preferences of people are read from such a one."""
VOTE_COLUMNS: Columns = {
    **RATING_COLUMNS,
    "degraded_id": TEXT,
    "pair_id": TEXT,
    "prefers_chosen": FLAG,
    "trial": INTEGER,
    "origin": TEXT,
    "purpose": TEXT,
    "is_repeat": FLAG,
    "is_there": FLAG,
    "voted_at_s": NUMBER,
}
"""What the table of votes says of each; ``a`` and ``b`` are candidates of the dataset by their names.

``is_there`` is false of votes on audio that was made anew since; ``voted_at_s`` is 0 where it is not known.
"""
CANDIDATE_NAMES = """
    SELECT id, model, take, digest, concat(id, '/', model, '/', take) AS candidate_id
    FROM (SELECT id, model, t.take AS take, t.audio.digest AS digest
          FROM (SELECT id, model, unnest(takes) AS t FROM restore_rows))
    WHERE digest IS NOT NULL AND concat(id, '/', model, '/', take) IN (SELECT unnest(?))"""
_PAIRS = "SELECT * FROM pairs WHERE id IN (SELECT unnest(?))"
KeptPairs = Mapping[tuple[str, str], str]
"""Names of pairs by their chosen and their rejected candidate."""


def write_votes(path: Path, tables: RunTables, votes: Sequence[Vote]) -> int:
    """Write the votes to a Parquet file, or to a CSV what can be read as ratings; return how many they are.

    In a CSV are no repeated, training or reference trials, and none on audio that is not there any more.
    """
    rows = list(vote_rows(tables, votes))
    is_csv = path.suffix.lower() == ".csv"
    if is_csv:
        rows = [row for row in rows if row["is_there"] and not row["is_repeat"]]
    write_row_file(path, rows, RATING_COLUMNS if is_csv else VOTE_COLUMNS)
    return len(rows)


def vote_rows(tables: RunTables, votes: Sequence[Vote]) -> Iterator[dict[str, Any]]:
    """Walk the votes as rows of ``VOTE_COLUMNS``, by listener and trial."""
    kept = kept_pairs_of(tables, (vote.row for vote in votes))
    names = sorted({_candidate_name(vote.row, side) for vote in votes for side in (vote.a, vote.b)})
    there = {(found["candidate_id"], found["digest"]) for found in tables.rows(CANDIDATE_NAMES, names)}
    for vote in sorted(votes, key=lambda vote: (vote.listener, vote.trial)):
        a, b = (_candidate_name(vote.row, side) for side in (vote.a, vote.b))
        yield {
            "a": a,
            "b": b,
            "preferred": vote.choice.value,
            "listener": vote.listener,
            "degraded_id": vote.row,
            **_pair_columns(vote, kept, a, b),
            **vote.model_dump(include={"trial", "is_repeat", "voted_at_s"}),
            "origin": vote.origin.value,
            "purpose": vote.purpose.value,
            "is_there": {(a, vote.a.digest), (b, vote.b.digest)} <= there if vote.counts else None,
        }


def kept_pairs_of(tables: RunTables, rows: Iterable[str]) -> KeptPairs:
    """Return the pairs that were kept of some degraded utterances."""
    return {
        candidates_of_pair(found): found["pair_id"]
        for found in tables.rows(_PAIRS, sorted(dict.fromkeys(rows)))
    }


def candidates_of_pair(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of the chosen and of the rejected candidate of a row of ``pairs``."""
    chosen, rejected = (
        f"{found['id']}/{found[f'{s}_model']}/{found[f'{s}_take']}" for s in ("chosen", "rejected")
    )
    return chosen, rejected


def _pair_columns(vote: Vote, kept: KeptPairs, a: str, b: str) -> dict[str, Any]:
    for chosen, two in ((VoteChoice.A, (a, b)), (VoteChoice.B, (b, a))):
        if vote.counts and two in kept:
            said = None if vote.preferred is None else vote.choice is chosen
            return {"pair_id": kept[two], "prefers_chosen": said}
    return {"pair_id": None, "prefers_chosen": None}


def _candidate_name(row: str, side: Stimulus) -> str:
    return f"{row}/{side.model}/{side.take}"
