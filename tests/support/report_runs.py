"""A small finished run to report on: damage of two kinds, a hostile transcript, a recording that is unfit."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.store.workspace import Workspace
from tests.support.command_line import written
from tests.support.in_process import run_here
from tests.support.made_once import made_once

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\"{{ 7 * 7 }}"
LONG = "a" * 2_000
"""A word that no line has room for."""
SETTINGS: dict[str, Any] = {
    "substitutes": {"speech corpus": "two sentences"},
    "score_clean": True,
    "degradations": {
        "chain": [
            {"kind": "clipping", "threshold": 0.05, "probability": 0.5},
            {"kind": "bandwidth", "sample_rate_hz": 4000, "probability": 0.5},
        ],
        "repeats": 4,
    },
    "restorers": [{"kind": "identity"}, {"kind": "wiener", "takes": 2}],
    "metrics": [{"kind": k} for k in ("multi_resolution_stft", "spectral_envelope", "si_sdr")],
    "preference": {
        "criteria": [{"metric": "multi_resolution_stft", "margin": 0}],
        "held_out": ["si_sdr"],
        "uncovered": ["perceptual_quality", "content_consistency", "timbre_preservation"],
    },
}


def reported_run(factory: pytest.TempPathFactory) -> Workspace:
    """Return the workspace of the run, which nobody may change."""
    return Workspace(made_once(factory, "reported", _run) / "workspace")


def _run(folder: Path) -> None:
    config = written(folder, **SETTINGS)
    _add_recordings(folder)
    run_here(config, folder / "workspace")


def _add_recordings(folder: Path) -> None:
    """Give one sentence the hostile transcript and the other a long one, and add a silent recording."""
    manifest = folder / "sentences.csv"
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["transcript"], rows[1]["transcript"] = HOSTILE, LONG
    soundfile.write(folder / "silent.wav", np.zeros(16_000, dtype=np.float32), 16_000)
    rows.append({**rows[1], "id": "silent", "path": str(folder / "silent.wav"), "transcript": "nothing"})
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
