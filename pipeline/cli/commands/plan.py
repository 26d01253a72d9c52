"""``plan``: what a run would do, said before anything runs. Writes nothing."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.cli.commands.model_needs import measured_in, models_in, show_models, step_lines, steps_of
from pipeline.cli.commands.run import format_header
from pipeline.config.resolve import ResolvedConfig, gpus_said_in, operators_in, stand_ins_in
from pipeline.progress.estimates import BYTES_PER_SAMPLE, FLAC_SHARE, NATIVE_RATE_HZ
from pipeline.progress.forecast import Forecast, TableForecast
from pipeline.progress.pair_yield import estimate_yield, yield_lines
from pipeline.progress.ticket_log import ticket_lines
from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.first_look import require_audio
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.listing_warnings import listing_warnings
from pipeline.tables.scores import ScoreTable
from pipeline.text import align_columns, count, format_bytes, format_clock, say

SLOW_TICKET_S = 600.0
SIDES_PER_PAIR = 4
"""Degraded, chosen, rejected and clean."""
_HEAD = ("table", "tickets", "done", "time left", "known", "bytes done", "bytes left")


def plan_command(run: ResolvedConfig, workspace: Workspace, target: int | None = None) -> None:
    """Print utterances, shards, tickets, time, bytes and pairs, and what ``target`` pairs would need."""
    say(format_header(run, workspace))
    operators = [setup.restorer for setup in run.restorers] + [setup.metric for setup in run.metrics]
    gpus = {setup.restorer.kind: setup.gpus for setup in run.restorers}
    gpus |= {setup.metric.kind: setup.gpus for setup in run.metrics}
    lines = ticket_lines(workspace.ticket_log)
    tables = {f"restore.{setup.name}": setup.restorer.kind for setup in run.restorers}
    models = models_in(operators, gpus, (), measured_in(lines, tables))
    show_models(models)
    for line in step_lines(steps_of(models)):
        say(line)
    graph = assemble(run, workspace, keep=False)
    require_audio(source for shard in graph.shards for source in shard.sources)
    forecast = Forecast(graph, workspace.store, lines, _sample_rate(run))
    for line in plan_lines(run, graph, forecast, workspace.free_bytes):
        say(line)
    for line in yield_lines(estimate_yield(run, graph, workspace.store), num_degraded(run, forecast), target):
        say(line)


def explain_lack(path: Path, assignments: Sequence[str]) -> None:
    """Print what the models of a config need that cannot be planned, and what is to be done for them."""
    stand_ins = stand_ins_in(path, assignments)
    models = models_in(operators_in(path, assignments), gpus_said_in(path, assignments), stand_ins)
    show_models(models)
    say("\n".join(step_lines(steps_of(models))))


def num_degraded(run: ResolvedConfig, forecast: Forecast) -> int:
    """Return how many degraded versions a run has, those of unread speech by its headers."""
    return sum(load.records for load in forecast.speech.values()) * run.config.degradations.repeats


def plan_lines(run: ResolvedConfig, graph: Graph, forecast: Forecast, free: int | None) -> Iterator[str]:
    """Yield what a run would do, where so many bytes are free; None where nothing limits them."""
    yield ""
    yield from _speech(run, graph, forecast)
    yield ""
    yield from align_columns([_HEAD, *_rows(forecast.tables)])
    yield ""
    yield from _totals(run, forecast, free)
    yield from listing_warnings(run, graph)
    yield from _split_transcript_warnings(graph)
    yield from _warnings(forecast)


def _speech(run: ResolvedConfig, graph: Graph, forecast: Forecast) -> Iterator[str]:
    corpora = Counter(source.corpus for shard in graph.shards for source in shard.sources)
    seconds = sum(load.audio_s for load in forecast.speech.values())
    exact = forecast.num_ingested == len(graph.shards)
    known = "decoded" if exact else "by their headers"
    recordings = ", ".join(f"{number:,} of {corpus}" for corpus, number in sorted(corpora.items()))
    takes = sum(setup.takes for setup in run.restorers)
    repeats = run.config.degradations.repeats
    utterances = sum(load.records for load in forecast.speech.values())
    about = "" if exact else "about "
    yield f"speech    {recordings}: {about}{count(utterances, 'utterance')}, {format_clock(seconds)} {known}"
    yield f"degraded  {about}{count(utterances * repeats, 'version')}, {format_clock(seconds * repeats)}"
    yield (
        f"restored  {about}{utterances * repeats * takes:,} candidates, {takes} of each version, "
        f"{format_clock(seconds * repeats * takes)}"
    )
    longest = max((load.audio_s for load in forecast.speech.values()), default=0.0)
    yield f"shards    {len(graph.shards):,}, of up to {format_clock(longest)}"


def _rows(tables: Sequence[TableForecast]) -> Iterator[tuple[str, ...]]:
    groups: dict[str, list[TableForecast]] = {}
    for table in tables:
        groups.setdefault(_group(table), []).append(table)
    for name, members in groups.items():
        left = sum(m.num_shards - m.done for m in members)
        yield (
            name if len(members) == 1 else f"{name} ({len(members)} models)",
            f"{sum(m.num_shards for m in members):,}",
            f"{sum(m.done for m in members):,}",
            format_clock(sum(m.work_left_s for m in members)) if left else "",
            _basis([m for m in members if m.done < m.num_shards]),
            format_bytes(done) if (done := sum(m.bytes_done for m in members)) else "",
            format_bytes(sum(m.bytes_left for m in members)) if left else "",
        )


def _group(forecast: TableForecast) -> str:
    table = forecast.table
    return f"score.{table.setup.name}" if isinstance(table, ScoreTable) else table.name


def _basis(members: Sequence[TableForecast]) -> str:
    """Return the weakest way in which the time left is known."""
    found = {member.basis for member in members}
    return next((word for word in ("guess", "rough", "measured") if word in found), "")


def _totals(run: ResolvedConfig, forecast: Forecast, free: int | None) -> Iterator[str]:
    total = sum(t.num_shards for t in forecast.tables)
    done = sum(t.done for t in forecast.tables)
    yield f"tickets   {done:,} of {total:,} are done"
    if done < total:
        cpu_s = sum(t.work_left_s for t in forecast.tables if not t.table.gpus)
        gpu_s = sum(t.work_left_s for t in forecast.tables if t.table.gpus)
        cores = len(os.sched_getaffinity(0))
        yield f"time      about {_duration(cpu_s)} of work for one core; {_time_on(cores, cpu_s)}"
        if gpu_s:
            yield f"          and about {_duration(gpu_s)} for one GPU"
    left = sum(t.bytes_left for t in forecast.tables)
    room = "in the object store" if free is None else f"{format_bytes(free)} free"
    yield f"disk      about {format_bytes(left)} of tables to come, {room}; {_dataset(run, forecast)}"
    if free is not None and left > free:
        yield "warning: the disk has too little room"


def _time_on(cores: int, cpu_s: float) -> str:
    return "this machine has one" if cores == 1 else f"{_duration(cpu_s / cores)} on the {cores} cores here"


def _dataset(run: ResolvedConfig, forecast: Forecast) -> str:
    most = run.config.preference.pairs.max_per_utterance
    if most is None:
        return "and the dataset: 4 recordings per pair"
    per_s = (_sample_rate(run) or NATIVE_RATE_HZ) * BYTES_PER_SAMPLE * FLAC_SHARE
    seconds = sum(load.audio_s for load in forecast.speech.values()) * run.config.degradations.repeats
    return f"and the dataset, at most {format_bytes(per_s * seconds * SIDES_PER_PAIR * most)}"


def _split_transcript_warnings(graph: Graph) -> Iterator[str]:
    """Yield a warning if recordings with transcripts are so long that they are split: no piece has one."""
    longest_s = graph.ingest.settings.max_duration_s
    transcribed = (source for shard in graph.shards for source in shard.sources if source.transcript)
    number = sum(estimate_duration_s(source) > longest_s for source in transcribed)
    if number:
        yield (
            f"warning: {count(number, 'recording')} with a transcript would be split at pauses, being longer "
            f"than 'ingest.max_duration_s' ({longest_s:g} s), and the transcript is then left out: nothing "
            "says which words are in which piece"
        )


def _warnings(forecast: Forecast) -> Iterator[str]:
    for table in forecast.tables:
        if table.longest_ticket_s > SLOW_TICKET_S:
            yield (
                f"warning: one ticket of {table.table.name} would take about "
                f"{_duration(table.longest_ticket_s)} ({table.basis}), which is what a lost worker costs; "
                "a smaller shard_seconds makes smaller tickets, for speech that is not in the workspace yet"
            )
    left = [table for table in forecast.tables if table.basis == "guess" and table.done < table.num_shards]
    if guessed := dict.fromkeys(map(_group, left)):
        yield f"guessed, because nobody has measured it: {', '.join(guessed)}"


def _duration(seconds: float) -> str:
    """Return ``40 s``, ``12 min``, ``3.5 h``, ``4.1 days``."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.{0 if name != 'h' else 1}f} {name}"
    return f"{seconds / 86_400:.1f} days"


def _sample_rate(run: ResolvedConfig) -> int | None:
    rate = run.config.ingest.sample_rate
    return None if rate == "native" else rate
