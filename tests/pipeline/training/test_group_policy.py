"""GRPO of ``fm``: better takes become likelier than worse ones, and what has no reward pulls nowhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from pipeline.dpo import clipped_loss
from pipeline.panel import Panel, PanelScores
from pipeline.training.group_policy import GroupInput, GroupPolicyTrainer, GroupTraining, Takes
from pipeline.training.lessons import FlowLesson
from pipeline.training.preference_session import open_lesson
from stages.networks.generative.context import hear
from stages.operators.rng import rng_for
from tests.support.neural_weights import write_generative
from tests.support.speech_like import speech_like

HOW = GroupTraining(takes=4, flow_steps=1, places=2, passes=1, learning_rate=1e-3)
PANEL = {
    "metrics": [{"kind": "log_spectral_distance"}, {"kind": "si_sdr"}],
    "preference": {
        "criteria": [
            {"metric": "log_spectral_distance", "margin": 0.0, "diagnostic": True},
            {"metric": "si_sdr", "margin": 0.0, "diagnostic": True},
        ]
    },
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small networks of random weights."""
    return write_generative(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """Return a panel of two metrics that ask for a clean reference."""
    path = tmp_path_factory.mktemp("panel") / "panel.yaml"
    path.write_text(yaml.safe_dump(PANEL))
    return Panel.load(path)


def given(name: str, *, is_clean_known: bool = True) -> GroupInput:
    """Return half a second of speech in noise."""
    clean = speech_like(0.5, sample_rate=16_000).samples
    noise = rng_for(0, name).normal(scale=0.05, size=clean.size).astype(np.float32)
    return GroupInput(name, clean + noise, clean if is_clean_known else None)


class WatchedTrainer(GroupPolicyTrainer):
    """Keeps what was drawn and how it was rewarded."""

    drawn: list[Takes]

    def judge(self, inputs: Sequence[GroupInput], drawn: Sequence[Takes]) -> PanelScores:
        """See ``GroupPolicyTrainer``."""
        self.drawn = list(drawn)
        return super().judge(inputs, drawn)


def trainer_of(weights: Path, panel: Panel, how: GroupTraining = HOW) -> tuple[WatchedTrainer, Any]:
    """Return a trainer, and the network that it trains."""
    lesson = open_lesson("fm", weights, "cpu")
    assert isinstance(lesson, FlowLesson)
    return WatchedTrainer(lesson, panel, how), lesson


def flow_errors(lesson: Any, takes: Takes) -> torch.Tensor:
    """Return the error of flow matching of each take, at many places that are always the same."""
    generator = torch.Generator().manual_seed(7)
    gains = takes.gains.repeat_interleave(64, 0)
    noise = torch.randn(gains.shape[1:], generator=generator).expand(gains.shape)
    moments = torch.linspace(0.05, 0.95, 64).repeat(len(takes.gains))
    with torch.no_grad():
        condition = lesson.network.condition(*takes.told).expand(len(gains), -1, -1)
        found: torch.Tensor = lesson.network.errors(gains, condition, noise, moments)
    return found.reshape(len(takes.gains), -1).mean(dim=1)


@pytest.mark.parametrize("reward", ["scores", "unanimity"])
def test_better_takes_become_likelier_than_worse_ones(reward: Any, weights: Path, panel: Panel) -> None:
    """Some steps on one drawing lower the flow's error on the best take, seen from that on the worst."""
    trainer, lesson = trainer_of(weights, panel, replace(HOW, reward=reward, passes=6, kl=0.0))
    before = open_lesson("fm", weights, "cpu")

    step = trainer.step([given("a")])

    (takes,) = trainer.drawn
    scores = panel.score(list(takes.audio), [given("a").clean] * 4, sample_rate=16_000)
    rewards = panel.reward(scores) if reward == "scores" else panel.unanimity(scores, ["a"] * 4)
    best, worst = int(np.argmax(rewards)), int(np.argmin(rewards))
    gained = flow_errors(before, takes) - flow_errors(lesson, takes)
    assert step.is_learnt
    assert rewards[best] > rewards[worst]
    assert gained[best] > gained[worst]


def test_steps_are_those_of_their_seed(weights: Path, panel: Panel) -> None:
    """The same settings give the same weights to the bit, another seed others; the estimate stays."""
    found = []
    for seed in (0, 0, 1):
        trainer, lesson = trainer_of(weights, panel, replace(HOW, seed=seed))
        steps = [trainer.step([given("a"), given("b")]) for _ in range(2)]
        state = {**lesson.network.state_dict(), **lesson.estimator.state_dict()}
        found.append(([str(step) for step in steps], {name: each.clone() for name, each in state.items()}))

    assert found[0][0] == found[1][0] != found[2][0]
    assert all(torch.equal(value, found[1][1][name]) for name, value in found[0][1].items())
    frozen = open_lesson("fm", weights, "cpu").estimator.state_dict()
    assert all(torch.equal(value, found[0][1][name]) for name, value in frozen.items())


def test_a_group_without_scores_pulls_nowhere(weights: Path, panel: Panel) -> None:
    """No reference, so no votes: alone there is nothing to learn; beside another group it changes nothing."""
    trainer, lesson = trainer_of(weights, panel)
    at_first = {name: value.clone() for name, value in lesson.network.state_dict().items()}

    step = trainer.step([given("a", is_clean_known=False)])

    assert (step.unrewarded, step.is_learnt, step.kl) == (4, False, 0.0)
    assert "4 of 4 takes without a reward; nothing to learn from" in str(step)
    assert all(torch.equal(value, at_first[name]) for name, value in lesson.network.state_dict().items())
    both = trainer.step([given("a", is_clean_known=False), given("b")])
    assert (both.unrewarded, both.takes, both.is_learnt) == (4, 8, True)
    assert both.kl > 0.0
    assert all(torch.isfinite(value).all() for value in lesson.network.state_dict().values())


def test_takes_are_what_the_restorer_draws_from(weights: Path, panel: Panel) -> None:
    """They differ, are as long and about as loud as the input, and have gains for each of its steps."""
    trainer, lesson = trainer_of(weights, panel)
    source = given("a")

    takes = trainer.draw(source, "take", 0)

    assert len({audio.samples.tobytes() for audio in takes.audio}) == HOW.takes
    for audio in takes.audio:
        assert audio.samples.size == source.degraded.size
        assert 0.1 < np.std(audio.samples) / np.std(source.degraded) < 10.0
    assert takes.gains.shape[0] == HOW.takes
    assert (
        takes.gains.shape[-1]
        == takes.told[0].shape[-1]
        == hear(lesson.estimator, torch.from_numpy(source.degraded)[None]).hidden.shape[-1]
    )
    with pytest.raises(ValueError, match="empty has no samples"):
        trainer.draw(GroupInput("empty", np.zeros(0, np.float32), None), "take", 0)


def test_the_loss_is_the_published_formula() -> None:
    """−min(ρ A, clip(ρ) A): the slope is −A at first, and nothing beyond the clip; no advantage, no slope."""
    ratios = torch.tensor([1.0, 1.5, 0.5, 0.5, 1.5, 1.5])
    advantages = torch.tensor([2.0, 1.0, -1.0, 1.0, -1.0, 0.0])
    logs = ratios.log().requires_grad_()

    losses = clipped_loss(logs, advantages, 0.2)
    losses.sum().backward()

    assert losses.tolist() == pytest.approx([-2.0, -1.2, 0.8, -0.5, 1.5, 0.0])
    assert logs.grad is not None
    assert logs.grad.tolist() == pytest.approx([-2.0, 0.0, 0.0, -0.5, 1.5, 0.0])
