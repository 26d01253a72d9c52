"""What agreement promises: Kendall's τ-b as SciPy gives it, whatever is tied or missing."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import kendalltau

from pipeline.audit.candidate_batches import CandidateBatch, Damage
from pipeline.audit.correlation import CORRELATION_DIGITS, Correlations
from pipeline.audit.records import Group, ScoreCorrelation
from tests.support.candidate_batches import MODELS, QUALITY, batch_of, tables

Table = Sequence[Sequence[Sequence[float]]]
UPWARDS = np.array([1.0, -1.0, 1.0, 1.0])
RESTORED = [place for place, model in enumerate(MODELS) if model != "clean"]


def agreement(batch: CandidateBatch) -> dict[tuple[Group, str], ScoreCorrelation]:
    """Return what is found on a batch, by group."""
    correlations = Correlations(UPWARDS[: batch.scores.shape[2]])
    correlations.add(batch)
    return {(found.by, found.name): found for found in correlations.walk_groups()}


@settings(deadline=None, max_examples=50)
@given(tables)
def test_tau_is_that_of_scipy(table: Table) -> None:
    """Averaged over the degraded versions that have one; the clean reference takes no part."""
    batch = batch_of(table)

    found = agreement(batch)[Group.ALL, "all"]

    better = batch.scores[:, RESTORED] * UPWARDS
    for a in range(4):
        for b in range(4):
            taus = [tau for row in better if not np.isnan(tau := _tau(row[:, a], row[:, b]))]
            expected = None if not taus else pytest.approx(np.mean(taus), abs=10**-CORRELATION_DIGITS)
            assert found.tau[a][b] == expected


def _tau(x: np.ndarray, y: np.ndarray) -> float:
    both = ~np.isnan(x) & ~np.isnan(y)
    return float(kendalltau(x[both], y[both]).statistic) if both.sum() > 1 else float("nan")


@settings(deadline=None, max_examples=50)
@given(tables)
def test_disagreement_is_counted_two_by_two(table: Table) -> None:
    """A comparison disagrees if the two scores favour different sides; a tie favours none."""
    batch = batch_of(table)

    found = agreement(batch)[Group.ALL, "all"]

    better = batch.scores[:, RESTORED] * UPWARDS
    for a in range(4):
        for b in range(4):
            signs = [
                np.sign(row[i, a] - row[j, a]) * np.sign(row[i, b] - row[j, b])
                for row in better
                for i, j in combinations(range(len(RESTORED)), 2)
            ]
            known = [sign for sign in signs if not np.isnan(sign)]
            expected = (
                None
                if not known
                else pytest.approx(np.mean([s < 0 for s in known]), abs=10**-CORRELATION_DIGITS)
            )
            assert found.disagreeing[a][b] == expected


def test_tells_degradations_and_models_apart() -> None:
    """Two scores that rank takes of one model alike, and those of two models the other way round."""
    row = [(0.0, 0.0), (1.0, 1.0), (5.0, -5.0)]
    noise, reverb = Damage(("noise",), 5.0), Damage(("reverb", "noise"), 0.0)
    batch = batch_of([row, row], models=("a", "a", "b"), criteria=[QUALITY], damages={0: noise, 1: reverb})
    correlations = Correlations(np.ones(2))

    correlations.add(batch)
    found = {(one.by, one.name): one for one in correlations.walk_groups()}

    assert [group for _, group in found] == ["all", "noise", "reverb", "a", "a × b"]
    assert (found[Group.MODELS, "a"].tau[0][1], found[Group.MODELS, "a × b"].tau[0][1]) == (1, -1)
    assert found[Group.MODELS, "a × b"].disagreeing[0][1] == 1
    assert found[Group.ALL, "all"].tau[0][1] == pytest.approx((1 - 2) / 3, abs=1e-4)
    assert [found[Group.DEGRADATION, kind].inputs for kind in ("noise", "reverb")] == [2, 1]
    assert found[Group.DEGRADATION, "noise"].comparisons == 6


def test_one_candidate_agrees_with_nobody() -> None:
    """There is nothing to compare."""
    assert not agreement(batch_of([[(1.0, 1.0, 1.0, 1.0)]], models=("a",)))
