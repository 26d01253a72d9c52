"""The packages that a run needs: which versions are there, and whether they can be imported."""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

IMPORTED: Mapping[str, str] = {
    "numpy": "numpy",
    "scipy": "scipy",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "pyarrow": "pyarrow",
    "datasets": "datasets",
    "onnxruntime": "onnxruntime",
    "pesq": "pesq",
    "pystoi": "pystoi",
    "pocketsphinx": "pocketsphinx",
    "noisereduce": "noisereduce",
    "nara_wpe": "nara_wpe",
    "pyroomacoustics": "pyroomacoustics",
}
"""Distribution and module. A broken one shows when it is imported, not before."""
FOUND: Mapping[str, str] = {"speechmos": "speechmos", "ray": "ray"}
"""Not imported: speechmos asks for packages that nothing here needs, and Ray is slow to come."""
MODELS: Mapping[str, tuple[str, str]] = {
    "DNSMOS P.835": ("speechmos", "dnsmos_models/sig_bak_ovr.onnx"),
    "DNSMOS P.808": ("speechmos", "dnsmos_models/model_v8.onnx"),
    "English phones": ("pocketsphinx", "model/en-us/en-us-phone.lm.bin"),
}
"""Models that come inside packages: package and file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a run needs, and whether it is there."""

    name: str
    detail: str
    is_there: bool


def packages() -> Iterator[Finding]:
    """Yield every package, imported where an import tells more than a version."""
    for distribution, module in IMPORTED.items():
        yield _imported(distribution, module)
    for distribution, module in FOUND.items():
        is_there = importlib.util.find_spec(module) is not None
        yield Finding(distribution, _version(distribution), is_there)


def embedded_models() -> Iterator[Finding]:
    """Yield every model that comes inside a package."""
    for name, (package, file) in MODELS.items():
        path = _inside(package, file)
        is_there = path is not None and path.is_file()
        yield Finding(
            name, f"inside the package {package}" if is_there else f"no {file} in {package}", is_there
        )


def _imported(distribution: str, module: str) -> Finding:
    try:
        importlib.import_module(module)
    except (ImportError, OSError, AttributeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(distribution, f"{_version(distribution)}: {said}", is_there=False)
    return Finding(distribution, _version(distribution), is_there=True)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return f"not installed; pip install {distribution}"


def _inside(package: str, file: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / file
