"""A run with speakers, a pool, rooms and two splits, and what is in its dataset."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.audit import load_or_run_audit
from pipeline.config.resolve import resolve
from pipeline.dataset.description import DatasetDescription, read_description
from pipeline.operations.export import write_dataset
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from tests.support import tiny

SPLITS = {"train": 0.5, "test": 0.5}
SPEAKERS = ("anna", "bert", "dora", "carla", "emil", "frida")
TABLES = ("pairs", "candidates", "scores")


def settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return its config over the speech in ``folder``, with top-level settings replaced by ``changes``."""
    speech = {"name": "clips", "path": str(folder), "speaker": "parent_folder", "licence": "CC-BY-4.0"}
    more = {
        "speech": [speech],
        "description": "Small | with a <tag> in it.",
        "citations": {"clips": "The clips of the\n<project>."},
        "ingest": {"sample_rate": 16000, "splits": SPLITS},
        "pools": {
            "noise": [{"synthesise": ["white", "pink"], "count": 6, "duration_s": 2}],
            "rir": [{"rooms": 10, "rt60_s": [0.2, 0.3]}],
        },
        "degradations": {
            "chain": [
                {"kind": "reverb", "target": "early", "probability": 0.6},
                {"kind": "noise", "snr_db": {"uniform": [0, 10]}},
            ]
        },
        "metrics": [
            {"kind": kind} for kind in ("multi_resolution_stft", "estoi", "spectral_envelope", "pesq")
        ],
        "preference": {
            "criteria": ["multi_resolution_stft", "estoi", "spectral_envelope"],
            "uncovered": ["perceptual_quality"],
            "held_out": ["pesq"],
        },
        "score_clean": True,
    }
    return tiny.tiny_config(folder, **{**more, **changes})


def make(folder: Path) -> None:
    """Write speech and config into ``folder``, and run them."""
    for number, speaker in enumerate(SPEAKERS):
        tiny.write_clip(folder / "speech" / speaker / "one.wav", number, 1.2)
    config = tiny.write_config(folder, settings(folder / "speech"))
    tiny.run_here(config, folder / "workspace")


def rows_of(dataset: Path, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table."""
    files = sorted((dataset / table).glob("*.parquet"))
    rows: list[dict[str, Any]] = pa.concat_tables(map(pq.read_table, files)).to_pylist()
    return rows


def said_of(dataset: Path) -> DatasetDescription:
    """Return what a dataset says of itself."""
    said = read_description(DatasetFiles(dataset))
    assert said is not None
    return said


def exported_as(made: Path, out: Path, **changes: Any) -> Path:
    """Export the finished run under changed settings to ``out``."""
    config = tiny.write_config(out.parent, settings(made / "speech", **changes))
    run = resolve(config)
    graph = assemble(run, Workspace(made / "workspace"), keep=False)
    workspace = Workspace(made / "workspace")
    audit = load_or_run_audit(run, graph, workspace, keep=False)
    write_dataset(run, graph, workspace.store, DatasetFiles(out), audit)
    return out
