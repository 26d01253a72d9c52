"""What a chain of groups and recipes in a config becomes, and what a wrong one is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.resolve import operators_in, resolve
from stages.operators.distributions import Uniform
from stages.plan.chain import Branch, Chain, OneOfParts, SomeOfParts, Step
from stages.plan.conditions import When
from tests.support.small_config import mistakes, place_in, resolved, written

CLIPPING: dict[str, Any] = {"kind": "clipping"}
CHAIN: list[dict[str, Any]] = [
    {"one_of": [{"weight": 2, "chain": []}, {"kind": "clipping", "threshold": 0.5}], "probability": 0.5},
    {
        "some_of": {"counts": {0: 0.25, 2: 0.75}, "members": [CLIPPING, {"kind": "codec", "weight": 3}]},
        "order": "random",
    },
    {"chain": [CLIPPING], "when": {"min_bandwidth_hz": 16_000}},
]
RECIPE = """\
description: two steps
chain:
  - kind: clipping
    threshold: {uniform: [0.1, 0.2]}
  - kind: codec
"""


def degradations(*chain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section of a config."""
    return {"degradations": {"chain": list(chain)}}


def test_groups_become_parts_of_the_chain(tmp_path: Path) -> None:
    """With their weights, numbers, orders, probabilities and conditions."""
    run = resolved(tmp_path, **degradations(*CHAIN))

    one, some, chain = run.chain
    assert isinstance(one, OneOfParts)
    assert [branch.weight for branch in one.branches] == [2, 1]
    assert one.branches[0].part == Chain(parts=())
    assert one.probability == 0.5
    assert isinstance(some, SomeOfParts)
    assert (some.counts, some.order) == ((0.25, 0.0, 0.75), "random")
    assert some.members[1] == Branch(weight=3, part=Step(kind="codec"))
    assert chain == Chain(parts=(Step(kind="clipping"),), when=When(min_bandwidth_hz=16_000))


@pytest.mark.parametrize(
    ("chain", "text", "message"),
    [
        (
            [{"one_of": [{"kind": "clipping", "threshhold": 0.5}]}],
            "threshhold",
            (
                "degradations.chain.0.one_of.0.threshhold: clipping has no 'threshhold'; "
                "did you mean 'threshold'?"
            ),
        ),
        (
            [{"chain": [{"chain": [{"kind": "cliping"}]}]}],
            "kind: cliping",
            (
                "degradations.chain.0.chain.0.chain.0.kind: no degradation is called 'cliping'; "
                "did you mean 'clipping'?"
            ),
        ),
        (
            [{"chain": [CLIPPING], "probability": 5}],
            "probability: 5",
            "degradations.chain.0.probability: should be less than or equal to 1, got 5",
        ),
        (
            [{"chain": [CLIPPING], "when": {"min_bandwith_hz": 5}}],
            "min_bandwith_hz",
            (
                "degradations.chain.0.when.min_bandwith_hz: unknown key 'min_bandwith_hz'; "
                "did you mean 'min_bandwidth_hz'?"
            ),
        ),
        (
            [CLIPPING, {"chain": [CLIPPING], "when": {"not_after": ["cliping"]}}],
            "when",
            "degradations.chain.1.when: no degradation is called 'cliping'; did you mean 'clipping'?",
        ),
        (
            [{"some_of": {"counts": {3: 1}, "members": [CLIPPING]}}],
            "some_of",
            "degradations.chain.0: 3 of 1 members cannot be chosen",
        ),
        (
            [{"one_of": [{"weight": 0, **CLIPPING}]}],
            "one_of",
            "degradations.chain.0: at least one weight must be above 0",
        ),
        (
            [{"kind": "clipping", "weight": 2}],
            "weight: 2",
            "degradations.chain.0.weight: a weight counts only for members of one_of and some_of",
        ),
        (
            [{"chain": [{"kind": "reverb"}]}],
            "kind: reverb",
            (
                "degradations.chain.0.chain.0: draws from the pool 'rir', which 'pools' does not have; "
                "it has: noise"
            ),
        ),
        (
            [{"recipe": "urgent2205"}],
            "recipe",
            "degradations.chain.0.recipe: there is no recipe 'urgent2205'; did you mean 'urgent2025'?",
        ),
    ],
)
def test_says_where_in_the_tree_the_mistake_is(
    chain: list[dict[str, Any]], text: str, message: str, tmp_path: Path
) -> None:
    """One mistake gives one line, however deep it is."""
    path = written(tmp_path, **degradations(*chain))

    assert mistakes(path) == [f"{place_in(path, text)}: {message}"]


