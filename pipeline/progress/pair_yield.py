"""How many pairs a degraded utterance gives: measured where shards are decided, a rough model before that."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.resolve import ResolvedConfig
from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from pipeline.text import count, format_digits
from stages.operators.rng import rng_for
from stages.prefer.comparisons import CandidateScores
from stages.prefer.stage import PreferStage, Rules

_RESAMPLES = 2_000
FEWEST_UTTERANCES = 5
"""Fewer say nothing of how much utterances differ."""
CORRELATION = 0.2
CORRELATIONS = (0.0, 0.4)
"""Of scores of different metrics: what the model assumes, and the range it is given for."""
COMPARISONS = 400_000
MOST_INPUTS = 500


@dataclass(frozen=True, slots=True)
class Yield:
    """Pairs per degraded utterance."""

    pairs: float
    low: float
    high: float
    num_utterances: int = 0
    """What it was measured on; 0 for the model's."""

    @property
    def is_measured(self) -> bool:
        """Whether shards were decided."""
        return self.num_utterances > 0

    @property
    def has_interval(self) -> bool:
        """Whether ``low`` and ``high`` mean something."""
        return not self.is_measured or self.num_utterances >= FEWEST_UTTERANCES


def estimate_yield(run: ResolvedConfig, graph: Graph, store: TableStore) -> Yield:
    """Return what decided shards say, or, as long as there is none, what the model does."""
    return measured_yield(graph, store) or guessed_yield(run)


def measured_yield(graph: Graph, store: TableStore) -> Yield | None:
    """Return the yield of the shards that are decided, with a 95 % interval by bootstrap over utterances.

    Versions of one utterance are drawn together. None if no shard is decided.
    """
    decided = store.shards(graph.prefer.folder)
    names = [shard.name for shard in graph.shards if shard.name in decided]
    by_utterance: dict[str, list[int]] = {}
    for name in names:
        for utterance, pairs in _pairs_of_rows(graph, store, name):
            found = by_utterance.setdefault(utterance, [0, 0])
            found[0] += pairs
            found[1] += 1
    if not by_utterance:
        return None
    pairs, versions = np.array(list(by_utterance.values())).sum(axis=0)
    low, high = _interval(np.array(list(by_utterance.values())))
    return Yield(float(pairs / versions), low, high, len(by_utterance))


def expected_inputs(graph: Graph, store: TableStore) -> int:
    """Return how many degraded versions there will be, if all recordings give what decided ones gave.

    Any shard may be the first to be decided.
    """
    names = store.shards(graph.prefer.folder)
    decided = [shard for shard in graph.shards if shard.name in names]
    num_rows: int = sum(store.metadata(graph.plan.folder, shard.name)["rows"] for shard in decided)
    num_sources = sum(len(shard.sources) for shard in decided)
    return round(num_rows / num_sources * sum(len(shard.sources) for shard in graph.shards))


def _pairs_of_rows(graph: Graph, store: TableStore, shard: str) -> Iterator[tuple[str, int]]:
    utterances = store.columns(graph.plan.folder, shard, ["utterance_id"])["utterance_id"]
    pairs = store.columns(graph.prefer.folder, shard, ["pairs.list.element.chosen_take"])["pairs"]
    return zip(utterances.to_pylist(), pc.list_value_length(pairs).to_pylist(), strict=True)


def _interval(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % points of pairs per version, from ``counts`` of both, one per utterance.

    Without a single pair the upper one is 3 in as many versions (the rule of three).
    """
    if not counts[:, 0].any():
        return 0.0, 3.0 / float(counts[:, 1].sum())
    kinds, numbers = np.unique(counts, axis=0, return_counts=True)
    drawn = rng_for(0, "pair yield").multinomial(len(counts), numbers / len(counts), size=_RESAMPLES)
    pairs, versions = (drawn @ kinds).T
    low, high = np.percentile(pairs / versions, (2.5, 97.5))
    return float(low), float(high)


def guessed_yield(run: ResolvedConfig) -> Yield:
    """Return what the pair rule keeps of made-up scores, normal and correlated, where margins are 0."""
    low, expected, high = (
        _simulate_yield(run, rho) for rho in (CORRELATIONS[0], CORRELATION, CORRELATIONS[1])
    )
    return Yield(expected, low, high)


def _simulate_yield(run: ResolvedConfig, correlation: float) -> float:
    models = [setup.name for setup in run.restorers for _ in range(setup.takes)]
    criteria = [c.model_copy(update={"margin": 0.0, "scale": 1.0}) for c in run.rules.criteria]
    num_inputs = max(30, min(MOST_INPUTS, COMPARISONS // len(models) ** 2))
    rng = rng_for(0, "pair yield", str(correlation))
    shape = num_inputs, len(models)
    common = math.sqrt(correlation) * rng.standard_normal(shape)
    better = {"higher": 1.0, "lower": -1.0}
    scores = {
        c.metric: better[c.better] * (common + math.sqrt(1 - correlation) * rng.standard_normal(shape))
        for c in criteria
    }
    simulated = [
        CandidateScores(
            str(n), models, range(len(models)), {name: values[n] for name, values in scores.items()}
        )
        for n in range(num_inputs)
    ]
    rows = PreferStage(Rules(criteria, run.rules.pairs)).process(simulated)
    return sum(len(row.kept) for row in rows) / num_inputs


def yield_lines(found: Yield, num_inputs: int, target: int | None = None) -> Iterator[str]:
    """Yield what ``num_inputs`` degraded versions will give, and how many a target of pairs needs."""
    expected = f"about {_number(found.pairs * num_inputs)} in all {num_inputs:,}"
    if found.is_measured:
        between = (
            f" ({format_digits(found.low)} to {format_digits(found.high)})" if found.has_interval else ""
        )
        how = f"measured on {count(found.num_utterances, 'utterance')}"
        yield f"pairs     {format_digits(found.pairs)}{between} per degraded version, {how}: {expected}"
    else:
        ends = zip((found.low, found.high), CORRELATIONS, strict=True)
        low, high = (f"{format_digits(value)} at {correlation:g}" for value, correlation in ends)
        yield (
            f"pairs     a guess until a shard is finished: "
            f"{format_digits(found.pairs)} per degraded version if "
            f"scores correlate by {CORRELATION:g} ({low}, {high}), before margins and vetoes: {expected}"
        )
    if target is not None:
        yield from _needed_lines(found, num_inputs, target)


def _needed_lines(found: Yield, num_inputs: int, target: int) -> Iterator[str]:
    if not found.pairs:
        least = f"; more than {_number(target / found.high)} degraded versions at best" if found.high else ""
        yield f"target    {target:,} pairs: none was found so far{least}"
        return
    between = ""
    if found.has_interval:
        most = _number(target / found.low) if found.low else "any number"
        between = f" ({_number(target / found.high)} to {most})"
    times = target / found.pairs / max(num_inputs, 1)
    yield (
        f"target    {target:,} pairs need about {_number(target / found.pairs)} degraded versions{between}: "
        f"{format_digits(times)} times the {num_inputs:,} of this run"
    )


def _number(value: float) -> str:
    """Return an expected count with the two or three figures that it is worth."""
    digits = max(0, math.floor(math.log10(value)) - 1) if value >= 1 else 0
    return f"{round(value, -digits):,.0f}" if value >= 1 else "0"
