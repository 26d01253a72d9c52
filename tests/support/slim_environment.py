"""An environment as the extra dev never was installed: links to this one's packages, without its tools."""

import tomllib
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def slim_environment(folder: Path) -> Path:
    """Make it in ``folder`` and return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    left_out = set(_of_tools())
    for entry in Path(np.__file__).parents[1].iterdir():
        if entry.name not in left_out:
            (site / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


def _of_tools() -> Iterator[str]:
    """Yield the files and folders of what the extra names and nothing else needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = {_name(text) for text in project["optional-dependencies"]["dev"]}
    others = [each for each in metadata.distributions() if canonicalize_name(each.name) not in tools]
    needed = {_name(text) for each in others for text in each.requires or () if "extra ==" not in text}
    for tool in tools - needed:
        for file in metadata.files(tool) or ():
            yield file.parts[0]


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)
