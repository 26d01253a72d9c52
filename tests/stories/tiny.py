"""A run small enough to be killed often: four clips, two shards, two models, three metrics."""

import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "configs" / "speech"


def write_speech(folder: Path, names: list[str], seconds: float = 1.6) -> None:
    """Put the beginnings of bundled sentences into ``folder``, in the order of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (SPEECH / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name, row in zip(names, rows, strict=False):
        samples, rate = soundfile.read(SPEECH / row["path"], dtype="float32")
        soundfile.write(folder / f"{name}.wav", np.asarray(samples)[: int(seconds * rate)], rate)


def tiny_config(speech: Path, **changes: Any) -> dict[str, Any]:
    """Return the config as a mapping, with top-level settings replaced by ``changes``."""
    config: dict[str, Any] = {
        "name": "tiny",
        "shard_seconds": 3.5,
        "speech": [{"name": "clips", "path": str(speech)}],
        "ingest": {"sample_rate": 16000},
        "pools": {"noise": [{"synthesise": ["white", "pink"], "duration_s": 2}]},
        "degradations": {"chain": [{"kind": "noise", "snr_db": {"uniform": [0, 10]}}]},
        "restorers": [{"kind": "identity"}, {"kind": "spectral_gate", "takes": 2}],
        "metrics": [{"kind": k} for k in ("multi_resolution_stft", "estoi", "spectral_envelope")],
        "preference": {
            "criteria": ["multi_resolution_stft", "estoi", "spectral_envelope"],
            "uncovered": ["perceptual_quality"],
        },
    }
    return {**config, **changes}


def write_config(folder: Path, config: Mapping[str, Any]) -> Path:
    """Write the config and return its path."""
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    return path


def command(config: Path, workspace: Path, *options: str) -> list[str]:
    """Return the command that a user would type."""
    return [sys.executable, "-m", "pipeline", "run", str(config), "--workspace", str(workspace), *options]


def run(config: Path, workspace: Path, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run as a user would; the working folder is the project's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        command(config, workspace, *options),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def files_of(workspace: Path) -> dict[str, str]:
    """Return the digest of every table and of the dataset's Parquet files, by path."""
    paths = [*workspace.glob("tables/*/*.parquet"), *workspace.glob("dataset/*/*.parquet")]
    return {
        str(path.relative_to(workspace)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
    }


def tables_of(paths: set[str]) -> set[str]:
    """Return the names of the tables among ``paths``, without their keys."""
    return {path.split("/")[1].rpartition("-")[0] for path in paths if path.startswith("tables/")}
