"""Scores as they lie in tables, and the candidates that they make."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.store.arrow import table_of
from pipeline.tables.candidate_scores import candidate_scores_of
from schemas import Reason, Recipe, Restored, Score, Scored, Split, Status, Take, TakeScores
from stages.prefer.comparisons import CandidateScores
from stages.prefer.criteria import Candidate
from stages.prefer.vetoes import LENGTH_CHANGE

Takes = Sequence[float | Reason]
"""The takes of one model; a reason in place of a value says why there is none."""


def recipe(row: str) -> Recipe:
    """Return the plan of one second of degraded speech."""
    return Recipe(
        id=row,
        utterance_id=row.partition(":")[0],
        source_id="u",
        corpus="test",
        repeat=0,
        split=Split.TRAIN,
        sample_rate=16_000,
        num_samples=16_000,
        bandwidth_hz=8_000,
        steps=(),
        sources=(),
    )


def scored(row: str, model: str, metric: str, values: Takes) -> Scored:
    """Return one metric's scores of a model's takes."""
    takes = [TakeScores(take=n, scores=(_score(metric, value),)) for n, value in enumerate(values)]
    return Scored(id=row, model=model, takes=tuple(takes))


def _score(metric: str, value: float | Reason) -> Score:
    match value:
        case Reason():
            skipped = value in {Reason.DUPLICATE_TAKE, Reason.NO_VALUE_UPSTREAM}
            return Score(name=metric, status=Status.SKIPPED if skipped else Status.UNFIT, reason=value)
        case _:
            return Score(name=metric, value=value)


def taken(row: str, model: str, changes_s: Sequence[float]) -> Restored:
    """Return the takes of a model, which it made longer by this much."""
    takes = [Take(take=number, length_change_s=change_s) for number, change_s in enumerate(changes_s)]
    return Restored(id=row, model=model, takes=tuple(takes))


def candidate_scores(
    row: str = "u:0", longer_s: Mapping[str, Sequence[float]] | None = None, **scores: Mapping[str, Takes]
) -> CandidateScores:
    """Return the candidates of one utterance from its tables: for each metric, the takes of each model."""
    tables = [
        (model, table_of(Scored, [scored(row, model, metric, values)]))
        for metric, models in scores.items()
        for model, values in models.items()
    ]
    facts = () if longer_s is None else (LENGTH_CHANGE,)
    takes = [
        (model, table_of(Restored, [taken(row, model, changes_s)]).select(["id", "takes"]))
        for model, changes_s in (longer_s or {}).items()
    ]
    (found,) = candidate_scores_of(table_of(Recipe, [recipe(row)]), tables, (*scores, *facts), takes)
    return found


def candidates_of(candidates: CandidateScores) -> list[Candidate]:
    """Return the candidates one by one, each with the scores that it has."""
    return [
        Candidate(
            model, take, {n: float(v[place]) for n, v in candidates.scores.items() if not np.isnan(v[place])}
        )
        for place, (model, take) in enumerate(zip(candidates.models, candidates.takes, strict=True))
    ]


def plain_scores(models: Sequence[str], **scores: Sequence[float]) -> CandidateScores:
    """Return candidates with these scores; NaN where there is none."""
    takes = [list(models[:place]).count(model) for place, model in enumerate(models)]
    return CandidateScores(
        "u:0", models, takes, {name: np.array(values, float) for name, values in scores.items()}
    )
