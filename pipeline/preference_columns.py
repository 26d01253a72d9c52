"""Preferences as Arrow without a record of every pair and vote: the same table in a fraction of the time."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.arrow import schema_of, table_of
from schemas import Preference
from stages.prefer import Decision, PreferStage
from stages.verdicts import Ballot, Indices

Decided = Sequence[tuple[Ballot, Decision]]


def preferences_of(stage: PreferStage, ballots: Sequence[Ballot]) -> tuple[list[Preference], pa.Table]:
    """Return what ``stage`` decides on ``ballots``: rows without their pairs, and the table with them."""
    decisions = [stage.decide(ballot) for ballot in ballots]
    rows = [stage.row(ballot, decision) for ballot, decision in zip(ballots, decisions, strict=True)]
    table = table_of(Preference, rows)
    numbers = [0 if decision is None else decision.kept.size for decision in decisions]
    if not any(numbers):
        return rows, table
    decided = [(b, d) for b, d in zip(ballots, decisions, strict=True) if d is not None]
    field = schema_of(Preference).field("pairs")
    pairs = _listed(field.type, numbers, _pairs(field.type.value_type, decided, stage.votes))
    return rows, table.set_column(table.schema.get_field_index(field.name), field, pairs)


def _pairs(kind: pa.StructType, decided: Decided, votes: Sequence[str]) -> pa.Array:
    """Return the pairs of all decisions, one after the other; ``votes`` are the scores that vote."""
    models = np.array([model for ballot, _ in decided for model in ballot.models], dtype=object)
    takes = np.array([take for ballot, _ in decided for take in ballot.takes])
    scores = np.concatenate([np.stack([b.scores[vote] for vote in votes], axis=1) for b, _ in decided])
    chosen, rejected = _sides(decided)
    margins = kind.field("margins").type
    return _struct(
        kind,
        {
            "chosen_model": models[chosen],
            "chosen_take": takes[chosen],
            "rejected_model": models[rejected],
            "rejected_take": takes[rejected],
            "strength": np.concatenate([d.found.strengths[d.kept] for _, d in decided]),
            "margins": _listed(
                margins,
                np.full(chosen.size, len(votes)),
                _struct(
                    margins.value_type,
                    {
                        "metric": np.tile(np.array(votes, dtype=object), chosen.size),
                        "chosen": scores[chosen].ravel(),
                        "rejected": scores[rejected].ravel(),
                        "advantage": np.concatenate([d.found.advantages[d.kept] for _, d in decided]).ravel(),
                    },
                ),
            ),
        },
    )


def _sides(decided: Decided) -> tuple[Indices, Indices]:
    """Return both sides of all pairs, by their places among the candidates of all ballots."""
    starts = np.cumsum([0, *(len(ballot.models) for ballot, _ in decided)])[:-1]
    kept = [(d.found, d.kept, start) for (_, d), start in zip(decided, starts, strict=True)]
    chosen = np.concatenate([found.chosen[places] + start for found, places, start in kept])
    rejected = np.concatenate([found.rejected[places] + start for found, places, start in kept])
    return chosen, rejected


def _struct(kind: pa.StructType, columns: Mapping[str, object]) -> pa.Array:
    arrays = [pa.array(columns[field.name], field.type) for field in kind]
    return pa.StructArray.from_arrays(arrays, fields=list(kind))


def _listed(kind: pa.ListType, numbers: Iterable[int], values: pa.Array) -> pa.Array:
    """Cut ``values`` into lists of these lengths."""
    offsets = np.cumsum([0, *numbers], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind)
