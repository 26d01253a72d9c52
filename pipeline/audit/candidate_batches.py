"""Batches of degraded utterances that have the same candidates, with all their scores."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from pipeline.tables.table import TableReader
from schemas import AppliedStep, IntegrityError
from stages.prefer.comparisons import CandidateScores, Floats64

APPLIED = ("id", "applied.list.element.kind", "applied.list.element.facts")
MOST_CELLS = 4_000_000
"""Comparisons × scores that are held at once, however many candidates there are."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done to one degraded utterance."""

    kinds: tuple[str, ...]
    """Kinds of degradation that changed it, each once."""
    snr_db: float | None
    """Level of the speech over everything that was added to it; None if nothing was."""

    @classmethod
    def of(cls, steps: Sequence[AppliedStep]) -> "Damage":
        """Return what these steps did; noises add up by their powers."""
        steps = [step for step in steps if step.is_applied]
        kinds = tuple(dict.fromkeys(step.kind for step in steps))
        snrs_db = (step.number("snr_db") for step in steps)
        added = sum(10 ** (-snr_db / 10) for snr_db in snrs_db if snr_db is not None)
        return cls(kinds, float(-10 * np.log10(added)) if added else None)


@dataclass(frozen=True, slots=True)
class CandidateBatch:
    """Degraded utterances with the same candidates."""

    ids: tuple[str, ...]
    utterances: NDArray[np.intp]
    """Which of its shard's clean utterances each is a version of, counted from 0."""
    damages: tuple[Damage, ...]
    models: tuple[str, ...]
    takes: tuple[int, ...]
    names: tuple[str, ...]
    scores: Floats64
    """Degraded utterance × candidate × score in the order of ``names``; NaN where there is none."""
    facts: Mapping[str, Floats64] = field(default_factory=dict)
    """What vetoes and baselines look at beside scores, by name: degraded utterance × candidate."""

    def candidate_scores(self, row: int) -> CandidateScores:
        """Return the candidates of one degraded utterance."""
        scores = dict(zip(self.names, self.scores[row].T, strict=True))
        facts = {name: values[row] for name, values in self.facts.items()}
        return CandidateScores(self.ids[row], self.models, self.takes, scores | facts)


def candidate_batches_of(
    graph: Graph, store: TableStore, shard: str, names: Sequence[str], more_facts: Sequence[str] = ()
) -> Iterator[CandidateBatch]:
    """Walk the degraded utterances of a shard by what candidates they have, few enough at a time."""
    facts = dict.fromkeys((*graph.prefer.rules.facts, *more_facts))
    scored = graph.prefer.candidate_scores(shard, TableReader(store), graph.scores, names, more_facts)
    planned = store.columns(graph.plan.folder, shard, ["utterance_id"])
    utterances = np.unique(planned["utterance_id"].to_pylist(), return_inverse=True)[1]
    damages = _read_damages(store.columns(graph.degrade.folder, shard, APPLIED), [b.id for b in scored])
    for rows in _group_alike(scored, len(names)):
        found = [scored[row] for row in rows]
        yield CandidateBatch(
            ids=tuple(each.id for each in found),
            utterances=utterances[rows],
            damages=tuple(damages[row] for row in rows),
            models=tuple(found[0].models),
            takes=tuple(found[0].takes),
            names=tuple(names),
            scores=np.array([[b.scores[name] for name in names] for b in found]).transpose(0, 2, 1),
            facts={name: np.array([each.scores[name] for each in found]) for name in facts},
        )


def _group_alike(scored: Sequence[CandidateScores], num_scores: int) -> Iterator[list[int]]:
    """Walk the places of those with the same candidates, no more at a time than may be held at once."""

    def candidates(row: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
        return tuple(scored[row].models), tuple(scored[row].takes)

    for (models, _), same in groupby(sorted(range(len(scored)), key=candidates), key=candidates):
        rows = list(same)
        most = max(1, MOST_CELLS // max(1, len(models) ** 2 * num_scores))
        yield from (rows[at : at + most] for at in range(0, len(rows), most))


def _read_damages(degraded: pa.Table, ids: Sequence[str]) -> list[Damage]:
    if degraded["id"].to_pylist() != ids:
        raise IntegrityError("the plan and the table of degraded speech disagree on their rows")
    return [
        Damage.of([AppliedStep(kind=step["kind"], facts=json.loads(step["facts"])) for step in steps or ()])
        for steps in degraded["applied"].to_pylist()
    ]
