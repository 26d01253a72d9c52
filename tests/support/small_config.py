"""A small config that is right, and the means to make it wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.resolve import ResolvedConfig, resolve
from schemas import ConfigError

SMALL: Mapping[str, Any] = {
    "name": "small",
    "speech": [{"name": "voices", "path": "voices"}],
    "ingest": {"sample_rate": 16000},
    "pools": {"noise": [{"synthesise": ["white"]}]},
    "degradations": {"chain": [{"kind": "noise", "snr_db": 5}, {"kind": "clipping"}]},
    "restorers": [{"kind": "identity"}, {"kind": "wiener", "takes": 2}],
    "metrics": [
        {"kind": "dnsmos"},
        {"kind": "pesq"},
        {"kind": "estoi"},
        {"kind": "spectral_envelope"},
        {"kind": "si_sdr"},
    ],
    "preference": {"criteria": ["dnsmos_ovrl", "pesq", "estoi", "spectral_envelope"]},
}


def written(folder: Path, **changes: Any) -> Path:
    """Return a config file: the small one with top-level settings changed, and its folder of speech."""
    (folder / "voices").mkdir(exist_ok=True)
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


def resolved(folder: Path, **changes: Any) -> ResolvedConfig:
    """Return the run of a changed config."""
    return resolve(written(folder, **changes))


def mistakes(path: Path, assignments: Sequence[str] = (), **replacements: str) -> list[str]:
    """Return the lines that a wrong config is refused with, without the folder that it lies in."""
    with pytest.raises(ConfigError) as refused:
        resolve(path, assignments, replacements)
    return str(refused.value).replace(f"{path.parent}/", "").splitlines()


def place_in(path: Path, text: str) -> str:
    """Return ``file:line:column`` of the first ``text`` in a config file."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if text in line:
            return f"{path.name}:{number}:{line.index(text) + 1}"
    raise AssertionError(f"{text!r} is not in {path}")
