"""A run small enough to be killed often: four clips, two shards, two models, three metrics."""

import csv
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from pipeline.operations.run import RunResult
from tests.support.forked_commands import typed
from tests.support.in_process import run_here

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "configs" / "speech"
TICKETS = 25
"""Of the tiny config over four clips: one of the pool, and twelve tables of two shards."""


def write_speech(folder: Path, names: list[str], seconds: float = 1.6) -> None:
    """Put the beginnings of bundled sentences into ``folder``, in the order of the manifest."""
    for number, name in enumerate(names):
        write_clip(folder / f"{name}.wav", number, seconds)


def write_clip(path: Path, sentence: int, seconds: float) -> None:
    """Write the beginning of one of the bundled sentences."""
    with (SPEECH / "manifest.csv").open() as file:
        row = list(csv.DictReader(file))[sentence]
    samples, rate = soundfile.read(SPEECH / row["path"], dtype="float32")
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.asarray(samples)[: int(seconds * rate)], rate)


def tiny_config(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return the config as a mapping, with top-level settings replaced by ``changes``."""
    config: dict[str, Any] = {
        "name": "tiny",
        "shard_seconds": 3.5,
        "speech": [{"name": "clips", "path": str(folder)}],
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


def cheap_config(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a config with one clip per shard and one cheap vote, for stories that are not about scores."""
    return tiny_config(
        folder,
        **{
            "shard_seconds": 0.5,
            "restorers": [{"kind": "identity"}, {"kind": "spectral_gate"}],
            "metrics": [{"kind": "multi_resolution_stft"}],
            "preference": {
                "criteria": ["multi_resolution_stft"],
                "uncovered": ["perceptual_quality", "content_consistency", "timbre_preservation"],
            },
            **changes,
        },
    )


def write_config(folder: Path, config: Mapping[str, Any]) -> Path:
    """Write the config and return its path."""
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    return path


def command(config: Path, workspace: Path | str, *options: str) -> list[str]:
    """Return the command that a user would type."""
    return [sys.executable, "-m", "pipeline", "run", str(config), "--workspace", str(workspace), *options]


def environment() -> dict[str, str]:
    """Return this process's environment without what could send a run to a cluster that is about."""
    return {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}


def run(
    config: Path, workspace: Path | str, *options: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run as a user would; the working folder is the project's."""
    done = typed("run", config, "--workspace", workspace, *options, environment=environment())
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


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished tiny run of one's own, to change and run again."""

    folder: Path

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "tiny.yaml"

    @property
    def speech(self) -> Path:
        """The folder of clips."""
        return self.folder / "speech"

    @property
    def workspace(self) -> Path:
        """The finished workspace."""
        return self.folder / "workspace"

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the config's settings, some of them replaced."""
        return tiny_config(self.speech, **changes)

    def run_again(self, **changes: Any) -> "Again":
        """Run with changed settings."""
        before = files_of(self.workspace)
        config = write_config(self.folder, self.settings(**changes))
        result = run_here(config, self.workspace)
        return Again(before, files_of(self.workspace), result)


@dataclass(frozen=True, slots=True)
class Again:
    """What a second run has changed in a workspace."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    result: RunResult

    @property
    def made(self) -> set[str]:
        """The tables of which a shard is new."""
        return tables_of(set(self.after) - set(self.before))

    @property
    def new_shards(self) -> set[str]:
        """The names of the shards that are new."""
        new = set(self.after) - set(self.before)
        return {Path(path).stem for path in new if path.startswith("tables/")}

    @property
    def kept_tables(self) -> bool:
        """Whether every table file that was there is there still, byte for byte."""
        old = {path: digest for path, digest in self.before.items() if path.startswith("tables/")}
        return old.items() <= self.after.items()


def tables_of(paths: set[str]) -> set[str]:
    """Return the names of the tables among ``paths``, without their keys."""
    return {path.split("/")[1].rpartition("-")[0] for path in paths if path.startswith("tables/")}
