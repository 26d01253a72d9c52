"""Pairs to listen to: which ones are shown, and all that is said about each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.clips import Clip
from pipeline.report.snapshot import Snapshot
from stages.metrics.base import Better

STRENGTH = "narrowest vote"
"""What the strength of a pair is called beside its margins."""
_EXAMPLES = """
    SELECT pairs.*, utterance_id, split, speaker, transcript, sample_rate, steps, applied,
           c.settings AS chosen_settings, c.lag_samples AS chosen_lag, c.level_gain_db AS chosen_gain,
           r.settings AS rejected_settings, r.lag_samples AS rejected_lag, r.level_gain_db AS rejected_gain
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


@dataclass(frozen=True, slots=True)
class Side:
    """The chosen or the rejected restoration."""

    model: str
    take: int
    settings: Mapping[str, Any]
    lag_samples: int
    gain_db: float
    clip: Clip


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of both sides."""

    name: str
    role: str
    """``votes``, ``held out`` or nothing."""
    better: Better | None
    chosen: float | None
    rejected: float | None
    reasons: tuple[str | None, str | None]
    """Why a side has no score."""

    @property
    def margin(self) -> float | None:
        """By how much the chosen side is better; None if that is not known."""
        if self.chosen is None or self.rejected is None or self.better is None:
            return None
        ahead = self.chosen - self.rejected
        return ahead if self.better is Better.HIGHER else -ahead


@dataclass(frozen=True, slots=True)
class Step:
    """One degradation: what was drawn, and what it was found to have done."""

    kind: str
    params: Mapping[str, Any]
    facts: Mapping[str, float]

    @property
    def is_applied(self) -> bool:
        """Whether it changed the speech."""
        return bool(self.facts.get("applied", 1.0))


@dataclass(frozen=True, slots=True)
class PairCard:
    """One pair with its recordings, scores and recipe."""

    pair_id: str
    utterance_id: str
    split: str
    speaker: str | None
    transcript: str | None
    sample_rate: int
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
        return [step.kind for step in self.steps if step.is_applied]

    @property
    def margins(self) -> dict[str, float]:
        """How clear the pair is, over all and by each score."""
        known = {row.name: row.margin for row in self.scores if row.margin is not None}
        return {STRENGTH: self.strength, **known}

    @property
    def text(self) -> str:
        """What a reader may look for."""
        return " ".join(filter(None, (self.transcript, self.speaker, self.pair_id)))

    @property
    def clips(self) -> tuple[tuple[str, Clip, str], ...]:
        """The four recordings: what each is, where it lies, who made it."""
        return (
            ("degraded", self.degraded, ""),
            ("chosen", self.chosen.clip, f"{self.chosen.model}, take {self.chosen.take}"),
            ("rejected", self.rejected.clip, f"{self.rejected.model}, take {self.rejected.take}"),
            ("clean", self.clean, ""),
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What pairs can be filtered by."""

    degradations: Sequence[str]
    models: Sequence[str]
    splits: Sequence[str]
    scores: Sequence[str]

    @classmethod
    def of(cls, cards: Sequence[PairCard]) -> "Choices":
        """Return what these pairs differ in."""
        return cls(
            degradations=sorted({kind for card in cards for kind in card.degradations}),
            models=sorted({side.model for card in cards for side in (card.chosen, card.rejected)}),
            splits=sorted({card.split for card in cards}),
            scores=list(dict.fromkeys(name for card in cards for name in card.margins)),
        )


def pair_cards(snapshot: Snapshot, number: int) -> list[PairCard]:
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
            Step(drawn["kind"], json.loads(drawn["params"]), json.loads(done["facts"]))
            for drawn, done in zip(row["steps"], row["applied"], strict=True)
        ],
        degraded=degraded,
        clean=clean,
        chosen=chosen,
        rejected=rejected,
        scores=list(_score_rows(snapshot, *of_sides)),
    )


def _side(snapshot: Snapshot, row: Mapping[str, Any], side: str) -> Side:
    model, take = row[f"{side}_model"], row[f"{side}_take"]
    return Side(
        model=model,
        take=take,
        settings=json.loads(row[f"{side}_settings"]),
        lag_samples=row[f"{side}_lag"],
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
