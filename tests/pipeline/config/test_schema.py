"""What a config may look like, and that what it lets be drawn stays in bounds."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from pipeline.config.schema import Config, PoolFiles, PoolRooms, PoolSynthesis
from schemas import Record
from schemas.field_docs import describe_fields, describe_schema
from stages.operators.distribution_forms import distribution_of
from stages.operators.distributions import bounds_of
from stages.operators.rng import rng_for
from tests.support.small_config import SMALL

CONFIGS = Path(__file__).parents[3] / "configs"
NUMBERS = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
POSITIVE = st.floats(min_value=1e-6, max_value=1e6)
WHOLE = st.integers(min_value=-(10**6), max_value=10**6)
RANGES = st.one_of(
    st.tuples(st.just("uniform"), st.tuples(NUMBERS, NUMBERS)),
    st.tuples(st.just("log_uniform"), st.tuples(POSITIVE, POSITIVE)),
    st.tuples(st.just("integer"), st.tuples(WHOLE, WHOLE)),
)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_accept_the_configs_that_ship(path: Path) -> None:
    """The JSON Schema that editors are given knows all that they say."""
    jsonschema.validate(yaml.safe_load(path.read_text()), describe_schema(Config))


@pytest.mark.parametrize("place", [(), ("ingest",), ("preference",), ("speech", 0)])
def test_editors_refuse_an_unknown_key(place: tuple[str | int, ...]) -> None:
    """Wherever it stands."""
    config = json.loads(json.dumps(SMALL))
    inner: Any = config
    for part in place:
        inner = inner[part]
    inner["sed"] = 1

    with pytest.raises(jsonschema.ValidationError, match="'sed' was unexpected"):
        jsonschema.validate(config, describe_schema(Config))


class Kept(Record):
    """A record that another one builds on."""

    size: int = 1
    """How large it is,
    in samples."""
    bare: int = 2
    named: int = Field(default=3, description="Said elsewhere.")
    """Not this."""


class Grown(Kept):
    """Another, with one field said anew."""

    bare: int = 4
    """How bare."""
    further: str = Field(default="", alias="more")
    """What else."""


def test_what_is_written_under_a_field_is_said_of_it() -> None:
    """In the class itself and in those that inherit the field; in a schema by the name that YAML has."""
    said = {"size": "How large it is,\nin samples.", "named": "Said elsewhere."}

    described = describe_schema(Grown)["properties"]

    assert describe_fields(Kept) == said
    assert describe_fields(Grown) == {**said, "bare": "How bare.", "further": "What else."}
    assert described["more"]["description"] == "What else."
    assert {name for name, field in described.items() if "description" in field} == {*said, "bare", "more"}


def test_the_form_of_a_pools_part_is_told_by_its_keys() -> None:
    """Recordings, rooms and synthesis can stand in one pool."""
    parts = [{"path": "street"}, {"rooms": 3}, {"synthesise": ["pink"]}]

    config = Config.model_validate({**SMALL, "pools": {"noise": parts}})

    assert [type(part) for part in config.pools["noise"]] == [PoolFiles, PoolRooms, PoolSynthesis]


def test_a_config_survives_being_written_and_read() -> None:
    """What a workspace keeps of a config is the same config."""
    config = Config.model_validate(SMALL)

    again = Config.model_validate_json(config.model_dump_json())

    assert again == config
    assert again.fingerprint == config.fingerprint


@pytest.mark.parametrize("change", [{"seed": 1}, {"name": "other"}, {"failure_budget": 0.5}])
def test_the_fingerprint_of_a_config_is_a_function_of_what_it_says(change: dict[str, Any]) -> None:
    """Not of the order in which it says it."""
    config = Config.model_validate(SMALL)
    backwards = Config.model_validate(dict(reversed(list(SMALL.items()))))

    assert backwards.fingerprint == config.fingerprint
    assert Config.model_validate({**SMALL, **change}).fingerprint != config.fingerprint


def test_a_config_cannot_be_changed() -> None:
    """A run is what its config was."""
    config = Config.model_validate(SMALL)

    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 1  # type: ignore[misc]


@given(drawn=RANGES, seed=st.integers(min_value=0, max_value=2**32))
def test_what_is_drawn_stays_in_bounds(drawn: tuple[str, tuple[Any, Any]], seed: int) -> None:
    """For every range, however narrow or wide."""
    form, bounds = drawn
    low, high = sorted(bounds)
    distribution = distribution_of({form: [low, high]})

    value = distribution.draw(rng_for(seed, "test"), {})

    assert bounds_of(distribution) == (low, high)
    assert isinstance(value, int | float)
    slack = 1e-12 * abs(high) if form == "log_uniform" else 0.0
    assert low - slack <= value <= high + slack


@given(values=st.lists(st.one_of(WHOLE, st.text(), st.booleans()), min_size=1), seed=st.integers(0, 2**32))
def test_one_of_gives_one_of_its_values(values: list[Any], seed: int) -> None:
    """As it was written."""
    value = distribution_of({"one_of": values}).draw(rng_for(seed, "test"), {})

    assert value in values


def test_whole_numbers_reach_both_ends() -> None:
    """{integer: [1, 3]} gives 1, 2 and 3, about as often."""
    distribution = distribution_of({"integer": [1, 3]})
    rng = rng_for(0, "test")

    values = [distribution.draw(rng, {}) for _ in range(3_000)]

    assert {value: values.count(value) for value in (1, 2, 3)} == pytest.approx(
        {1: 1_000, 2: 1_000, 3: 1_000}, abs=100
    )


@pytest.mark.parametrize("value", [5, "mp3", None, True, [1, 2], {"a": 1, "b": 2}])
def test_anything_else_is_a_constant(value: Any) -> None:
    """Drawn as it was written."""
    assert distribution_of(value).draw(rng_for(0, "test"), {}) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"uniform": 5}, r"uniform takes \[low, high\], got 5"),
        ({"uniform": [1, 2, 3]}, r"uniform takes \[low, high\], got \[1, 2, 3\]"),
        ({"one_of": "mp3"}, "one_of takes a list of values, got 'mp3'"),
        ({"integer": [3, 1]}, "the lower bound 3 is above the upper bound 1"),
        ({"log_uniform": [0, 1]}, "greater than 0"),
    ],
)
def test_says_what_a_distribution_takes(value: Any, said: str) -> None:
    """With what it was given."""
    with pytest.raises(ValueError, match=said):
        distribution_of(value)
