"""``status``: how far a workspace is, also while another process fills it. Takes no lock, writes nothing."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pipeline.dataset.description import MARK, read_description
from pipeline.dataset.wholeness import damaged_files
from pipeline.progress.status import RetryableRow, RunStatus, TableStatus, group_tables
from pipeline.progress.ticket_log import ticket_lines
from pipeline.sources.shards import places_in
from pipeline.store.missing_values import missing_values
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import SPEECH, Inventory
from pipeline.tables.preference_counts import preference_counts_of
from pipeline.text import align_columns, count, format_bytes, format_clock, format_digits, say
from schemas import Status, WorkspaceError

LISTED = 20
"""Rows and reasons that are named one by one; the rest is counted."""
_HEAD = ("table", "shards", "rows/takes", "ok", "unfit", "skipped", "failed", "audio s/s", "size")


def status_command(workspace: Workspace, *, rows: bool = False) -> None:
    """Print who holds the workspace, what is done, what failed and how long the rest takes.

    With ``rows``, print instead which rows are unfit or failed.
    """
    inventory = Inventory.read(workspace.inventory)
    if inventory is None:
        raise WorkspaceError(f"no run has begun in {workspace}: there is no {workspace.inventory.name}")
    if rows:
        lines = row_lines(inventory, workspace)
    else:
        lines = status_lines(
            workspace, RunStatus(inventory, workspace.store, ticket_lines(workspace.ticket_log))
        )
    for line in lines:
        say(line)


def row_lines(inventory: Inventory, workspace: Workspace) -> Iterator[str]:
    """Yield every row that is unfit or failed, or has a take or score that is: table, row and why.

    Rows that are read from recordings end with the path at which theirs is looked for.
    """
    for entry, shards in inventory.places():
        places = _recording_places(workspace, entry.name)
        for shard in shards:
            found = dict.fromkeys(missing_values(workspace.store, entry.folder, shard))
            for end in found:
                if end.status is not Status.SKIPPED:
                    cells = [entry.name, end.status, end.reason, _printable(end.row), end.detail]
                    if end.row in places:
                        cells.append(_printable(places[end.row]))
                    yield "\t".join(cells)


def _recording_places(workspace: Workspace, table: str) -> Mapping[str, str]:
    """Return where the recordings of a table lie, by row; those that a run makes lie nowhere."""
    if table == "ingest":
        return places_in(workspace.catalogue(f"{SPEECH}.parquet"))
    if table.startswith("pool."):  # pool.<name>.<part>
        return places_in(workspace.catalogue(f"pool.{'-'.join(table.split('.')[1:])}.parquet"))
    return {}


def _printable(text: str) -> str:
    """Return ``text`` in one line, whatever a file may be called."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def status_lines(workspace: Workspace, status: RunStatus) -> Iterator[str]:
    """Yield what there is to say."""
    inventory = status.inventory
    yield f"{inventory.config_name} ({inventory.config_hash}) in {workspace}"
    yield _holder(workspace)
    yield ""
    yield from align_columns([_HEAD, *_rows(status.tables)])
    yield ""
    yield from _reasons(status.tables)
    yield from _retryable_lines([row for table in status.tables for row in table.retryable])
    yield _progress(status, is_held=workspace.holder is not None)
    yield from _pairs(workspace, status.inventory)
    yield _dataset(workspace, status)


def _holder(workspace: Workspace) -> str:
    holder = workspace.holder
    return "nobody is at work in it" if holder is None else f"{holder} is at work in it"


def _rows(tables: Sequence[TableStatus]) -> Iterator[tuple[str, ...]]:
    for name, members in group_tables(tables).items():
        statuses: Counter[str] = sum((m.count_by_status() for m in members), start=Counter())
        audio_s, work_s = sum(m.audio_s for m in members), sum(m.work_s for m in members)
        yield (
            name if len(members) == 1 else f"{name} ({len(members)} models)",
            f"{sum(m.done for m in members):,}/{sum(m.num_shards for m in members):,}",
            f"{statuses.total():,}",
            *(f"{statuses[status]:,}" if statuses[status] else "" for status in _HEAD[3:7]),
            format_digits(audio_s / work_s) if audio_s and work_s else "",
            format_bytes(sum(m.num_bytes for m in members)),
        )


def _reasons(tables: Sequence[TableStatus]) -> Iterator[str]:
    any_found = False
    for status in ("failed", "unfit"):
        found = [
            (number, table.name, outcome.partition("/")[2])
            for table in tables
            for outcome, number in table.counts.items()
            if outcome.startswith(f"{status}/")
        ]
        for number, name, reason in sorted(found, reverse=True)[:LISTED]:
            yield f"{status:8}  {name}: {reason} × {number:,}"
        if len(found) > LISTED:
            yield f"{status:8}  and {count(len(found) - LISTED, 'reason')} more"
        any_found = any_found or bool(found)
    if any_found:
        yield "          which ones: --rows"


def _retryable_lines(rows: Sequence[RetryableRow]) -> Iterator[str]:
    if not rows:
        return
    yield f"retry     {count(len(rows), 'row')} may end differently when tried again:"
    yield from (f"          {row.table}  {row.row}  {row.reason}" for row in rows[:LISTED])
    if len(rows) > LISTED:
        yield f"          and {len(rows) - LISTED:,} more"
    reasons = sorted({row.reason for row in rows})
    yield f"          to try them: python -m pipeline run CONFIG --retry-failed {reasons[0]}"


def _progress(status: RunStatus, *, is_held: bool) -> str:
    done = sum(table.done for table in status.tables)
    total = sum(table.num_shards for table in status.tables)
    said = f"tickets   {done:,} of {total:,} are done"
    if status.is_computed:
        return said
    if not is_held:
        return f"{said}; the run has stopped: the same command goes on from here"
    left_s = status.left_s()
    elapsed = format_clock(max(time.time() - status.inventory.started_at_s, 0.0))
    left = "the time left is not known yet" if left_s is None else f"about {format_clock(left_s)} left"
    return f"{said} after {elapsed}, {left}"


def _pairs(workspace: Workspace, inventory: Inventory) -> Iterator[str]:
    """Yield what was decided so far, and what vetoes took away."""
    store = workspace.store
    entry, shards = next((e, s) for e, s in inventory.places() if e.name == "prefer")
    there = store.shards(entry.folder)
    found = preference_counts_of(store, entry.folder, [shard for shard in shards if shard in there])
    compared = count(found.counts["comparisons"], "comparison")
    yield f"pairs     {found.num_pairs:,} kept of {found.counts['unanimous']:,} unanimous ones in {compared}"
    yield from (f"          {name} × {number:,} removed" for name, number in found.removed.most_common())
    if found.num_beyond_rule:
        yield f"          {found.num_beyond_rule:,} beyond what the rule keeps"


def _dataset(workspace: Workspace, status: RunStatus) -> str:
    found = read_description(workspace.dataset)
    if found is None:
        mark = workspace.dataset.place(MARK)
        if not workspace.dataset.is_taken:
            return "dataset   not written yet"
        return f"dataset   no {mark} that this program can read; 'run' with the same config writes it"
    pairs = ", ".join(f"{split} {number:,}" for split, number in found.rows.items())
    total = count(sum(found.rows.values()), "pair")
    if damaged := next(damaged_files(workspace.dataset, found), None):
        return f"dataset   damaged: {damaged}; 'run' or 'export' with the same config writes it again"
    if found.key != status.inventory.dataset_key:
        return f"dataset   of earlier settings, {total} ({pairs}), in {workspace.dataset}"
    return f"dataset   finished: {total} ({pairs}), in {workspace.dataset}"
