"""Rewards of scores: what they are, and what becomes of what is missing."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.panel import Panel, PanelScores, group_advantages
from schemas import Reason, Score, Status
from tests.conftest import tone
from tests.support.speech_like import white_noise

NAN = np.nan
PANEL = {
    "metrics": [{"kind": "estoi"}, {"kind": "spectral_envelope"}, {"kind": "si_sdr"}],
    "preference": {
        "criteria": [{"metric": "estoi", "margin": 0.1}, {"metric": "spectral_envelope", "margin": 0.1}],
        "vetoes": [{"score": "si_sdr", "at_least": 0.0}, {"max_length_change_s": 0.1}],
    },
}


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    """Return a panel in which more is better for one vote, and less for the other."""
    (tmp_path / "panel.yaml").write_text(yaml.safe_dump(PANEL))
    return Panel.load(tmp_path / "panel.yaml")


def scores_from(**columns: list[float]) -> PanelScores:
    """Return scores by name; NaN stands for a reason."""

    def one(name: str, value: float) -> Score:
        if np.isnan(value):
            return Score(name=name, status=Status.FAILED, reason=Reason.ERROR)
        return Score(name=name, value=value)

    rows = zip(*columns.values(), strict=True)
    return PanelScores(
        tuple({name: one(name, value) for name, value in zip(columns, row, strict=True)} for row in rows)
    )


def test_rewards_are_weighted_sums_of_comparable_scores(panel: Panel) -> None:
    """Each divided by its spread over the batch, less being better where it is; NaN where one is missing."""
    scores = scores_from(
        estoi=[0.2, 0.4, 0.9, NAN], spectral_envelope=[3.0, 1.0, 1.0, 2.0], si_sdr=[1.0, 2.0, 3.0, 4.0]
    )
    better = panel.resolved.outputs()["spectral_envelope"].better
    sign = 1.0 if better == "higher" else -1.0

    rewards = panel.reward(scores)
    plain = panel.reward(scores, {"estoi": 2.0}, normalise="none")

    spread = np.std([0.2, 0.4, 0.9]), np.std([3.0, 1.0, 1.0, 2.0])
    expected = [a / spread[0] + sign * b / spread[1] for a, b in ((0.2, 3.0), (0.4, 1.0), (0.9, 1.0))]
    np.testing.assert_allclose(rewards, [*expected, NAN])
    np.testing.assert_allclose(plain, [0.4, 0.8, 1.8, NAN])
    with pytest.raises(ValueError, match="the panel has no score pesq; it has estoi"):
        panel.reward(scores, {"pesq": 1.0})


def test_unanimity_is_the_share_of_the_group_that_is_beaten(panel: Panel) -> None:
    """On every vote beyond its margin; not where a veto falls; nobody is compared across groups."""
    sign = 1.0 if panel.resolved.outputs()["spectral_envelope"].better == "higher" else -1.0
    scores = scores_from(
        estoi=[0.9, 0.5, 0.45, NAN, 0.8, 0.1, 0.3],
        spectral_envelope=[sign * x for x in (3.0, 2.0, 1.0, 1.0, 9.0, 1.0, 1.0)],
        si_sdr=[5.0, 5.0, 5.0, 5.0, -1.0, 5.0, 5.0],
    )

    shares = panel.unanimity(scores, ["a", "a", "a", "a", "b", "b", "c"])

    np.testing.assert_array_equal(shares, [1.0, 0.0, 0.0, NAN, 0.0, 0.0, NAN])


def test_advantages_leave_out_what_has_no_reward() -> None:
    """Within each group, by its own mean and spread; nothing becomes a number that was not measured."""
    rewards = np.array([1.0, 3.0, NAN, 2.0, 2.0, NAN, 7.0])

    advantages = group_advantages(rewards, [0, 0, 0, 1, 1, 2, 2])

    np.testing.assert_array_equal(advantages, [-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_items_of_a_panel_have_values_or_reasons(panel: Panel) -> None:
    """A candidate that is not finite, or another length, does not take its neighbours along."""
    clean = tone()
    noisy = clean.with_samples(clean.samples + 0.0001 * white_noise(16_000, "panel"))
    broken = clean.samples.copy()
    broken[100] = NAN

    scores = panel.score(
        [noisy, broken, noisy.samples[:-200], noisy], [clean, clean, clean, None], sample_rate=16_000
    )

    assert scores.items[0]["estoi"].value is not None
    assert [item["estoi"].reason for item in scores.items] == [
        None,
        Reason.NOT_FINITE,
        Reason.WRONG_SHAPE,
        Reason.NO_REFERENCE,
    ]
    np.testing.assert_array_equal(np.isnan(scores.values("si_sdr")), [False, True, True, True])


def test_panels_say_what_they_cannot_take(panel: Panel, tmp_path: Path) -> None:
    """Sequences that do not fit, stereo, arrays without a rate, and votes where nobody votes."""
    clean = tone()
    with pytest.raises(ValueError, match="1 for 2 candidates"):
        panel.score([clean, clean], [clean])
    with pytest.raises(ValueError, match=r"one dimension, got the shape \(2, 100\)"):
        panel.score([np.zeros((2, 100))], sample_rate=16_000)
    with pytest.raises(ValueError, match="need a 'sample_rate'"):
        panel.score([clean.samples])
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump({"metrics": PANEL["metrics"]}))
    with pytest.raises(ValueError, match="nobody votes"):
        Panel.load(tmp_path / "bare.yaml").unanimity(scores_from(estoi=[1.0]), [0])