def test_all_mistakes_of_a_group_are_told_at_once(tmp_path: Path) -> None:
    """Those of its members and its own."""
    path = written(
        tmp_path, **degradations({"one_of": [{"kind": "cliping"}, {"kind": "codeck"}], "odrer": 1})
    )

    told = [line.split(": ")[1] for line in mistakes(path)]

    assert sorted(told) == [
        "degradations.chain.0.odrer",
        "degradations.chain.0.one_of.0.kind",
        "degradations.chain.0.one_of.1.kind",
    ]


def test_a_recipe_of_a_file_becomes_a_chain(tmp_path: Path) -> None:
    """Beside the config, with the probability that the config gives it."""
    (tmp_path / "mine.yaml").write_text(RECIPE)

    run = resolved(tmp_path, **degradations({"recipe": "mine.yaml", "probability": 0.5}))

    (chain,) = run.chain
    steps = (
        Step(kind="clipping", draws={"threshold": Uniform(low=0.1, high=0.2)}),
        Step(kind="codec"),
    )
    assert chain == Chain(parts=steps, probability=0.5)


def test_a_mistake_in_a_recipe_is_placed_in_its_file(tmp_path: Path) -> None:
    """At the line where it stands there."""
    (tmp_path / "mine.yaml").write_text(RECIPE.replace("kind: codec", "kind: codeck"))
    path = written(tmp_path, **degradations({"recipe": "mine.yaml"}))

    (line,) = mistakes(path)

    place, _, message = line.partition(": ")
    assert place.endswith("mine.yaml:5:5")
    assert message.startswith("degradations.chain.0.chain.1.kind: no degradation is called 'codeck'")


def test_a_recipe_may_not_include_itself(tmp_path: Path) -> None:
    """Not even by way of another one."""
    (tmp_path / "a.yaml").write_text("chain:\n  - recipe: b.yaml\n")
    (tmp_path / "b.yaml").write_text("chain:\n  - recipe: a.yaml\n")

    (line,) = mistakes(written(tmp_path, **degradations({"recipe": "a.yaml"})))

    place, _, message = line.partition(": ")
    assert place.endswith("b.yaml:2:5")
    assert message == "degradations.chain.0.chain.0.chain.0.recipe: a.yaml includes itself"


def test_a_recipe_names_another_from_where_it_lies_itself(tmp_path: Path) -> None:
    """One that lies beside the config is not meant."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.yaml").write_text("chain:\n  - recipe: b.yaml\n")
    (tmp_path / "b.yaml").write_text(RECIPE)

    (line,) = mistakes(written(tmp_path, **degradations({"recipe": "mine/a.yaml"})))

    place, _, message = line.partition(": ")
    assert place.endswith("a.yaml:2:5")
    assert message.startswith("degradations.chain.0.chain.0.recipe: there is no recipe 'b.yaml'")


def test_an_option_may_name_a_recipe(tmp_path: Path) -> None:
    """In place of one that there is not, of which nothing is then said."""
    (tmp_path / "mine.yaml").write_text(RECIPE)
    path = written(tmp_path, **degradations({"recipe": "nine.yaml", "probability": 0.5}))

    run = resolve(path, ["degradations.chain.0.recipe=mine.yaml"])

    (chain,) = run.chain
    assert [step.kind for step, _ in chain.shares] == ["clipping", "codec"]
    assert chain.probability == 0.5


def test_a_mistake_elsewhere_changes_nothing_of_what_is_read(tmp_path: Path) -> None:
    """A config that is wrong is read entry by entry, and no operator is lost or another one."""
    sections = degradations(*CHAIN, {"recipe": "aatc"})
    pools = {"noise": [{"synthesise": ["white"]}], "rir": [{"rooms": 1}]}
    right = operators_in(written(tmp_path, pools=pools, **sections))

    wrong = operators_in(written(tmp_path, pools=pools, **sections, sed=1))

    assert len(right) > 10
    assert wrong == right


@pytest.mark.parametrize("text", ["- kind: clipping\n", "chain: 5\n", "chain: []\nname: mine\n"])
def test_a_recipe_is_a_description_and_a_chain(text: str, tmp_path: Path) -> None:
    """And nothing else."""
    (tmp_path / "mine.yaml").write_text(text)

    (line,) = mistakes(written(tmp_path, **degradations({"recipe": "mine.yaml"})))

    assert "a recipe is a mapping" in line or "unknown key 'name'" in line
