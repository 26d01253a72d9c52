"""The benchmarks of generative restorers and of what pairs do to them, as far as arithmetic goes."""

import argparse
from pathlib import Path

import pytest
import soundfile
import yaml

from pipeline.config.resolve import ResolvedConfig, resolve
from tests.benchmarks import generative, proof
from tests.support.neural_weights import write_generative
from tests.support.speech_like import speech_like


@pytest.fixture
def arguments(tmp_path: Path) -> argparse.Namespace:
    """Return a command line over one recording, without metrics whose weights are fetched."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    soundfile.write(folder / "a.flac", speech_like(1.0, sample_rate=16_000).samples, 16_000)
    names = ("speech", "noise", "responses", "test_speech", "test_noise", "test_responses")
    return argparse.Namespace(
        **dict.fromkeys(names, folder),
        weights=write_generative(tmp_path / "weights"),
        nisqa=None,
        models=["fm", "ar"],
        takes=3,
        temperatures=[0.2, 1.2],
        repeats=2,
        out=tmp_path / "out",
    )


def resolved(config: dict[str, object], place: Path) -> ResolvedConfig:
    """Return a config as a run has it, with metrics that need no weights."""
    votes = ["estoi", "pesq"]
    config["metrics"] = [{"kind": kind} for kind in votes]
    uncovered = ["perceptual_quality", "timbre_preservation"]
    config["preference"] = {"criteria": votes, "uncovered": uncovered}
    config["restorers"] = [each for each in config["restorers"] if each["kind"] != "gtcrn"]  # type: ignore[attr-defined]
    path = place / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return resolve(path)


def test_both_halves_are_configs(arguments: argparse.Namespace, tmp_path: Path) -> None:
    """Each restorer that is asked for has its takes, beside those that need no training."""
    for name in ("easy", "hard"):
        run = resolved(generative.config_of(arguments, name), tmp_path)

        takes = {setup.name: setup.takes for setup in run.restorers}
        assert takes == {"identity": 1, "wiener": 1, "spectral_gate": 1, "fm": 3, "ar": 3}


def test_shares_count_what_all_votes_say(arguments: argparse.Namespace, tmp_path: Path) -> None:
    """Of three comparisons of an input one is unanimous by far, one only just, and one is not."""
    run = resolved(generative.config_of(arguments, "easy"), tmp_path)
    scores = [(0.50, 1.50), (0.60, 2.00), (0.61, 1.99)]
    rows = [{"degraded_id": "a", "estoi": estoi, "pesq": pesq} for estoi, pesq in scores]
    rows.append({"degraded_id": "b", "estoi": 0.1, "pesq": 1.0})

    assert generative.unanimous_shares(run, rows) == pytest.approx((2 / 3, 2 / 3))
    assert generative.unanimous_shares(run, [rows[0], {**rows[0], "estoi": 0.501, "pesq": 1.9}]) == (1.0, 0.0)


def test_a_gain_that_leaves_nothing_out_has_a_star() -> None:
    """Means over inputs are compared in pairs; an interval around 0 says that it may be chance."""
    before = {str(number): [1.0, 1.2] for number in range(40)}
    sure = {name: [1.3, 1.3] for name in before}
    unsure = {name: [1.1 + (0.3 if int(name) % 2 else -0.3)] for name in before}

    assert proof.gain_of(before, sure) == "+0.200 [+0.200, +0.200]*"
    assert not proof.gain_of(before, unsure).endswith("*")


def test_the_run_that_judges_is_a_config(arguments: argparse.Namespace, tmp_path: Path) -> None:
    """Each tuned model has a name of its own, which says what it was tuned by."""
    tuned = {("fm", "estoi", 0): arguments.weights, ("ar", proof.CHANCE, 1): arguments.weights}

    run = resolved(proof.judging_config(arguments, tuned), tmp_path)

    names = {setup.name for setup in run.restorers}
    assert names == {"fm-untuned-0", "ar-untuned-0", "fm-estoi-0", "ar-chance-1"}


def test_a_single_vote_leaves_aspects_uncovered_on_purpose(arguments: argparse.Namespace) -> None:
    """Pairs by one vote alone say so; unanimous ones and their control have all votes."""
    assert proof.preference_of("estoi")["uncovered"] == list(proof.ASPECTS)
    assert "uncovered" not in proof.preference_of(proof.UNANIMOUS)
    assert proof.preference_of(proof.CHANCE) == proof.preference_of(proof.UNANIMOUS)
    assert proof.base_config(arguments, "pairs")["degradations"]["repeats"] == 2
    assert proof.base_config(arguments, "test")["degradations"]["repeats"] == 1
