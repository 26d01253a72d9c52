"""Where everything went: from utterances to unanimous pairs, and what fell out on the way and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from pipeline.tables.preference_counts import PreferenceCounts, preference_counts_of
from schemas import Record, Split, Status

MEANING = {
    "sources": "recordings listed",
    "utterances": "usable utterances",
    "degraded": "degraded versions",
    "candidates": "restorations",
    "scored": "with every vote",
    "compared": "comparisons",
    "unanimous": "all criteria agree",
    "pairs": "kept in the dataset",
}

SAME_AUDIO = "the same recording as an earlier model's"
"""Why restorations are no candidates of their own, whatever scores they have."""


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


@dataclass(frozen=True, slots=True)
class FunnelTables:
    """Where a run's tables lie, and who votes: all that a funnel is read from."""

    ingest: str
    degrade: str
    restores: tuple[str, ...]
    scores: tuple[str, ...]
    """Those of the metrics that vote, or of more."""
    prefer: str
    shards: tuple[str, ...]
    criteria: frozenset[str]
    sides: tuple[Split, ...] = ()
    """Sides of the split that are to have a share, where that is known."""
    transcribed: frozenset[str] = frozenset()
    """Sources with a transcript, where that is known."""


def funnel_of(graph: Graph, store: TableStore) -> Funnel:
    """Return the funnel of a finished run, read from its tables."""
    tables = FunnelTables(
        ingest=graph.ingest.folder,
        degrade=graph.degrade.folder,
        restores=tuple(table.folder for table in graph.restores),
        scores=tuple(table.folder for table in graph.prefer.scores),
        prefer=graph.prefer.folder,
        shards=tuple(shard.name for shard in graph.shards),
        criteria=frozenset(criterion.metric for criterion in graph.prefer.rules.criteria),
        sides=tuple(side for side, share in graph.ingest.settings.splits.items() if share > 0),
        transcribed=frozenset(s.id for shard in graph.shards for s in shard.sources if s.transcript),
    )
    return read_funnel(tables, store)


def read_funnel(tables: FunnelTables, store: TableStore) -> Funnel:
    """Return the funnel of the shards that are there by now."""
    return Funnel(steps=tuple(_steps(tables, store)))


def funnel_lines(funnel: Funnel) -> Iterator[str]:
    """Walk the lines of the table: step, count, meaning, and what fell out there and why."""
    for step in funnel.steps:
        lost = "; ".join(f"{number} {reason}" for reason, number in step.lost.items())
        line = f"{step.name:<11}{step.count:>8}  {MEANING[step.name]:<20}"
        yield f"{line}  − {lost}" if lost else line.rstrip()


def _steps(tables: FunnelTables, store: TableStore) -> Iterator[FunnelStep]:
    columns = _Columns(tables.shards, store)
    sources = columns.outcomes(tables.ingest, "")
    yield FunnelStep(name="sources", count=sources.total())
    utterances = columns.number(tables.ingest, "segments.list.element.id")
    unsaid = columns.split_transcripts(tables.ingest, tables.transcribed)
    empty = columns.empty_sides(tables.ingest, tables.sides)
    yield FunnelStep(name="utterances", count=utterances, lost=_lost_in(sources) | unsaid | empty)
    degraded = columns.outcomes(tables.degrade, "")
    yield FunnelStep(name="degraded", count=degraded["ok"], lost=_lost_in(degraded))
    takes = _sum(columns.outcomes(folder, "takes.list.element.") for folder in tables.restores)
    yield FunnelStep(name="candidates", count=takes["ok"], lost=_lost_in(takes))
    decided = store.shards(tables.prefer)
    decisions = preference_counts_of(
        store, tables.prefer, [shard for shard in tables.shards if shard in decided]
    )
    missing = _sum(columns.missing_scores(folder, tables.criteria) for folder in tables.scores)
    if same := decisions.counts["same_audio"]:
        missing[SAME_AUDIO] = same
    yield FunnelStep(name="scored", count=decisions.counts["complete"], lost=dict(missing))
    yield from comparison_steps_of(decisions)


