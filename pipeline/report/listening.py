"""Pairs to listen to: which ones are shown, and all that is said about each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.clips import Clip
from pipeline.report.snapshot import Snapshot
from stages.metrics.base import Better

EXAMPLES = """
    SELECT pairs.*, utterance_id, repeat, split, speaker, transcript, language, duration_s, steps, applied
    FROM pairs JOIN recipes USING (id) JOIN degraded USING (id)
    ORDER BY row_number() OVER (PARTITION BY chosen_model, rejected_model, [step.kind FOR step IN applied]
                                ORDER BY md5(pair_id)), md5(pair_id)
    LIMIT ?"""
"""A few of each kind of damage and each two models, by the hash of their names: drawn, not picked."""
SCORES = "SELECT id, model, take, name, value, reason FROM scores WHERE id IN (SELECT unnest(?)) ORDER BY ALL"


@dataclass(frozen=True, slots=True)
class Side:
    """The chosen or the rejected restoration."""

    model: str
    take: int
    settings: Mapping[str, Any]
    clip: Clip


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of both sides."""

    name: str
    role: str
    better: Better | None
    chosen: float | None
    rejected: float | None
    reasons: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One degradation: what was drawn, and what it was found to have done."""

    kind: str
    params: Mapping[str, Any]
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PairCard:
    """One pair with its recordings, scores and recipe."""

    pair_id: str
    utterance_id: str
    repeat: int
    split: str
    speaker: str | None
    transcript: str | None
    language: str | None
    duration_s: float
    strength: float
    steps: Sequence[Step]
    degraded: Clip
    clean: Clip
    chosen: Side
    rejected: Side
    scores: Sequence[ScoreRow]

    @property
    def degradations(self) -> list[str]:
        """The kinds that changed the speech, in their order."""
        return [step.kind for step in self.steps if step.facts.get("applied", 1.0)]


def pair_cards(snapshot: Snapshot, number: int) -> list[PairCard]:
    """Return up to ``number`` pairs, spread over degradations and models."""
    rows = snapshot.tables.rows(EXAMPLES, number)
    scores: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for score in snapshot.tables.rows(SCORES, [row["id"] for row in rows]):
        scores.setdefault((score["id"], score["model"], score["take"]), {})[score["name"]] = score
    return [_card(snapshot, row, scores) for row in rows]


def _card(snapshot: Snapshot, row: Mapping[str, Any], scores: Mapping[Any, Any]) -> PairCard:
    sides = [_side(snapshot, row, side) for side in ("chosen", "rejected")]
    degraded, clean = (_clip(snapshot, "degrade", row, part) for part in ("degraded", "clean"))
    plain = ("pair_id", "utterance_id", "repeat", "split", "speaker", "transcript", "language", "duration_s")
    return PairCard(
        **{name: row[name] for name in (*plain, "strength")},
        steps=[
            Step(drawn["kind"], json.loads(drawn["params"]), json.loads(done["facts"]))
            for drawn, done in zip(row["steps"], row["applied"], strict=True)
        ],
        degraded=degraded,
        clean=clean,
        chosen=sides[0],
        rejected=sides[1],
        scores=list(_score_rows(snapshot, *(scores.get((row["id"], s.model, s.take), {}) for s in sides))),
    )


def _side(snapshot: Snapshot, row: Mapping[str, Any], side: str) -> Side:
    model, take = row[f"{side}_model"], row[f"{side}_take"]
    return Side(model, take, {}, _clip(snapshot, f"restore.{model}", row, str(take)))


def _clip(snapshot: Snapshot, table: str, row: Mapping[str, Any], part: str) -> Clip:
    folder = snapshot.tables.folders(table.partition(".")[0])[table]
    return Clip(folder, row["shard"], row["id"], part)


def _score_rows(
    snapshot: Snapshot, chosen: Mapping[str, Any], rejected: Mapping[str, Any]
) -> Iterator[ScoreRow]:
    """Walk the scores that either side has, those that vote first."""
    inventory = snapshot.inventory
    votes = [criterion.metric for criterion in inventory.criteria]
    for name in dict.fromkeys((*votes, *inventory.held_out, *chosen, *rejected)):
        role = "votes" if name in votes else "held out" if name in inventory.held_out else ""
        output = inventory.outputs.get(name)
        a, b = (side.get(name, {}) for side in (chosen, rejected))
        yield ScoreRow(
            name=name,
            role=role,
            better=None if output is None else output.better,
            chosen=a.get("value"),
            rejected=b.get("value"),
            reasons=(a.get("reason"), b.get("reason")),
        )
