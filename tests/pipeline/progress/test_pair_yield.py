"""How many pairs to expect: from decided shards, or from a model that says it is one."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.progress.pair_yield import Yield, expected_inputs, guessed_yield, measured_yield, yield_lines
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from schemas import Margin, Pair, Preference, Recipe
from tests.support.candidate_scores import recipe
from tests.support.command_line import written

FOUR = ["multi_resolution_stft", "estoi", "spectral_envelope", "pesq"]


def _run(folder: Path, takes: int, **pairs: Any) -> ResolvedConfig:
    return resolve(
        written(
            folder,
            restorers=[{"kind": "spectral_gate", "takes": takes}],
            metrics=[{"kind": kind} for kind in FOUR],
            preference={"criteria": FOUR, "uncovered": ["perceptual_quality"], "pairs": pairs},
        )
    )


@pytest.mark.parametrize(("takes", "low", "expected", "high"), [(4, 0.75, 1.35, 2.0), (5, 1.25, 2.3, 3.4)])
def test_expects_what_four_correlated_votes_give(
    tmp_path: Path, takes: int, low: float, expected: float, high: float
) -> None:
    """6 or 10 comparisons; uncorrelated ones agree in an eighth of them: 2 · 0.5⁴."""
    found = guessed_yield(_run(tmp_path, takes))

    assert [found.low, found.pairs, found.high] == pytest.approx([low, expected, high], rel=0.2)
    assert not found.is_measured


def test_expects_less_of_a_rule_that_keeps_less(tmp_path: Path) -> None:
    """One pair per input at most: the share of inputs with any."""
    found = guessed_yield(_run(tmp_path, 5, keep="best"))

    assert found.pairs == pytest.approx(0.82, abs=0.08)


def _decided(folder: Path, pairs: dict[str, int], place: int = 0, **changes: Any) -> tuple[Graph, TableStore]:
    """Return a graph and a store with one decided shard, which has that place: rows with so many pairs."""
    run = resolve(written(folder, **changes))
    graph = assemble(run, Workspace(folder / "workspace"), keep=False)
    store = Workspace(folder / "workspace").store
    shard = graph.shards[place].name
    store.put(graph.plan.folder, shard, Recipe, [recipe(row) for row in pairs], {})
    rows = [Preference(id=row, pairs=(_PAIR,) * number) for row, number in pairs.items()]
    store.put(graph.prefer.folder, shard, Preference, rows, {})
    return graph, store


_PAIR = Pair(
    chosen_model="a",
    chosen_take=0,
    rejected_model="b",
    rejected_take=0,
    strength=1.0,
    margins=(Margin(metric="m", chosen=1.0, rejected=0.0, advantage=1.0),),
)


def test_measures_pairs_per_version_with_an_interval(tmp_path: Path) -> None:
    """Two versions each of forty utterances, of which every other has two pairs in its first version."""
    pairs = {f"u{n}:{repeat}": 2 * (n % 2 and repeat == 0) for n in range(40) for repeat in range(2)}

    found = measured_yield(*_decided(tmp_path, pairs))

    assert found is not None
    assert found.num_utterances == 40
    assert found.pairs == pytest.approx(0.5)
    standard_error = 0.5 / 40**0.5
    assert found.low == pytest.approx(0.5 - 1.96 * standard_error, abs=0.03)
    assert found.high == pytest.approx(0.5 + 1.96 * standard_error, abs=0.03)


def test_no_pair_yet_is_not_no_pair_ever(tmp_path: Path) -> None:
    """Thirty versions without a pair leave room for a tenth."""
    found = measured_yield(*_decided(tmp_path, {f"u{n}:0": 0 for n in range(30)}))

    assert found is not None
    assert (found.pairs, found.low, found.high) == (0.0, 0.0, pytest.approx(0.1))
    assert "none was found so far; more than 10,000 degraded" in "\n".join(yield_lines(found, 30, 1000))


@pytest.mark.parametrize("place", [0, 1])
def test_expects_as_many_versions_of_other_recordings(tmp_path: Path, place: int) -> None:
    """Whichever shard is decided first: three versions of its recording, so six of both."""
    graph, store = _decided(tmp_path, {"u:0": 1, "u:1": 0, "u:2": 2}, place, shard_seconds=0.5)

    assert len(graph.shards) == 2
    assert expected_inputs(graph, store) == 6


def test_nothing_decided_is_nothing_measured(tmp_path: Path) -> None:
    """The plan then says that it guesses."""
    run = resolve(written(tmp_path))
    graph = assemble(run, Workspace(tmp_path / "workspace"), keep=False)

    assert measured_yield(graph, Workspace(tmp_path / "workspace").store) is None


def test_says_how_many_versions_a_target_needs() -> None:
    """With the interval turned round: the least yield needs the most."""
    text = "\n".join(yield_lines(Yield(2.0, 1.0, 4.0, num_utterances=100), 100, 1000))

    assert "2.0 (1.0 to 4.0) per degraded version, measured on 100 utterances: about 200 in all 100" in text
    assert (
        "1,000 pairs need about 500 degraded versions (250 to 1,000): 5.0 times the 100 of this run" in text
    )


def test_few_utterances_give_no_interval() -> None:
    """They say nothing of how much utterances differ."""
    text = "\n".join(yield_lines(Yield(2.0, 2.0, 2.0, num_utterances=2), 100, 1000))

    assert "(" not in text
