"""Scores of a shard's candidates and facts of takes, read as columns: records take ten times as long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import IntegrityError, Status
from stages.prefer.comparisons import CandidateScores, Floats64
from stages.prefer.same_audio import merge_same_audio

_TAKE = "takes.list.element."
_SCORE = f"{_TAKE}scores.list.element."
PLANNED = ("id", "num_samples", "sample_rate")
"""Columns of the plan that are read."""
SCORED = ("id", f"{_TAKE}take", f"{_SCORE}status", f"{_SCORE}name", f"{_SCORE}value")
"""Columns of a table of scores that are read."""
OfModels = Sequence[tuple[str, pa.Table]]
"""Tables, each with the model whose takes it is about."""


def take_columns(facts: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a table of takes that hold what tells recordings apart, and these facts."""
    return ("id", *(f"{_TAKE}{name}" for name in ("take", "audio.digest", *facts)))


def candidate_scores_of(
    planned: pa.Table, scored: OfModels, names: Sequence[str], taken: OfModels = ()
) -> list[CandidateScores]:
    """Return the candidates of each planned row, with the scores or facts called ``names``.

    ``scored`` are tables of scores, ``taken`` of takes and their facts. Takes that are no candidates of
    their own are left out: those all of whose scores were skipped, and those that are the same recording as
    one of an earlier model. Raises ``IntegrityError`` if the tables do not
    have the rows of the plan.
    """
    ids = planned["id"].to_pylist()
    for what, tables in (("scores", scored), ("takes", taken)):
        for model, table in tables:
            if table["id"].to_pylist() != ids:
                raise IntegrityError(f"the plan and a table of {what} of {model} disagree on their rows")
    of_models = [
        _read_model_scores(model, [table for owner, table in scored if owner == model], names, len(ids))
        for model in dict.fromkeys(model for model, _ in scored)
    ]
    for of_model in of_models:
        for owner, table in taken:
            if owner == of_model.model:
                of_model.note(table)
    durations = pc.divide(pc.cast(planned["num_samples"], pa.float64()), planned["sample_rate"]).to_pylist()
    return _merge_scores(ids, durations, of_models, names)


@dataclass(frozen=True, slots=True)
class _ModelScores:
    """The scores of one model, by row and take."""

    model: str
    is_candidate: NDArray[np.bool_]
    scores: dict[str, Floats64]
    """And facts, each by its name; NaN where there is none."""
    digests: NDArray[np.object_]
    """Of the recordings; None where that is not known."""

    @property
    def num_takes(self) -> int:
        """How many takes a row may have."""
        return int(self.is_candidate.shape[1])

    def note(self, taken: pa.Table) -> None:
        """Take in what a table of takes says of each."""
        takes = taken["takes"].combine_chunks()
        take = pc.list_flatten(takes)
        places = _array(pc.list_parent_indices(takes)), _array(pc.struct_field(take, "take"))
        self.digests[places] = _array(pc.struct_field(take, ["audio", "digest"]))
        for fact in self.scores.keys() & {field.name for field in take.type}:
            self.scores[fact][places] = _array(pc.struct_field(take, fact))


def _read_model_scores(
    model: str, tables: Sequence[pa.Table], names: Sequence[str], num_rows: int
) -> _ModelScores:
    columns = [_Columns.of(table) for table in tables]
    shape = num_rows, max((int(c.takes.max(initial=-1)) for c in columns), default=-1) + 1
    scores = {name: np.full(shape, np.nan) for name in names}
    of_model = _ModelScores(model, np.zeros(shape, dtype=bool), scores, np.full(shape, None))
    for c in columns:
        of_model.is_candidate[c.rows[c.is_tried], c.takes[c.is_tried]] = True
        for name in set(c.names.tolist()).intersection(names):
            named = c.names == name
            of_model.scores[name][c.rows[named], c.takes[named]] = c.values[named]
    return of_model


@dataclass(frozen=True, slots=True)
class _Columns:
    """A table of scores, one entry per score."""

    rows: NDArray[np.intp]
    takes: NDArray[np.intp]
    names: NDArray[np.object_]
    values: Floats64
    is_tried: NDArray[np.bool_]

    @classmethod
    def of(cls, table: pa.Table) -> "_Columns":
        takes = table["takes"].combine_chunks()
        take = pc.list_flatten(takes)
        scores = pc.struct_field(take, "scores")
        score = pc.list_flatten(scores)
        take_of_score = _array(pc.list_parent_indices(scores))
        return cls(
            rows=_array(pc.list_parent_indices(takes))[take_of_score],
            takes=_array(pc.struct_field(take, "take"))[take_of_score],
            names=_array(pc.struct_field(score, "name")),
            values=_array(pc.struct_field(score, "value")),
            is_tried=_array(pc.struct_field(score, "status")) != Status.SKIPPED.value,
        )


def _array(values: pa.Array) -> NDArray[Any]:
    array: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return array


def _merge_scores(
    ids: Sequence[str], durations: Sequence[float], of_models: Sequence[_ModelScores], names: Sequence[str]
) -> list[CandidateScores]:
    """Put the models beside each other, and cut row by row."""
    if not of_models:
        return [
            CandidateScores(row, (), (), {}, seconds) for row, seconds in zip(ids, durations, strict=True)
        ]
    places = [(of_model.model, take) for of_model in of_models for take in range(of_model.num_takes)]
    is_candidate = np.hstack([of_model.is_candidate for of_model in of_models])
    digests = np.hstack([of_model.digests for of_model in of_models])
    scores = {name: np.hstack([of_model.scores[name] for of_model in of_models]) for name in names}
    merged = []
    for row, seconds, *of_row in zip(ids, durations, is_candidate, digests, *scores.values(), strict=True):
        there = np.flatnonzero(of_row[0])
        models, takes = zip(*(places[place] for place in there), strict=True) if there.size else ((), ())
        values = {name: held[there] for name, held in zip(scores, of_row[2:], strict=True)}
        candidates = CandidateScores(row, models, takes, values, seconds)
        merged.append(merge_same_audio(candidates, of_row[1][there].tolist()))
    return merged
