"""What a plan expects of work that has not been done."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.commands.plan import plan_lines
from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.progress.forecast import Forecast
from pipeline.progress.ticket_log import TicketLine
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from tests.support.command_line import written


def _assembled(folder: Path, **changes: Any) -> tuple[ResolvedConfig, Graph]:
    run = resolve(written(folder, **changes))
    return run, assemble(run, Workspace(folder / "workspace"), keep=False)


def _forecast(graph: Graph, folder: Path, lines: Sequence[TicketLine] = ()) -> Forecast:
    store = Workspace(folder / "workspace").store
    return Forecast(graph, store, lines, 16_000, duration_s=lambda _source: 10.0)


def _measured(graph: Graph, name: str, *, work_s: float, audio_s: float, takes: int) -> TicketLine:
    table = next(table for table in graph.tables if table.name == name)
    return TicketLine(
        table=name,
        folder=table.folder,
        shard="00007-elsewhere",
        finished_at_s=0.0,
        takes=takes,
        audio_s=audio_s,
        inside_s=work_s,
        wall_s=work_s,
        load_s=0.0,
    )


def test_work_is_expected_at_the_measured_speed_of_a_candidate(tmp_path: Path) -> None:
    """1 s for 20 s of audio with one take each: 20 s of audio with two takes will cost 2 s."""
    _, graph = _assembled(tmp_path)
    line = _measured(graph, "restore.spectral_gate", work_s=1.0, audio_s=20.0, takes=1)

    forecasts = {f.table.name: f for f in _forecast(graph, tmp_path, [line]).tables}

    assert forecasts["restore.spectral_gate"].work_left_s == pytest.approx(2.0)
    assert forecasts["restore.spectral_gate"].basis == "measured"
    assert forecasts["restore.identity"].basis == "rough"


SLOW = """
from typing import ClassVar

from stages.operators.restorer import RESTORERS, Restorer


@RESTORERS.register
class Slow(Restorer):
    kind: ClassVar[str] = "slow_in_a_forecast"
    cost_s_per_s: ClassVar[float] = 3.0

    def restore(self, batch, streams):
        return list(batch)


@RESTORERS.register
class Unknown(Slow):
    kind: ClassVar[str] = "unknown_in_a_forecast"
    cost_s_per_s = None
"""


def test_an_operator_says_itself_what_it_costs(tmp_path: Path) -> None:
    """One of the user's own too; where nobody has measured it, time is a guess."""
    (tmp_path / "slow.py").write_text(SLOW)
    kinds = [{"kind": f"{name}_in_a_forecast"} for name in ("slow", "unknown")]
    _, graph = _assembled(tmp_path, operators=["slow.py"], restorers=kinds)

    slow, unknown = (
        next(f for f in _forecast(graph, tmp_path).tables if f.table.name == f"restore.{kind['kind']}")
        for kind in kinds
    )

    assert slow.work_left_s == pytest.approx(3.0 * 20.0)
    assert (slow.basis, unknown.basis) == ("rough", "guess")


def test_more_versions_cost_more(tmp_path: Path) -> None:
    """Three degraded versions of each utterance are three times the work, except for decoding."""
    once = {f.table.name: f for f in _forecast(_assembled(tmp_path)[1], tmp_path).tables}
    chain = [{"kind": "clipping", "threshold": 0.1}]
    _, graph = _assembled(tmp_path, degradations={"chain": chain, "repeats": 3})

    thrice = {f.table.name: f for f in _forecast(graph, tmp_path).tables}

    assert thrice["ingest"].work_left_s == once["ingest"].work_left_s
    for name in ("degrade", "restore.identity", "score.estoi.spectral_gate"):
        assert thrice[name].work_left_s == pytest.approx(3 * once[name].work_left_s)


def test_bytes_are_those_of_the_audio_that_is_stored(tmp_path: Path) -> None:
    """20 s at 16 kHz in 24-bit FLAC, some 0.6 of 3 bytes per sample; a table of scores is next to nothing."""
    _, graph = _assembled(tmp_path)

    forecasts = {f.table.name: f for f in _forecast(graph, tmp_path).tables}

    assert forecasts["restore.identity"].bytes_left == pytest.approx(20 * 16_000 * 1.8, rel=0.05)
    assert forecasts["degrade"].bytes_left == pytest.approx(2 * 20 * 16_000 * 1.8, rel=0.05)
    assert forecasts["score.estoi.identity"].bytes_left < 10_000


def test_a_ticket_of_more_than_ten_minutes_is_warned_of(tmp_path: Path) -> None:
    """The table is named, and what would make its tickets smaller; the others are not."""
    run, graph = _assembled(tmp_path)
    slow = _measured(graph, "score.estoi.identity", work_s=660.0, audio_s=20.0, takes=1)

    warnings = [
        line
        for line in plan_lines(run, graph, _forecast(graph, tmp_path, [slow]), Workspace(tmp_path).free_bytes)
        if line.startswith("warning")
    ]

    assert len(warnings) == 1
    assert "one ticket of score.estoi.identity would take about 11 min (measured)" in warnings[0]
    assert "shard_seconds" in warnings[0]
