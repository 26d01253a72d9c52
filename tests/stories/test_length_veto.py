"""A model that makes speech longer: how much is recorded, and a veto refuses its pairs and counts them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.audit.audit import read_audit
from pipeline.dataset.description import CARD, MARK
from pipeline.store.workspace import Workspace
from pipeline.verify.verify import verify_dataset
from tests.support import tiny
from tests.support.in_process import run_here, typed_here
from tests.support.small_graphs import write_graph
from tests.support.tampering import Rows, found, pairs_of, retold, tamper
from tests.support.tiny import Finished

ADDED_S = 160 / 16_000
VETO = {"max_length_change_s": 0.005, "side": "both"}
LABEL = "either longer or shorter by over 0.005 s"
VOTES = ("multi_resolution_stft", "estoi", "spectral_envelope")


def longer(folder: Path) -> Path:
    """Write a graph that clips what it takes, and gives its first 160 samples once more."""
    nodes = [
        ("Clip", "x lowest highest", "clipped"),
        ("Slice", "clipped at_0 at_160 at_1", "first"),
        ("Concat", "clipped first", "y", {"axis": 1}),
    ]
    ports = [("x", (1, "samples"))], [("y", (1, "more_samples"))]
    return write_graph(folder / "longer.onnx", nodes, ports)


def settings(folder: Path, *vetoes: dict[str, Any]) -> dict[str, Any]:
    """Return the tiny config with that model beside others."""
    return tiny.tiny_config(
        folder / "speech",
        restorers=[
            {"kind": "identity"},
            {"kind": "spectral_gate"},
            {"kind": "onnx", "name": "longer", "path": str(longer(folder))},
        ],
        score_clean=True,
        preference={
            "criteria": [{"metric": vote, "margin": 0} for vote in VOTES],
            "uncovered": ["perceptual_quality"],
            "vetoes": list(vetoes),
        },
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with the veto, once."""
    folder = tmp_path_factory.mktemp("longer")
    tiny.write_speech(folder / "speech", ["a", "b", "c", "d"])
    run_here(tiny.write_config(folder, settings(folder, VETO)), folder / "workspace")
    return folder


@pytest.fixture
def finished(ran: Path, tmp_path: Path) -> Finished:
    """Return a copy of the run, with its own speech and model."""
    own = Finished(Path(shutil.copytree(ran, tmp_path / "finished")))
    tiny.write_config(own.folder, settings(own.folder, VETO))
    return own


def lost(dataset: Path) -> dict[str, int]:
    """Return what the funnel says of unanimous pairs that are none of the dataset's."""
    told: dict[str, int] = json.loads((dataset / MARK).read_text())["funnel"]["steps"][-1]["lost"]
    return told


def models_of(dataset: Path) -> set[str]:
    """Return the models that have a part in pairs."""
    return {row[f"{side}_model"] for row in pairs_of(dataset) for side in ("chosen", "rejected")}


def test_says_how_much_longer_each_take_was(ran: Path) -> None:
    """In pairs and candidates, as in the table; others changed nothing."""
    dataset = ran / "workspace" / "dataset"
    rows = [row for path in (dataset / "scores").glob("*.parquet") for row in pq.read_table(path).to_pylist()]

    changes = {(row["model"], row["length_change_s"]) for row in rows}

    assert changes == {("identity", 0.0), ("spectral_gate", 0.0), ("clean", 0.0), ("longer", ADDED_S)}
    assert {row["chosen_length_change_s"] for row in pairs_of(dataset)} == {0.0}


def test_its_pairs_are_refused_and_counted(ran: Path) -> None:
    """In the funnel, the card and status; the dataset passes its own examination."""
    workspace = ran / "workspace"
    dataset = workspace / "dataset"

    assert models_of(dataset) == {"identity", "spectral_gate"}
    assert lost(dataset)[LABEL] > 0
    assert f"- {LABEL}" in (dataset / CARD).read_text()
    assert f"{LABEL} × {lost(dataset)[LABEL]} removed" in typed_here("status", workspace)
    assert LABEL in (workspace / "report.html").read_text()
    verified = verify_dataset(dataset, rows=2)
    assert verified.is_sound, verified.findings


def test_another_bound_is_decided_on_finished_takes(finished: Finished) -> None:
    """Nothing is restored or scored again; pairs, audit and funnel follow, and are what a run makes."""
    before = tiny.files_of(finished.workspace)
    bound = "preference.vetoes=[{max_length_change_s: 0.02, side: both}]"

    said = typed_here("export", finished.config, "--workspace", finished.workspace, "--set", bound)

    dataset = finished.workspace / "dataset"
    made = tiny.tables_of(set(tiny.files_of(finished.workspace)) - set(before))
    assert made <= {"prefer", "pairs", "candidates", "scores"}, said
    assert models_of(dataset) == {"identity", "spectral_gate", "longer"}
    assert set(lost(dataset)) == {"clean chosen"}
    audit = read_audit(Workspace(finished.workspace).audit)
    assert audit is not None
    assert audit.pairs == len(pairs_of(dataset))
    assert "length off by 0.01 s" in (finished.workspace / "report.html").read_text()
    assert verify_dataset(dataset, rows=0).is_sound
    tiny.write_config(
        finished.folder, settings(finished.folder, {"max_length_change_s": 0.02, "side": "both"})
    )
    assert run_here(finished.config, finished.workspace).computed == 0


@pytest.mark.parametrize("has_candidates", [True, False])
def test_a_pair_against_the_veto_is_found(finished: Finished, *, has_candidates: bool) -> None:
    """Row by row, also by who has nothing but the pairs."""
    typed_here("export", finished.config, "-w", finished.workspace, "--set", "preference.vetoes=[]")
    dataset = finished.workspace / "dataset"
    if not has_candidates:
        for table in ("candidates", "scores"):
            shutil.rmtree(dataset / table)
            retold(dataset, lambda said, table=table: said["tables"].pop(table))
    refused = [
        r["pair_id"] for r in pairs_of(dataset) if "longer" in {r["chosen_model"], r["rejected_model"]}
    ]

    retold(dataset, lambda said: said["vetoes"].append(VETO))
    wrong = found(dataset, rows=0)

    assert refused
    assert sorted(line.partition(": veto")[0] for line in wrong if f": veto '{LABEL}'" in line) == sorted(
        refused
    )


def test_a_length_that_was_made_to_fit_is_found(finished: Finished) -> None:
    """Pairs and candidates have to say the same."""
    typed_here("export", finished.config, "-w", finished.workspace, "--set", "preference.vetoes=[]")
    dataset = finished.workspace / "dataset"
    wrong = {
        row["pair_id"]: side
        for row in pairs_of(dataset)
        for side in ("chosen", "rejected")
        if row[f"{side}_model"] == "longer"
    }

    def fit(rows: Rows) -> None:
        for row in rows:
            if row["pair_id"] in wrong:
                row[f"{wrong[row['pair_id']]}_length_change_s"] = 0.0

    tamper(dataset, fit)

    told = [line.partition(" published")[0] for line in found(dataset, rows=0)]
    assert sorted(told) == sorted(f"{name}: {side}_length_change_s:" for name, side in wrong.items())
