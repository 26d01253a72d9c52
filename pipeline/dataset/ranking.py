"""The candidates of one input in the order that unanimity gives them, as far as it gives one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.dataset.description import DatasetDescription
from stages.prefer.comparisons import CandidateScores, compare_candidates


@dataclass(frozen=True, slots=True)
class Layers:
    """Places of candidates, the best layer first: each is beaten by somebody in the layer above."""

    layers: tuple[tuple[int, ...], ...]
    num_unranked: int
    """Candidates without every vote, or that a veto refuses on either side."""


def layers_of(rows: Sequence[Mapping[str, Any]], said: DatasetDescription) -> Layers:
    """Return the layers of one input's candidates by the dataset's criteria and vetoes.

    A candidate beats another if it wins every vote beyond its margin, which is an order: what beats what
    beats a third beats that too. The first layer are those that nobody beats, the next those that nobody
    beats once the first are gone, and so on; where each has one member the order is total.
    """
    names = dict.fromkeys(
        [*(criterion.metric for criterion in said.criteria), *(veto.looks_at for veto in said.vetoes)]
    )
    scores = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    candidates = CandidateScores("", [row["model"] for row in rows], range(len(rows)), scores)
    ranked = np.array([_has_votes(row, said) for row in rows], dtype=bool)
    everybody = np.arange(len(rows))
    for veto in said.vetoes:
        ranked &= ~veto.refuses(candidates, everybody, everybody)
    found = compare_candidates(candidates, said.criteria, *np.triu_indices(len(rows), k=1)).unanimous
    beats = list(zip(found.chosen.tolist(), found.rejected.tolist(), strict=True))
    left = {place for place in range(len(rows)) if ranked[place]}
    layers = []
    while left:
        beaten = {loser for winner, loser in beats if winner in left}
        layer = tuple(sorted(left - beaten))
        layers.append(layer)
        left -= set(layer)
    return Layers(tuple(layers), len(rows) - int(ranked.sum()))


def _has_votes(row: Mapping[str, Any], said: DatasetDescription) -> bool:
    return all(row[criterion.metric] is not None for criterion in said.criteria)
