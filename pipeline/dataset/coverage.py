"""Which pairs are worth training on: weights by what they cover and how hard they are, and choices of few.

Pairs are alike that are of the same damage, of one speaker and of the same two models: together these are a
cell. A corpus of pairs has a few large cells and many small ones, and a training sees mostly the large ones.
That diversity rather than number makes data worth training on is the finding of DOSS (arXiv 2512.18210); that
hard inputs make a model robust, of FlowTTS-GRPO (arXiv 2606.23190). The rules here are our own, and are said
in full below.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from pipeline.dataset.published import Dataset
from schemas import fingerprint_of

Cell = tuple[str, ...]
_COLUMNS = (
    *("pair_id", "degraded_id", "strength", "degradations", "speaker", "corpus"),
    *("chosen_model", "chosen_take", "rejected_model", "rejected_take"),
)


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What is looked at of a pair."""

    pair_id: str
    degraded_id: str
    strength: float
    share_of_winners: float
    """Takes of its input that were chosen over another, of those that are in pairs: from 0 to 1."""
    cell: Cell
    """Kinds of degradations that changed the speech, speaker or corpus, and both models."""

    @property
    def difficulty(self) -> float:
        """From 0, where all takes win or the pair is plain, to 1: the mean of two parts.

        1 / (1 + ``strength``) is the less, the clearer the narrowest vote; 1 − ``share_of_winners`` the less,
        the more takes of the input are better than another, which is then easy to restore.
        """
        narrow = 1.0 / (1.0 + max(self.strength, 0.0))
        return 0.5 * (narrow + 1.0 - self.share_of_winners)


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
    rows = [
        row
        for _, file in dataset.walk_parts("pairs")
        for row in file.read(columns=list(_COLUMNS), use_threads=False).to_pylist()
    ]
    shares = _shares_of_winners(rows)
    return [_facts_of(row, shares[row["degraded_id"]]) for row in rows]


def weights_of(pairs: Sequence[PairFacts]) -> dict[str, float]:
    """Return a weight for each pair, by its name: all cells weigh the same, and the mean weight is 1.

    Within a cell a pair weighs in proportion to 1 + its difficulty. So the hardest weighs twice the easiest
    at most: among the narrowest there are most that listeners would have the other way round.
    """
    hardness: defaultdict[Cell, list[float]] = defaultdict(list)
    for pair in pairs:
        hardness[pair.cell].append(1.0 + pair.difficulty)
    of_cell = {cell: len(pairs) / (len(hardness) * math.fsum(each)) for cell, each in hardness.items()}
    return {pair.pair_id: of_cell[pair.cell] * (1.0 + pair.difficulty) for pair in pairs}


def select_pairs(pairs: Sequence[PairFacts], number: int) -> list[PairFacts]:
    """Return ``number`` of the pairs, or all if there are no more, in their order.

    Cells give one pair each by turns, in an order that is drawn by their contents, until there are enough. A
    cell gives pairs of inputs of which the fewest were taken so far, the clearest of them first.
    """
    of_input: Counter[str] = Counter()
    left: defaultdict[Cell, list[_Turn]] = defaultdict(list)
    for pair in pairs:
        heappush(left[pair.cell], _turn_of(pair, of_input))
    taken: set[str] = set()
    turns = sorted(left, key=fingerprint_of)
    while turns and len(taken) < number:
        for cell in turns[: number - len(taken)]:
            best = _pop_best(left[cell], of_input)
            taken.add(best.pair_id)
            of_input[best.degraded_id] += 1
        turns = [cell for cell in turns if left[cell]]
    return [pair for pair in pairs if pair.pair_id in taken]


_Turn = tuple[int, float, str, PairFacts]


def _turn_of(pair: PairFacts, of_input: Mapping[str, int]) -> _Turn:
    return of_input[pair.degraded_id], -pair.strength, pair.pair_id, pair


def _pop_best(waiting: list[_Turn], of_input: Mapping[str, int]) -> PairFacts:
    """Take the first pair out of a cell; one whose input has given more since it was put there waits on."""
    while True:
        given, *_, pair = heappop(waiting)
        if given == of_input[pair.degraded_id]:
            return pair
        heappush(waiting, _turn_of(pair, of_input))


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


def try_selections(pairs: Sequence[PairFacts]) -> list[Coverage]:
    """Return what all pairs cover, and what a half, a quarter and a tenth of them would if selected."""
    if not pairs:
        return []
    numbers = dict.fromkeys(max(1, len(pairs) // part) for part in (1, 2, 4, 10))
    return [coverage_of(select_pairs(pairs, number)) for number in numbers]


def _shares_of_winners(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return for each input the share of its takes in pairs that were chosen in one."""
    takes: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    winners: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for row in rows:
        chosen, rejected = ((row[f"{side}_model"], row[f"{side}_take"]) for side in ("chosen", "rejected"))
        takes[row["degraded_id"]] |= {chosen, rejected}
        winners[row["degraded_id"]].add(chosen)
    return {name: len(winners[name]) / len(each) for name, each in takes.items()}


def _facts_of(row: Mapping[str, Any], share_of_winners: float) -> PairFacts:
    damage = "+".join(sorted(set(row["degradations"])))
    cell = (damage, row["speaker"] or row["corpus"], row["chosen_model"], row["rejected_model"])
    return PairFacts(row["pair_id"], row["degraded_id"], row["strength"], share_of_winners, cell)
