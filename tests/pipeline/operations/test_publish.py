"""Dataset, card, audit and report of a workspace speak of the same pairs, whoever decided them last."""

import json
import os
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.config.resolve import resolve
from pipeline.dataset.description import MARK
from pipeline.operations.publish import write_inventory
from pipeline.progress.ticket_log import ticket_lines
from pipeline.report.snapshot import Snapshot
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from tests.support.command_line import written
from tests.support.in_process import run_here, typed_here
from tests.support.report_runs import SETTINGS

BEST = "preference.pairs.keep=best"
"""Fewer pairs than the config's own rule leaves."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run."""
    folder = tmp_path_factory.mktemp("published")
    written(folder, **SETTINGS)
    run_here(folder / "small.yaml", folder / "workspace")
    return folder


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "own"))


def typed(command: str, folder: Path, *options: str | Path) -> str:
    """Type a command for the config and the workspace in ``folder``, and return what it prints."""
    words = (command, folder / "small.yaml", "--workspace", folder / "workspace", *options)
    return typed_here(*words)


def told(workspace: Path) -> dict[str, tuple[str, int]]:
    """Return the settings and the number of pairs that each part of a workspace speaks of."""
    said = json.loads((workspace / "dataset" / MARK).read_text())
    audit = json.loads((workspace / "audit.json").read_text())
    (file,) = (workspace / "dataset" / "pairs").glob("*.parquet")
    card = (workspace / "dataset" / "README.md").read_text()
    report = (workspace / "report.html").read_text()
    return {
        "dataset": (said["config_hash"], pq.read_metadata(file).num_rows),
        "audit": (audit["config_hash"], audit["pairs"]),
        "card": (said["config_hash"], number_in(r"\n([\d,]+) pairs? from [\d,]+ candidates", card)),
        "report": (
            str(re.search(r"Settings <code>(\w+)</code>", report)[1]),
            number_in(r"<dt>pairs</dt><dd>([\d,]+)</dd>", report),
        ),
    }


def number_in(pattern: str, text: str) -> int:
    """Return the one number that the pattern finds."""
    (number,) = re.findall(pattern, text)
    return int(number.replace(",", ""))


def test_export_after_other_criteria_brings_all_along(own: Path) -> None:
    """One command; a reader never sees an old audit or report beside new pairs."""
    workspace = own / "workspace"
    before = told(workspace)

    said = typed("export", own, "--set", BEST)

    after = told(workspace)
    assert "decided 1 shard" in said
    assert after["dataset"][1] < before["dataset"][1]
    assert after["dataset"][0] == resolve(own / "small.yaml", [BEST]).config_hash
    assert len(set(before.values())) == len(set(after.values())) == 1, after


def test_deciding_alone_leaves_them_as_they_are(own: Path) -> None:
    """Together; what it took is noted for the next report."""
    workspace = own / "workspace"
    before = told(workspace)
    noted = len(ticket_lines(Workspace(workspace).ticket_log))

    said = typed("decide", own, "--set", BEST)

    assert told(workspace) == before
    assert "'export', with this config and these options" in said
    assert [line.table for line in ticket_lines(Workspace(workspace).ticket_log)[noted:]] == ["prefer"]
    typed("export", own, "--set", BEST)
    assert len(set(told(workspace).values())) == 1


def test_a_copy_elsewhere_leaves_the_workspace_as_it_is(own: Path) -> None:
    """Also one that lies in the workspace; its card holds the audit of its own pairs."""
    workspace = own / "workspace"
    before = told(workspace)
    copy = workspace / "best"

    typed("export", own, "--set", BEST, "--out", copy)

    assert told(workspace) == before
    (file,) = (copy / "pairs").glob("*.parquet")
    pairs = pq.read_metadata(file).num_rows
    assert number_in(r"\n([\d,]+) pairs? from [\d,]+ candidates", (copy / "README.md").read_text()) == pairs
    assert pairs < before["dataset"][1]


@pytest.mark.parametrize("written_at_s", [0, 2**32])
def test_a_report_that_a_killed_run_left_behind_is_written_again(own: Path, written_at_s: int) -> None:
    """Whatever the clock said then, it is not of what lies there; one that is, is left alone."""
    workspace = own / "workspace"
    report = workspace / "report.html"
    ours = report.read_text()
    typed("export", own, "--set", BEST)
    of_other_pairs = report.read_text()
    run_here(own / "small.yaml", workspace)
    report.write_text(of_other_pairs)
    os.utime(report, (written_at_s, written_at_s))

    run_here(own / "small.yaml", own / "workspace")
    written_at = report.stat().st_mtime_ns
    run_here(own / "small.yaml", own / "workspace")

    assert ours != of_other_pairs != report.read_text()
    assert report.stat().st_mtime_ns == written_at


def test_an_audit_of_less_speech_is_not_told_of_more(own: Path) -> None:
    """While a run adds recordings, what the one before found is of other pairs than the funnel counts."""
    workspace = Workspace(own / "workspace")
    assert Snapshot.of(workspace).audit is not None
    with (own / "sentences.csv").open("a", encoding="utf-8") as manifest:
        manifest.write((own / "sentences.csv").read_text(encoding="utf-8").splitlines()[1] + "\n")
    run = resolve(own / "small.yaml")

    write_inventory(run, assemble(run, workspace), workspace)

    assert Snapshot.of(workspace).audit is None
    typed("run", own, "--executor", "local")
    assert len(set(told(workspace.root).values())) == 1
    assert Snapshot.of(workspace).audit is not None


def test_a_report_without_pairs_has_no_empty_charts(own: Path) -> None:
    """What there is nothing to draw of is said; shares of nothing begin at nothing."""
    typed("export", own, "--set", "preference.criteria=[{metric: multi_resolution_stft, margin: 1000}]")
    page = (own / "workspace" / "report.html").read_text(encoding="utf-8")

    charts = [
        json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page)
    ]

    assert "There are no pairs." in page
    assert "No score has a value on both sides of a pair." in page
    assert "Win rate of the chosen side" in page
    assert all(trace.get("y") for chart in charts for trace in chart["data"])
    shares = [
        chart["layout"]["xaxis"]
        for chart in charts
        if "of 0" in json.dumps(chart) or "0 of" in json.dumps(chart)
    ]
    assert {axis["rangemode"] for axis in shares} == {"tozero"}
