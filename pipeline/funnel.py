"""Where everything went: from utterances to unanimous pairs, and what fell out on the way and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.decisions import Decisions, decisions_of
from pipeline.graph import Graph
from pipeline.store import TableStore
from pipeline.table import Table
from schemas import Record, Status


class FunnelStep(Record):
    """How many there were after a step, and what was lost in it by reason."""

    name: str
    count: int
    lost: dict[str, int] = {}


class Funnel(Record):
    """The steps, in order."""

    steps: tuple[FunnelStep, ...]

    def count(self, name: str) -> int:
        """Return how many there were after the step called ``name``."""
        return next(step.count for step in self.steps if step.name == name)


def funnel_of(graph: Graph, store: TableStore) -> Funnel:
    """Return the funnel of a finished run, read from its tables."""
    return Funnel(steps=tuple(_steps(graph, store)))


def _steps(graph: Graph, store: TableStore) -> Iterator[FunnelStep]:
    columns = _Columns(graph, store)
    sources = columns.outcomes(graph.ingest, "")
    yield FunnelStep(name="sources", count=sources.total())
    utterances = columns.number(graph.ingest, "segments.list.element.id")
    yield FunnelStep(name="utterances", count=utterances, lost=_lost(sources))
    degraded = columns.outcomes(graph.degrade, "")
    yield FunnelStep(name="degraded", count=degraded["ok"], lost=_lost(degraded))
    takes = _sum(columns.outcomes(table, "takes.list.element.") for table in graph.restores)
    yield FunnelStep(name="candidates", count=takes["ok"], lost=_lost(takes))
    decisions = decisions_of(store, graph.prefer.folder, [shard.name for shard in graph.shards])
    yield _scored(graph, columns, decisions)
    yield from compared(decisions)


def _scored(graph: Graph, columns: "_Columns", decisions: Decisions) -> FunnelStep:
    """Candidates with every vote; what is missing is counted by score and reason."""
    missing: Counter[str] = Counter()
    voting = {criterion.metric for criterion in graph.prefer.rules.criteria}
    for table in graph.prefer.scores:
        missing.update(columns.missing_scores(table, voting))
    return FunnelStep(name="scored", count=decisions.counts["complete"], lost=dict(missing))


def compared(decisions: Decisions) -> Iterator[FunnelStep]:
    """Walk the steps from comparisons to pairs."""
    counts = decisions.counts
    yield FunnelStep(name="compared", count=counts["comparisons"])
    lost = {name: counts[name] for name in ("disagreed", "within_margin", "missing_vote") if counts[name]}
    yield FunnelStep(name="unanimous", count=counts["unanimous"], lost=lost)
    beyond = {"beyond the rule": decisions.num_beyond_rule} if decisions.num_beyond_rule else {}
    yield FunnelStep(name="pairs", count=decisions.num_pairs, lost=dict(decisions.removed) | beyond)


class _Columns:
    """Columns of whole tables, without their audio."""

    def __init__(self, graph: Graph, store: TableStore) -> None:
        self._graph = graph
        self._store = store

    def outcomes(self, table: Table, prefix: str) -> Counter[str]:
        """Count outcomes: ``ok``, ``unfit/silent`` …."""
        counted: Counter[str] = Counter()
        for statuses, reasons in self._read(table, [f"{prefix}status", f"{prefix}reason"]):
            counted.update(_joined(statuses, reasons))
        return counted

    def missing_scores(self, table: Table, names: set[str]) -> Counter[str]:
        """Count scores without a value, those of takes that are no candidates apart."""
        prefix = "takes.list.element.scores.list.element."
        counted: Counter[str] = Counter()
        for scores, statuses, reasons in self._read(
            table, [f"{prefix}{c}" for c in ("name", "status", "reason")]
        ):
            rows = zip(scores.to_pylist(), statuses.to_pylist(), reasons.to_pylist(), strict=True)
            counted.update(f"{n}: {r}" for n, s, r in rows if n in names and s not in {"ok", Status.SKIPPED})
        return counted

    def number(self, table: Table, path: str) -> int:
        """Count the values of a column."""
        return sum(len(values) - values.null_count for (values,) in self._read(table, [path]))

    def _read(self, table: Table, paths: Sequence[str]) -> Iterator[list[pa.ChunkedArray]]:
        for shard in self._graph.shards:
            arrow = self._store.columns(table.folder, shard.name, paths)
            yield [_flat(arrow, path) for path in paths]


def _flat(arrow: pa.Table, path: str) -> pa.ChunkedArray:
    first, *rest = path.split(".")
    values = arrow.column(first)
    for part in rest:
        if part == "list":
            values = pc.list_flatten(values)
        elif part != "element":
            values = pc.struct_field(values, part)
    return values


def _joined(statuses: pa.ChunkedArray, reasons: pa.ChunkedArray) -> Iterator[str]:
    for status, reason in zip(statuses.to_pylist(), reasons.to_pylist(), strict=True):
        yield status if reason is None else f"{status}/{reason}"


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter())


def _lost(outcomes: Counter[str]) -> dict[str, int]:
    """Return what has no value, without what was only skipped because an ancestor has none."""
    return {
        outcome.replace("/", ": "): number
        for outcome, number in sorted(outcomes.items())
        if outcome != "ok" and not outcome.endswith("no_value_upstream")
    }
