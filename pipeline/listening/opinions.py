"""Votes beside what the tables of a run say of the same restorations."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pipeline.listening.agreement import Judged, ListenerAgreement, agreement_of
from pipeline.listening.votes import Stimulus, Vote
from pipeline.tables.inventory import Inventory
from pipeline.tables.sql import RunTables
from schemas import AppliedStep
from stages.prefer.criteria import Criterion

_HEARD = """
    SELECT id, model, t.take AS take, t.audio.digest AS digest
    FROM (SELECT id, model, unnest(takes) AS t FROM restore_rows WHERE id IN (SELECT unnest(?)))"""
_SCORES = (
    "SELECT id, model, take, name, value FROM scores WHERE value IS NOT NULL AND id IN (SELECT unnest(?))"
)
_PAIRS = "SELECT * FROM pairs WHERE id IN (SELECT unnest(?))"
_ROWS = """
    SELECT id, utterance_id, applied FROM recipes JOIN degraded USING (id)
    WHERE id IN (SELECT unnest(?))"""

_CandidatePlace = tuple[str, str, int]
"""A degraded utterance, a model and a take."""


def listening_of(tables: RunTables, votes: Sequence[Vote]) -> ListenerAgreement:
    """Return what ``votes`` come to with the scores and pairs that are there by now."""
    counted = [vote for vote in votes if vote.counts]
    return agreement_of(_Tables(tables, counted).judge_all(counted), tuple(tables.inventory.outputs), votes)


class _Tables:
    """What the tables say of the degraded utterances that were voted on."""

    def __init__(self, tables: RunTables, votes: Sequence[Vote]) -> None:
        rows = sorted({vote.row for vote in votes})
        self._criteria = _criteria(tables.inventory)
        self._digests = {_place(found): found["digest"] for found in tables.rows(_HEARD, rows)}
        self._rows = {found["id"]: found for found in tables.rows(_ROWS, rows)}
        self._scores: defaultdict[_CandidatePlace, dict[str, float]] = defaultdict(dict)
        for found in tables.rows(_SCORES, rows):
            self._scores[_place(found)][found["name"]] = found["value"]
        self._chosen = {
            (
                pair["id"],
                *(pair[f"{side}_{of}"] for side in ("chosen", "rejected") for of in ("model", "take")),
            )
            for pair in tables.rows(_PAIRS, rows)
        }

    def judge_all(self, votes: Sequence[Vote]) -> list[Judged]:
        """Return the votes whose audio is still what was heard."""
        return [
            self._judge(vote) for vote in votes if all(self._is_there(vote.row, s) for s in (vote.a, vote.b))
        ]

    def _is_there(self, row: str, side: Stimulus) -> bool:
        return row in self._rows and self._digests.get((row, side.model, side.take)) == side.digest

    def _judge(self, vote: Vote) -> Judged:
        row = self._rows[vote.row]
        steps = [AppliedStep(kind=step["kind"], facts=json.loads(step["facts"])) for step in row["applied"]]
        return Judged(
            vote=vote,
            chosen=self._chosen_of(vote),
            favourites=self._favourites(vote),
            degradations=tuple(dict.fromkeys(step.kind for step in steps if step.is_applied)),
            utterance=row["utterance_id"],
        )

    def _chosen_of(self, vote: Vote) -> Stimulus | None:
        for chosen, rejected in ((vote.a, vote.b), (vote.b, vote.a)):
            if (vote.row, chosen.model, chosen.take, rejected.model, rejected.take) in self._chosen:
                return chosen
        return None

    def _favourites(self, vote: Vote) -> Mapping[str, Stimulus]:
        a, b = (self._scores[vote.row, side.model, side.take] for side in (vote.a, vote.b))
        advantages = {
            c: c.advantage(a[c.metric], b[c.metric]) for c in self._criteria if c.metric in a.keys() & b
        }
        return {
            criterion.metric: vote.a if advantage > 0 else vote.b
            for criterion, advantage in advantages.items()
            if abs(advantage) > criterion.margin
        }


def _place(found: Mapping[str, object]) -> _CandidatePlace:
    return str(found["id"]), str(found["model"]), int(str(found["take"]))


def _criteria(inventory: Inventory) -> Sequence[Criterion]:
    """Return how each score compares two: with the config's margin if it votes, else with its noise floor."""
    voting = {criterion.metric: criterion for criterion in inventory.criteria}
    return [
        voting.get(name) or Criterion(metric=name, better=output.better, margin=output.noise_floor)
        for name, output in inventory.outputs.items()
    ]
