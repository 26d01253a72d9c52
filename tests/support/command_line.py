"""A config of two short sentences to type commands for."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "configs" / "speech"
SENTENCES = ("speech-01", "speech-02")
SMALL: Mapping[str, Any] = {
    "name": "small",
    "speech": [{"name": "sentences", "path": "sentences.csv"}],
    "ingest": {"sample_rate": 16000},
    "degradations": {"chain": [{"kind": "clipping", "threshold": 0.1}]},
    "restorers": [{"kind": "identity"}, {"kind": "spectral_gate", "takes": 2}],
    "metrics": [{"kind": "multi_resolution_stft"}, {"kind": "estoi"}, {"kind": "spectral_envelope"}],
    "preference": {
        "criteria": ["multi_resolution_stft", "estoi", "spectral_envelope"],
        "uncovered": ["perceptual_quality"],
    },
}


def written(folder: Path, **changes: Any) -> Path:
    """Write the small config with top-level settings changed, and its manifest, and return the config."""
    with (SPEECH / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["id"] in SENTENCES]
    with (folder / "sentences.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "path": str(SPEECH / row["path"])} for row in rows)
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False), encoding="utf-8")
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file and what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
