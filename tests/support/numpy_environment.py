"""An environment of its own for workers: another interpreter that has numpy and nothing else."""

import venv
from pathlib import Path

import numpy as np


def numpy_environment(folder: Path, packages: Path | None = None) -> Path:
    """Make it in ``folder`` and return its interpreter, which also finds what is in ``packages``."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (ours / name).exists():
            (site / name).symlink_to(ours / name)
    if packages is not None:
        (site / "packages.pth").write_text(str(packages))
    return folder / "bin" / "python"
