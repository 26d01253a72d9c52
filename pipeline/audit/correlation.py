"""Correlation: Kendall's τ and the share of contradictions between all scores, group by group."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.audit.options import Mask
from pipeline.audit.records import Group, ScoreCorrelation
from schemas.rows import CLEAN
from stages.prefer.comparisons import Floats64
from stages.prefer.pair_rules import PairRule

CORRELATION_DIGITS = 4
Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(slots=True)
class _Sums:
    """Matrices by score and score, added up over degraded utterances."""

    tau: Floats64 | float = 0.0
    with_tau: Floats64 | float = 0.0
    discordant: Floats64 | float = 0.0
    compared: Floats64 | float = 0.0
    inputs: int = 0
    comparisons: int = 0


@dataclass(slots=True)
class _Tables:
    """Of each degraded utterance: τ-b, and numbers of discordant comparisons and of comparisons at all."""

    tau: Floats64
    discordant: Floats64
    compared: Floats64
    num_comparisons: int


@dataclass(slots=True)
class Correlations:
    """How scores agree on every two restorations of one degraded utterance.

    The clean reference takes no part: every score that compares with it would agree on it.
    """

    upwards: Floats64
    """What makes more the better, score by score."""
    _found: dict[tuple[Group, str], _Sums] = field(default_factory=dict)

    def add(self, batch: CandidateBatch) -> None:
        """Take in degraded utterances."""
        restored = [place for place, model in enumerate(batch.models) if model != CLEAN]
        models = [batch.models[place] for place in restored]
        first, second = PairRule().comparisons(models)
        if not first.size:
            return
        better = batch.scores[:, restored] * self.upwards
        differences = better[:, first] - better[:, second]
        tables = _tables(differences)
        self._add(Group.ALL, "all", tables, np.ones(len(batch.ids), dtype=bool))
        for kind in dict.fromkeys(kind for damage in batch.damages for kind in damage.kinds):
            damaged = np.array([kind in damage.kinds for damage in batch.damages])
            self._add(Group.DEGRADATION, kind, tables, damaged)
        names = np.array([name_of_models(models[a], models[b]) for a, b in zip(first, second, strict=True)])
        for name in dict.fromkeys(names.tolist()):
            between = _tables(differences[:, names == name])
            self._add(Group.MODELS, name, between, np.ones(len(batch.ids), dtype=bool))

    def _add(self, by: Group, name: str, tables: _Tables, rows: Mask) -> None:
        sums = self._found.setdefault((by, name), _Sums())
        tau = tables.tau[rows]
        sums.tau += np.nansum(tau, axis=0)
        sums.with_tau += (~np.isnan(tau)).sum(axis=0)
        sums.discordant += tables.discordant[rows].sum(axis=0)
        sums.compared += tables.compared[rows].sum(axis=0)
        sums.inputs += int(rows.sum())
        sums.comparisons += int(rows.sum()) * tables.num_comparisons

    def walk_groups(self) -> Iterator[ScoreCorrelation]:
        """Walk the groups: all, degradations by name, models by name."""
        order = list(Group)
        for by, name in sorted(self._found, key=lambda group: (order.index(group[0]), group[1])):
            sums = self._found[by, name]
            yield ScoreCorrelation(
                by=by,
                name=name,
                inputs=sums.inputs,
                comparisons=sums.comparisons,
                tau=_ratio(sums.tau, sums.with_tau),
                disagreeing=_ratio(sums.discordant, sums.compared),
            )


def name_of_models(a: str, b: str) -> str:
    """Return what comparisons between takes of these two models are listed under."""
    return a if a == b else " × ".join(sorted((a, b)))


def _tables(differences: Floats64) -> _Tables:
    """Return τ-b of every two scores from degraded utterance × comparison × score.

    τ-b is concordant less discordant comparisons, over the root of how many each of the two scores tells
    apart, among the comparisons that have both (Kendall, Biometrika 33, 1945).
    """
    known = (~np.isnan(differences)).astype(float)
    signs = np.sign(np.nan_to_num(differences))
    told_apart = np.abs(signs)
    balance = _by_scores(signs, signs)
    apart = _by_scores(told_apart, known)
    with np.errstate(invalid="ignore"):
        tau = balance / np.sqrt(apart * apart.transpose(0, 2, 1))
    discordant = (_by_scores(told_apart, told_apart) - balance) / 2
    return _Tables(tau, discordant, _by_scores(known, known), differences.shape[1])


def _by_scores(a: Floats64, b: Floats64) -> Floats64:
    """Sum over comparisons: degraded utterance × score of ``a`` × score of ``b``."""
    product: Floats64 = a.transpose(0, 2, 1) @ b
    return product


def _ratio(sums: Floats64 | float, numbers: Floats64 | float) -> Matrix:
    with np.errstate(invalid="ignore"):
        ratios = np.round(np.asarray(sums) / numbers, CORRELATION_DIGITS)
    return tuple(tuple(None if np.isnan(cell) else cell for cell in row) for row in ratios.tolist())
