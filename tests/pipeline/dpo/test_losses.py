"""Losses of preferences, each held to a definition that can be read."""

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dpo import (
    LogRatios,
    PairRewards,
    TokenLogProbs,
    anchored,
    autoregressive_log_ratios,
    cross_entropy,
    dpo_loss,
    draw_token_mask,
    flow_log_ratios,
    ipo_loss,
    masked_generative_log_ratios,
)

log_probs = st.floats(-20.0, 0.0)
Token = tuple[float, float, bool]
"""What the trained model and the reference give it, and whether it counts."""
sides = st.lists(st.tuples(log_probs, log_probs, st.booleans()), min_size=1, max_size=6)


def counted(side: Sequence[Token]) -> list[float]:
    """Return log π − log π_ref of the tokens that count."""
    return [policy - reference for policy, reference, counts in side if counts]


def mean(values: Sequence[float]) -> float:
    """Return the mean, and 0 of nothing."""
    return math.fsum(values) / max(1, len(values))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^−x) for any size of x."""
    return 1.0 / (1.0 + math.exp(-x)) if x > 0 else math.exp(x) / (1.0 + math.exp(x))


def one_pair(side: Sequence[Token]) -> TokenLogProbs:
    """Return a side as a batch of one, with padding that must not count."""
    policy, reference, mask = zip(*side, (-math.inf, -math.inf, False), strict=True)
    values = (torch.tensor([each], dtype=torch.float64) for each in (policy, reference))
    return TokenLogProbs(*values, torch.tensor([mask]))


@given(chosen=sides, rejected=sides, beta=st.floats(0.01, 2.0))
def test_dpo_of_an_autoregressive_model(chosen: list[Token], rejected: list[Token], beta: float) -> None:
    """−log σ(β Σ log π/π_ref on the chosen side − β Σ on the rejected one), whatever their lengths."""
    ratios = autoregressive_log_ratios(one_pair(chosen), one_pair(rejected))

    margin = beta * (math.fsum(counted(chosen)) - math.fsum(counted(rejected)))
    assert dpo_loss(ratios, beta).item() == pytest.approx(-math.log(sigmoid(margin)), abs=1e-9)


@given(
    tokens=st.lists(st.tuples(log_probs, log_probs, log_probs, log_probs, st.booleans()), min_size=1),
    beta=st.floats(0.1, 20.0),
)
def test_dpo_of_a_masked_generative_model(
    tokens: list[tuple[float, float, float, float, bool]], beta: float
) -> None:
    """The means over the masked tokens, which are the same on both sides and for both models."""
    columns = torch.tensor(tokens, dtype=torch.float64).T[:, None]
    mask = columns[4].bool()
    ratios = masked_generative_log_ratios((columns[0], columns[1]), (columns[2], columns[3]), mask)

    chosen = [(policy, reference, masked) for policy, reference, _, _, masked in tokens]
    rejected = [(policy, reference, masked) for _, _, policy, reference, masked in tokens]
    margin = beta * (mean(counted(chosen)) - mean(counted(rejected)))
    assert dpo_loss(ratios, beta).item() == pytest.approx(-math.log(sigmoid(margin)), abs=1e-9)


@given(chosen=sides, rejected=sides, tau=st.floats(0.01, 2.0))
def test_ipo_pulls_to_a_set_difference(chosen: list[Token], rejected: list[Token], tau: float) -> None:
    """(h − 1 / 2τ)², with h per token as its authors have it."""
    ratios = autoregressive_log_ratios(one_pair(chosen), one_pair(rejected), per_token=True)

    h = mean(counted(chosen)) - mean(counted(rejected))
    assert ipo_loss(ratios, tau).item() == pytest.approx((h - 1 / (2 * tau)) ** 2, rel=1e-9, abs=1e-9)


@given(chosen=sides, weight=st.floats(0.0, 10.0), preference=st.floats(0.0, 5.0))
def test_an_anchor_is_the_mean_cross_entropy(chosen: list[Token], weight: float, preference: float) -> None:
    """Of the trained model on the chosen side; a weight of 0 leaves the loss as it is."""
    loss = anchored(torch.tensor([preference]).double(), cross_entropy(one_pair(chosen)), weight)

    anchor = -mean([policy for policy, _, counts in chosen if counts])
    assert loss.item() == pytest.approx(preference + weight * anchor, rel=1e-6, abs=1e-6)


@given(errors=st.lists(st.floats(0.0, 3.0), min_size=4, max_size=4), beta=st.floats(1.0, 1000.0))
def test_rewards_tell_which_side_gained(errors: list[float], beta: float) -> None:
    """By β log π/π_ref, here of a flow; the margin is what DPO's loss is made of."""
    ratios = flow_log_ratios(*torch.tensor(errors, dtype=torch.float64)[:, None])
    rewards = PairRewards.of(ratios, beta)

    chosen, rejected = beta * (errors[2] - errors[0]), beta * (errors[3] - errors[1])
    assert rewards.chosen.item() == pytest.approx(chosen)
    assert rewards.rejected.item() == pytest.approx(rejected)
    assert rewards.margin.item() == rewards.chosen.item() - rewards.rejected.item()
    assert rewards.accuracy.item() == float(rewards.margin.item() > 0)
    expected = -math.log(max(sigmoid(rewards.margin.item()), 1e-300))
    assert dpo_loss(ratios, beta).item() == pytest.approx(expected, abs=1e-9) or expected > 690


