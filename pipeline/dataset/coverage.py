"""Which pairs cover what: weights that make up for what there is much of, and choices that leave little out.

Pairs are alike that are of the same damage, of one speaker and of the same two models: together these are a
cell. A corpus of pairs has a few large cells and many small ones, and a training sees mostly the large ones.
That diversity rather than number makes data worth training on is the finding of DOSS (arXiv 2512.18210); the
rule here is our own, and is said in full below.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.dataset.published import Dataset
from schemas import fingerprint_of

Cell = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What is looked at of a pair."""

    pair_id: str
    degraded_id: str
    strength: float
    cell: Cell
    """Kinds of degradations that changed the speech, speaker or corpus, and both models."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what there is some pairs cover."""

    pairs: int
    inputs: int
    cells: int
    effective_cells: float
    """As many cells of one size would be as uneven: e to the entropy of the shares of the cells."""

    def __str__(self) -> str:
        return (
            f"{self.pairs:,} pairs of {self.inputs:,} inputs in {self.cells:,} cells, "
            f"as even as {self.effective_cells:.1f} of one size"
        )


def read_pair_facts(dataset: Dataset) -> list[PairFacts]:
    """Return the facts of all pairs, in their order."""
    return [_facts_of(row) for _, row in dataset.rows("pairs", without=["recipe", "degradation_steps"])]


def weights_of(pairs: Sequence[PairFacts]) -> dict[str, float]:
    """Return a weight for each pair, by its name: all cells weigh the same, and the mean weight is 1."""
    sizes = Counter(pair.cell for pair in pairs)
    return {pair.pair_id: len(pairs) / (len(sizes) * sizes[pair.cell]) for pair in pairs}


def select_pairs(pairs: Sequence[PairFacts], number: int) -> list[PairFacts]:
    """Return ``number`` of the pairs, or all if there are no more, in their order.

    Cells give one pair each by turns, in an order that is drawn by their contents, until there are enough. A
    cell gives pairs of inputs of which the fewest were taken so far, the clearest of them first.
    """
    left: defaultdict[Cell, list[PairFacts]] = defaultdict(list)
    for pair in pairs:
        left[pair.cell].append(pair)
    taken: set[str] = set()
    of_input: Counter[str] = Counter()
    turns = sorted(left, key=fingerprint_of)
    while turns and len(taken) < number:
        for cell in turns[: number - len(taken)]:
            best = min(left[cell], key=lambda p: (of_input[p.degraded_id], -p.strength, p.pair_id))
            left[cell].remove(best)
            taken.add(best.pair_id)
            of_input[best.degraded_id] += 1
        turns = [cell for cell in turns if left[cell]]
    return [pair for pair in pairs if pair.pair_id in taken]


def coverage_of(pairs: Iterable[PairFacts]) -> Coverage:
    """Return what the pairs cover."""
    listed = list(pairs)
    sizes = Counter(pair.cell for pair in listed)
    shares = [size / len(listed) for size in sizes.values()]
    return Coverage(
        pairs=len(listed),
        inputs=len({pair.degraded_id for pair in listed}),
        cells=len(sizes),
        effective_cells=math.exp(-math.fsum(share * math.log(share) for share in shares)) if shares else 0.0,
    )


def _facts_of(row: Mapping[str, Any]) -> PairFacts:
    damage = "+".join(sorted(set(row["degradations"])))
    cell = (damage, row["speaker"] or row["corpus"], row["chosen_model"], row["rejected_model"])
    return PairFacts(row["pair_id"], row["degraded_id"], row["strength"], cell)
