"""What was decided so far: counts of comparisons, vetoes and pairs, from the preferences that are there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.table_store import TableStore

COUNTS = (
    "candidates",
    "same_audio",
    "complete",
    "comparisons",
    "unanimous",
    "within_margin",
    "disagreed",
    "missing_vote",
)
_REMOVED = "removed.list.element."
_COLUMNS = (
    *(f"num_{name}" for name in COUNTS),
    f"{_REMOVED}by",
    f"{_REMOVED}pairs",
    "pairs.list.element.chosen_take",
)


@dataclass(frozen=True, slots=True)
class PreferenceCounts:
    """Sums over degraded utterances."""

    counts: Counter[str] = field(default_factory=Counter)
    """By the names in ``COUNTS``."""
    removed: Counter[str] = field(default_factory=Counter)
    """Unanimous pairs by the rule or veto that took them away."""
    num_pairs: int = 0
    """Pairs that were kept."""

    @property
    def num_beyond_rule(self) -> int:
        """Unanimous pairs that neither rule nor caps have room for."""
        return self.counts["unanimous"] - self.removed.total() - self.num_pairs

    def __add__(self, other: "PreferenceCounts") -> "PreferenceCounts":
        """Return both together."""
        return PreferenceCounts(
            self.counts + other.counts, self.removed + other.removed, self.num_pairs + other.num_pairs
        )


def preference_counts_of(store: TableStore, folder: str, shards: Iterable[str]) -> PreferenceCounts:
    """Return what the named shards of a table of preferences hold."""
    return sum((_counts_in(store.columns(folder, shard, _COLUMNS)) for shard in shards), PreferenceCounts())


def _counts_in(table: pa.Table) -> PreferenceCounts:
    there = [name for name in COUNTS if f"num_{name}" in table.column_names]  # older tables have fewer
    counts = {name: pc.sum(table[f"num_{name}"]).as_py() or 0 for name in there}
    removed: Counter[str] = Counter()
    for name, number in _removals(table):
        removed[name] += number
    return PreferenceCounts(
        Counter(counts), removed, pc.sum(pc.list_value_length(table["pairs"])).as_py() or 0
    )


def _removals(table: pa.Table) -> Iterator[tuple[str, int]]:
    if "removed" not in table.column_names:  # of preferences before there were vetoes
        return
    for removal in pc.list_flatten(table["removed"]).to_pylist():
        yield removal["by"], removal["pairs"]