def test_rewards_have_means_and_no_gradients() -> None:
    """For a log of a training: four numbers of a batch."""
    ratios = LogRatios(
        torch.tensor([1.0, -1.0, 0.0], requires_grad=True), torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
    )
    means = PairRewards.of(ratios, beta=2.0).mean()

    assert [round(each.item(), 6) for each in means] == pytest.approx([0.0, 2 / 3, -2 / 3, 1 / 3], abs=1e-6)
    assert not any(each.requires_grad for each in means)


def test_gradients_pull_the_sides_apart_and_padding_has_none() -> None:
    """The chosen tokens up, the rejected down; the reference and what does not count stay at 0."""
    policies = [torch.full((1, 3), -2.0, requires_grad=True) for _ in range(2)]
    mask = torch.tensor([[True, True, False]])
    chosen, rejected = (TokenLogProbs(each, torch.full((1, 3), -2.0), mask) for each in policies)

    anchored(
        dpo_loss(autoregressive_log_ratios(chosen, rejected), 0.1), cross_entropy(chosen), 1.0
    ).backward()

    assert policies[0].grad[0].tolist() == pytest.approx([-0.55, -0.55, 0.0])
    assert policies[1].grad[0].tolist() == pytest.approx([0.05, 0.05, 0.0])


def test_sides_under_one_mask_are_of_one_shape() -> None:
    """Otherwise a mask would broadcast to what it was not drawn for."""
    short, long = torch.zeros(2, 3), torch.zeros(2, 4)
    with pytest.raises(ValueError, match=r"one shape, and these have \(2, 3\), \(2, 3\), \(2, 4\)"):
        masked_generative_log_ratios((short, short), (long, long), torch.ones(2, 1, dtype=torch.bool))


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_masks_hide_a_drawn_share_of_what_is_there(lengths: list[int], seed: int) -> None:
    """At least one token of each row, none of its padding, and the same for the same seed."""
    valid = torch.arange(40)[None] < torch.tensor(lengths)[:, None]
    first, again = (draw_token_mask(valid, torch.Generator().manual_seed(seed)) for _ in range(2))

    assert torch.equal(first, again)
    assert not (first & ~valid).any()
    assert (first.sum(1) >= 1).all()


def test_shares_of_masks_follow_the_cosine() -> None:
    """Their mean is 2 / π, and they reach from next to nothing to everything."""
    valid = torch.ones(4000, 8, 8, dtype=torch.bool)
    shares = draw_token_mask(valid, torch.Generator().manual_seed(0)).double().mean((1, 2))

    assert shares.mean().item() == pytest.approx(2 / math.pi, abs=0.02)
    assert shares.min().item() < 0.05
    assert shares.max().item() == 1.0