def comparison_steps_of(decisions: PreferenceCounts) -> Iterator[FunnelStep]:
    """Walk the steps from comparisons to pairs."""
    counts = decisions.counts
    yield FunnelStep(name="compared", count=counts["comparisons"])
    lost = {name: counts[name] for name in ("disagreed", "within_margin", "missing_vote") if counts[name]}
    yield FunnelStep(name="unanimous", count=counts["unanimous"], lost=lost)
    beyond = {"beyond the rule": decisions.num_beyond_rule} if decisions.num_beyond_rule else {}
    yield FunnelStep(name="pairs", count=decisions.num_pairs, lost=dict(decisions.removed) | beyond)


class _Columns:
    """Columns of whole tables, without their audio."""

    def __init__(self, shards: Sequence[str], store: TableStore) -> None:
        self._shards = shards
        self._store = store

    def outcomes(self, table: str, prefix: str) -> Counter[str]:
        """Count outcomes: ``ok``, ``unfit/silent`` …."""
        counted: Counter[str] = Counter()
        for statuses, reasons in self._read(table, [f"{prefix}status", f"{prefix}reason"]):
            counted.update(_join_reasons(statuses, reasons))
        return counted

    def missing_scores(self, table: str, names: Collection[str]) -> Counter[str]:
        """Count scores without a value, those of takes that are no candidates apart."""
        prefix = "takes.list.element.scores.list.element."
        counted: Counter[str] = Counter()
        for scores, statuses, reasons in self._read(
            table, [f"{prefix}{c}" for c in ("name", "status", "reason")]
        ):
            rows = zip(scores.to_pylist(), statuses.to_pylist(), reasons.to_pylist(), strict=True)
            counted.update(f"{n}: {r}" for n, s, r in rows if n in names and s not in {"ok", Status.SKIPPED})
        return counted

    def split_transcripts(self, ingest: str, transcribed: Collection[str]) -> dict[str, int]:
        """Count transcripts of recordings that were split at pauses: no utterance has one."""
        if not transcribed:
            return {}
        number = 0
        for arrow in self._arrow(ingest, ["id", "segments.list.element.id"]):
            pieces = pc.list_value_length(arrow["segments"]).to_pylist()
            rows = zip(arrow["id"].to_pylist(), pieces, strict=True)
            number += sum(of > 1 and row in transcribed for row, of in rows)
        return {"transcripts left out: split at pauses": number} if number else {}

    def empty_sides(self, ingest: str, sides: Sequence[Split]) -> dict[str, int]:
        """Count the sides of the split that were to have a share of the utterances and have none.

        That is known when the last shard is there.
        """
        if not self._store.shards(ingest).issuperset(self._shards):
            return {}
        held = {
            side
            for statuses, splits in self._read(ingest, ["status", "split"])
            for status, side in zip(statuses.to_pylist(), splits.to_pylist(), strict=True)
            if status == Status.OK
        }
        return {f"side of the split without speech: {side}": 1 for side in sides if side not in held}

    def number(self, table: str, path: str) -> int:
        """Count the values of a column."""
        return sum(len(values) - values.null_count for (values,) in self._read(table, [path]))

    def _read(self, table: str, paths: Sequence[str]) -> Iterator[list[pa.ChunkedArray]]:
        for arrow in self._arrow(table, paths):
            yield [_flatten(arrow, path) for path in paths]

    def _arrow(self, table: str, paths: Sequence[str]) -> Iterator[pa.Table]:
        there = self._store.shards(table)
        return (self._store.columns(table, shard, paths) for shard in self._shards if shard in there)


def _flatten(arrow: pa.Table, path: str) -> pa.ChunkedArray:
    first, *rest = path.split(".")
    values = arrow.column(first)
    for part in rest:
        if part == "list":
            values = pc.list_flatten(values)
        elif part != "element":
            values = pc.struct_field(values, part)
    return values


def _join_reasons(statuses: pa.ChunkedArray, reasons: pa.ChunkedArray) -> Iterator[str]:
    for status, reason in zip(statuses.to_pylist(), reasons.to_pylist(), strict=True):
        yield status if reason is None else f"{status}/{reason}"


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter())


def _lost_in(outcomes: Counter[str]) -> dict[str, int]:
    """Return what has no value, without what was only skipped because an ancestor has none."""
    return {
        outcome.replace("/", ": "): number
        for outcome, number in sorted(outcomes.items())
        if outcome != "ok" and not outcome.endswith("no_value_upstream")
    }
