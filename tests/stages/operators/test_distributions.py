"""What each way to draw a parameter promises."""

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from schemas import AudioRef, ConfigError
from stages.operators.distribution_forms import distribution_of
from stages.operators.distributions import (
    Bucket,
    Buckets,
    Constant,
    FromPool,
    OneOf,
    SeveralFromPool,
    bounds_of,
)
from stages.operators.rng import rng_for


def ref(name: str) -> AudioRef:
    """Return a recording of the pool of voices."""
    return AudioRef(pool="voices", id=name, digest="0" * 64, sample_rate=16_000, num_samples=16_000)


POOLS = {"voices": tuple(ref(name) for name in "abcdefgh")}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"one_of": [1, 2], "weights": [3, 1]}, OneOf(values=(1, 2), weights=(3, 1))),
        (
            {"buckets": [[-5, 0, 0.05], [0, 5, 0.95]]},
            Buckets(buckets=(Bucket(low=-5, high=0, weight=0.05), Bucket(low=0, high=5, weight=0.95))),
        ),
        (
            {"from_pool": {"pool": "voices", "other_speaker": True}},
            FromPool(pool="voices", other_speaker=True),
        ),
        (
            {"several_from_pool": {"pool": "voices", "count": [2, 6], "other_speaker": True}},
            SeveralFromPool(pool="voices", low=2, high=6, other_speaker=True),
        ),
        ({"weights": [1, 2]}, Constant(value={"weights": [1, 2]})),
    ],
)
def test_short_forms_mean_distributions(said: Any, meant: object) -> None:
    """As a config writes them."""
    assert distribution_of(said) == meant


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"one_of": [1, 2], "weights": [1]}, "2 values have 1 weights"),
        ({"one_of": [1, 2], "weights": [0, 0]}, "at least one weight must be above 0"),
        ({"buckets": [[0, 5]]}, r"a bucket takes \[low, high, weight\]"),
        ({"buckets": [[5, 0, 1]]}, "the lower bound 5.0 is above the upper bound 0.0"),
        ({"several_from_pool": "voices"}, "several_from_pool takes"),
        ({"several_from_pool": {"pool": "voices", "count": [6, 2]}}, "the lower bound 6 is above"),
        ({"from_pool": {"pool": "voices", "speaker": "x"}}, "speaker"),
    ],
)
def test_impossible_contents_are_refused(said: Any, why: str) -> None:
    """With what is wrong about them."""
    with pytest.raises((ValueError, ValidationError), match=why):
        distribution_of(said)


def test_weights_are_met() -> None:
    """A value with three times the weight is drawn three times as often, one with none never."""
    drawn = OneOf(values=("a", "b", "c"), weights=(0.6, 0.2, 0.0))
    rng = rng_for(0, "weights")

    counts = Counter(str(drawn.draw(rng, {})) for _ in range(4_000))

    assert counts["a"] == pytest.approx(3_000, abs=120)
    assert counts["c"] == 0


def test_buckets_make_a_histogram() -> None:
    """Each bucket as often as its weight says, and all values of it."""
    rows = ((-5.0, 0.0, 0.05), (0.0, 5.0, 0.30), (5.0, 10.0, 0.45), (10.0, 20.0, 0.20))
    drawn = Buckets(buckets=tuple(Bucket(low=a, high=b, weight=w) for a, b, w in rows))
    rng = rng_for(0, "buckets")

    values = [float(str(drawn.draw(rng, {}))) for _ in range(4_000)]

    for low, high, weight in rows:
        assert sum(low <= value < high for value in values) == pytest.approx(4_000 * weight, abs=120)
    assert bounds_of(drawn) == (-5.0, 0.0, 0.0, 5.0, 5.0, 10.0, 10.0, 20.0)


def test_several_recordings_are_all_different() -> None:
    """From the lowest to the highest number, all as often."""
    drawn = SeveralFromPool(pool="voices", low=2, high=4)
    rng = rng_for(0, "several")

    chosen = [drawn.draw(rng, POOLS) for _ in range(1_500)]

    names = [[each["id"] for each in one] for one in chosen if isinstance(one, list)]  # type: ignore[call-overload,index]
    assert all(len(set(one)) == len(one) for one in names)
    assert Counter(map(len, names)) == pytest.approx({2: 500, 3: 500, 4: 500}, abs=80)


def test_a_pool_may_have_fewer_recordings_than_the_highest_number() -> None:
    """But not fewer than the lowest."""
    rng = rng_for(0, "few")

    assert len(str(SeveralFromPool(pool="voices", low=2, high=99).draw(rng, POOLS)).split("'id'")) <= 9
    with pytest.raises(ConfigError, match="has 8 recordings to choose from"):
        SeveralFromPool(pool="voices", low=9, high=99).draw(rng, POOLS)
