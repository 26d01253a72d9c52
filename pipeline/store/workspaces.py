"""Which workspace a text names: a folder, or a URL of an object store."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import expand_home
from pipeline.store.object_dataset import ObjectDataset
from pipeline.store.object_urls import is_store_url
from pipeline.store.object_workspace import ObjectWorkspace
from pipeline.store.workspace import Workspace
from schemas import WorkspaceError

JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""What the job manager sets in the process that it starts, despite its name; so in Ray 2.60."""


def open_workspace(text: str | None, name: str, environment: Mapping[str, str] = os.environ) -> Workspace:
    """Return the workspace called ``text``, or ``runs/<name>`` if that is None.

    Raises ``WorkspaceError`` for empty text, for a URL of no object store, for a file, and for a relative
    path inside a Ray job.
    """
    chosen = f"runs/{name}" if text is None else text
    if not chosen:
        raise WorkspaceError("the workspace is empty text; give a folder")
    if is_store_url(chosen):
        return ObjectWorkspace(chosen)
    path = expand_home(chosen)
    if not path.is_absolute() and is_ray_job(environment):
        raise WorkspaceError(
            f"the workspace {chosen!r} is relative, and inside a Ray job that is a folder named by the "
            "upload's hash, on one node, which no later job would find; give an absolute path that all nodes "
            "share: --workspace /shared/runs/demo"
        )
    if path.exists() and not path.is_dir():
        raise WorkspaceError(f"the workspace {path} is a file, not a folder")
    return Workspace(path.absolute())


def dataset_at(text: str) -> DatasetFiles:
    """Return the dataset, there or not, in a folder or at a URL."""
    return ObjectDataset(text) if is_store_url(text) else DatasetFiles(Path(text))


def workspace_around(dataset: str) -> Workspace:
    """Return the workspace in which a dataset lies that is named by its folder or URL."""
    if is_store_url(dataset):
        return ObjectWorkspace(dataset.rstrip("/").rpartition("/")[0])
    return Workspace(Path(dataset).absolute().parent)


def is_workspace(text: str) -> bool:
    """Whether ``text`` names a workspace, and not a config: a folder that is there, or a URL."""
    return is_store_url(text) or Path(text).is_dir()


def is_ray_job(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process was started by ``ray job submit``."""
    return JOB_VARIABLE in environment
