"""Pairs to listen to: which ones are shown, and what the tables hold about them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.clips import Clip
from pipeline.report.pair_cards import CardSide, CardStep, PairCard, ScoreRow
from pipeline.report.snapshot import Snapshot

_EXAMPLES = """
    SELECT pairs.*, utterance_id, split, speaker, transcript, sample_rate, steps, applied,
           c.settings AS chosen_settings, c.lag_samples AS chosen_lag, c.level_gain_db AS chosen_gain,
           c.length_change_s AS chosen_length_change_s,
           r.settings AS rejected_settings, r.lag_samples AS rejected_lag, r.level_gain_db AS rejected_gain,
           r.length_change_s AS rejected_length_change_s
    FROM pairs JOIN recipes USING (id) JOIN degraded USING (id)
    JOIN takes c ON (c.id, c.model, c.take) = (pairs.id, chosen_model, chosen_take)
    JOIN takes r ON (r.id, r.model, r.take) = (pairs.id, rejected_model, rejected_take)
    ORDER BY row_number() OVER (PARTITION BY chosen_model, rejected_model, [s.kind FOR s IN applied]
                                ORDER BY md5(pair_id)), md5(pair_id)
    LIMIT ?"""
"""A few of each kind of damage and each two models, by the hash of their names: drawn, not picked."""
_SCORES = (
    "SELECT id, model, take, name, value, reason FROM scores WHERE id IN (SELECT unnest(?)) ORDER BY ALL"
)


def pair_cards_of(snapshot: Snapshot, number: int) -> list[PairCard]:
    """Return up to ``number`` pairs, spread over degradations and models."""
    rows = snapshot.tables.rows(_EXAMPLES, number)
    scores: dict[tuple[str, str, int], dict[str, Mapping[str, Any]]] = {}
    for score in snapshot.tables.rows(_SCORES, [row["id"] for row in rows]):
        scores.setdefault((score["id"], score["model"], score["take"]), {})[score["name"]] = score
    return [_card(snapshot, row, scores) for row in rows]


def _card(snapshot: Snapshot, row: Mapping[str, Any], scores: Mapping[Any, Mapping[str, Any]]) -> PairCard:
    chosen, rejected = (_side(snapshot, row, side) for side in ("chosen", "rejected"))
    degraded, clean = (_clip(snapshot, "degrade", row, part) for part in ("degraded", "clean"))
    of_sides = [scores.get((row["id"], side.model, side.take), {}) for side in (chosen, rejected)]
    plain = ("pair_id", "utterance_id", "split", "speaker", "transcript", "sample_rate", "strength")
    return PairCard(
        **{name: row[name] for name in plain},
        steps=[
            CardStep(drawn["kind"], json.loads(drawn["params"]), json.loads(done["facts"]))
            for drawn, done in zip(row["steps"], row["applied"], strict=True)
        ],
        degraded=degraded,
        clean=clean,
        chosen=chosen,
        rejected=rejected,
        scores=list(_score_rows(snapshot, *of_sides)),
    )


def _side(snapshot: Snapshot, row: Mapping[str, Any], side: str) -> CardSide:
    model, take = row[f"{side}_model"], row[f"{side}_take"]
    return CardSide(
        model=model,
        take=take,
        settings=json.loads(row[f"{side}_settings"]),
        lag_samples=row[f"{side}_lag"],
        length_change_s=row[f"{side}_length_change_s"],
        gain_db=row[f"{side}_gain"],
        clip=_clip(snapshot, f"restore.{model}", row, str(take)),
    )


def _clip(snapshot: Snapshot, table: str, row: Mapping[str, Any], part: str) -> Clip:
    folder = snapshot.tables.folders(table.partition(".")[0])[table]
    return Clip(folder, row["shard"], row["id"], part)


def _score_rows(
    snapshot: Snapshot, chosen: Mapping[str, Any], rejected: Mapping[str, Any]
) -> Iterator[ScoreRow]:
    """Walk the scores that either side has: those that vote first, then those that are held out."""
    inventory = snapshot.inventory
    roles = {criterion.metric: "votes" for criterion in inventory.criteria}
    roles |= dict.fromkeys(inventory.held_out, "held out")
    for name in dict.fromkeys((*roles, *chosen, *rejected)):
        output = inventory.outputs.get(name)
        a, b = (side.get(name, {}) for side in (chosen, rejected))
        yield ScoreRow(
            name=name,
            role=roles.get(name, ""),
            better=None if output is None else output.better,
            chosen=a.get("value"),
            rejected=b.get("value"),
            reasons=(a.get("reason"), b.get("reason")),
        )
