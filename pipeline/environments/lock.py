"""What an environment is made of: a Python, packages of exact versions, and a model's code at a commit."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from schemas import ConfigError, Record
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import file_digest

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""Has torch without CUDA, which no other index has for Linux."""
_SETTING = re.compile(r"^# (\w+) = (\S+)$")
_OF_TORCH = ("torch==", "torchaudio==", "torchvision==")
_OF_CUDA = ("nvidia-", "triton==")


class EnvironmentLock(Record):
    """One lock file. Its comments say what pip does not know; the rest is pip's."""

    kind: str
    path: Path
    python: str = Field(pattern=r"^3\.\d+$")
    packages: tuple[str, ...] = ()
    """Installed without what they ask for: what of it is needed is in the list."""
    stubs: tuple[str, ...] = ()
    """Modules that the model's code imports and does not use."""
    repository: str | None = None
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    folder: str = "."
    """Where in the repository the model's code is."""

    @property
    def digest(self) -> str:
        """SHA-256 of the file: an environment of another one is made anew."""
        return file_digest(self.path)

    def requirements(self, *, cpu: bool = False) -> Iterator[str]:
        """Yield the lines for pip or uv, those for a machine without a GPU if ``cpu``."""
        if cpu:
            yield f"--extra-index-url {CPU_INDEX}"
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#") or not line or (cpu and line.startswith(_OF_CUDA)):
                continue
            yield f"{line}+cpu" if cpu and line.startswith(_OF_TORCH) else line


def read_lock(model: PublishedWorker) -> EnvironmentLock:
    """Return what the environment of ``model`` is made of; raises ``ConfigError`` for half a file."""
    found: dict[str, list[str]] = {}
    for line in model.lock.read_text(encoding="utf-8").splitlines():
        if (setting := _SETTING.match(line)) is not None:
            found.setdefault(setting[1], []).append(setting[2])
    if "python" not in found:
        raise ConfigError(f"{model.lock} does not say which Python it is for")
    single = {name: values[0] for name, values in found.items() if name not in {"package", "stub"}}
    several = {"packages": tuple(found.get("package", ())), "stubs": tuple(found.get("stub", ()))}
    return EnvironmentLock.model_validate({"kind": model.kind, "path": model.lock, **single, **several})
