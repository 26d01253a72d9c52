"""The loss of DPO, and a training that brings it down."""

import math
from pathlib import Path

import pytest
import torch

from pipeline.dpo import flow_dpo_loss, masked_mean
from pipeline.dpo.example import train_example
from schemas import UserError
from tests.support.pair_datasets import pair_row, write_dataset


def loss(chosen: float, rejected: float, *, beta: float = 10.0) -> float:
    """Return the loss of one pair against a reference whose errors are 0.5 and 0.7."""
    errors = [torch.tensor([error]) for error in (chosen, rejected, 0.5, 0.7)]
    return float(flow_dpo_loss(*errors, beta=beta))


def test_the_loss_is_the_published_formula() -> None:
    """−log σ(−β [(e_c − r_c) − (e_r − r_r)]), by hand."""
    assert loss(0.4, 0.75) == pytest.approx(math.log1p(math.exp(10.0 * ((0.4 - 0.5) - (0.75 - 0.7)))))
    assert loss(0.5, 0.7) == pytest.approx(math.log(2.0)), "as good as the reference on both sides"


def test_the_loss_falls_where_the_chosen_side_gains() -> None:
    """Or the rejected one loses; only the difference counts, and more with a larger β."""
    assert loss(0.4, 0.7) < loss(0.5, 0.7) < loss(0.5, 0.6)
    assert loss(0.6, 0.8) == pytest.approx(loss(0.5, 0.7))
    assert loss(0.4, 0.7, beta=100.0) < loss(0.4, 0.7)


def test_the_loss_pulls_errors_apart() -> None:
    """Its gradient pushes the chosen error down and the rejected one up; β of 1,000 overflows nowhere."""
    chosen, rejected = (torch.tensor([9.0], requires_grad=True) for _ in range(2))

    value = flow_dpo_loss(chosen, rejected, torch.tensor([0.0]), torch.tensor([5.0]))
    value.backward()

    assert value.item() == pytest.approx(5_000.0)
    assert chosen.grad.item() > 0 > rejected.grad.item()


def test_padding_takes_no_part_in_a_mean() -> None:
    """Each row by itself; a mask of frames counts for all bins, and a row of padding is 0."""
    values = torch.tensor([[[1.0, 3.0, 99.0], [2.0, 4.0, 99.0]], [[5.0, 5.0, 5.0]] * 2, [[7.0] * 3] * 2])
    mask = torch.tensor([[True, True, False], [True, True, True], [False] * 3])[:, None]

    assert masked_mean(values, mask).tolist() == [2.5, 5.0, 0.0]


def test_a_training_brings_the_loss_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From log 2, where model and reference are one, and by the same numbers when it is done again."""
    rows = [pair_row(f"pair-{number}", seconds=0.3) for number in range(8)]
    dataset = write_dataset(tmp_path / "dataset", rows)

    first, again = (train_example(dataset, steps=4, warm_up_steps=2) for _ in range(2))

    assert first == again
    assert first[0].loss == pytest.approx(math.log(2.0))
    assert first[-1].loss < 0.9 * first[0].loss
    assert first[-1].preferred > 0.5
    assert "step    4: DPO loss 0." in capsys.readouterr().out


def test_says_that_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    """A run may end without any pair, and its dataset opens all the same."""
    dataset = write_dataset(tmp_path / "dataset", [])

    with pytest.raises(UserError, match="has no pairs in its split 'train'"):
        train_example(dataset, steps=1, warm_up_steps=0)
