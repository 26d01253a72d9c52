"""Global generators: a named stream while they are lent, what they were afterwards."""

import random

import numpy as np
import pytest

from stages.operators.rng import rng_for
from stages.runtime.seeding import seeded_from

torch = pytest.importorskip("torch")


def drawn() -> tuple[float, float, float]:
    """Draw from each of the three."""
    return random.random(), float(np.random.random()), float(torch.rand(1))  # noqa: NPY002


def failing_while_drawing() -> None:
    """Fail after some draws."""
    with seeded_from(rng_for(0, "one")):
        drawn()
        raise ValueError("on the way")


def test_they_follow_the_stream() -> None:
    """The same stream gives the same numbers whatever was drawn before; another one gives others."""
    numbers = []
    for name in ("one", "one", "other"):
        drawn()
        with seeded_from(rng_for(0, name)):
            numbers.append(drawn())

    assert numbers[0] == numbers[1]
    assert all(one != other for one, other in zip(numbers[0], numbers[2], strict=True))


def test_they_go_on_as_if_nothing_had_been() -> None:
    """Also when what drew from them has failed."""
    states = random.getstate(), repr(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002

    with pytest.raises(ValueError, match="on the way"):
        failing_while_drawing()

    assert random.getstate() == states[0]
    assert repr(np.random.get_state()) == states[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])
