"""Decisions as a table of preferences, without a record of every pair and vote: in a fraction of the time."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.store.arrow import schema_of, table_of
from schemas import ComparisonCounts, Preference
from stages.prefer.comparisons import Indices
from stages.prefer.stage import Choice


def preferences_of(decided: Sequence[Choice], votes: Sequence[str]) -> pa.Table:
    """Return decisions as rows of ``Preference``; ``votes`` are the scores that vote."""
    field = schema_of(Preference).field("pairs")
    kept = [row for row in decided if len(row.kept)]
    values = _pairs(field.type.value_type, kept, votes) if kept else pa.array([], field.type.value_type)
    pairs = _list_array(field.type, (len(row.kept) for row in decided), values)
    return table_of(ComparisonCounts, decided).append_column(field, pairs)


def _pairs(kind: pa.StructType, kept: Sequence[Choice], votes: Sequence[str]) -> pa.Array:
    """Return all pairs, one after the other."""
    models = np.array([model for row in kept for model in row.candidates.models], dtype=object)
    takes = np.array([take for row in kept for take in row.candidates.takes])
    scores = np.concatenate(
        [np.stack([row.candidates.scores[vote] for vote in votes], axis=1) for row in kept]
    )
    chosen, rejected = _sides(kept)
    margins = kind.field("margins").type
    return _struct(
        kind,
        {
            "chosen_model": models[chosen],
            "chosen_take": takes[chosen],
            "rejected_model": models[rejected],
            "rejected_take": takes[rejected],
            "strength": np.concatenate([row.kept.strengths for row in kept]),
            "margins": _list_array(
                margins,
                np.full(chosen.size, len(votes)),
                _struct(
                    margins.value_type,
                    {
                        "metric": np.tile(np.array(votes, dtype=object), chosen.size),
                        "chosen": scores[chosen].ravel(),
                        "rejected": scores[rejected].ravel(),
                        "advantage": np.concatenate([row.kept.advantages for row in kept]).ravel(),
                    },
                ),
            ),
        },
    )


def _sides(kept: Sequence[Choice]) -> tuple[Indices, Indices]:
    """Return both sides of all pairs, by their places among the candidates of all utterances."""
    starts = np.cumsum([0, *(len(row.candidates.models) for row in kept)])[:-1]
    both = list(zip((row.kept for row in kept), starts, strict=True))
    chosen = np.concatenate([pairs.chosen + start for pairs, start in both])
    rejected = np.concatenate([pairs.rejected + start for pairs, start in both])
    return chosen, rejected


def _struct(kind: pa.StructType, columns: Mapping[str, object]) -> pa.Array:
    arrays = [pa.array(columns[field.name], field.type) for field in kind]
    return pa.StructArray.from_arrays(arrays, fields=list(kind))


def _list_array(kind: pa.ListType, numbers: Iterable[int], values: pa.Array) -> pa.Array:
    """Cut ``values`` into lists of these lengths."""
    offsets = np.cumsum([0, *numbers], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind)
