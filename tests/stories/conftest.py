"""A tiny run, finished once, that stories compare with, look at and grow from."""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support import sided, tiny
from tests.support.made_once import made_once
from tests.support.served import client_of


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Return a folder of four clips."""
    folder = tmp_path / "speech"
    tiny.write_speech(folder, ["a", "b", "c", "d"])
    return folder


@pytest.fixture
def config(tmp_path: Path, speech: Path) -> Path:
    """Return the tiny config over the four clips."""
    return tiny.write_config(tmp_path, tiny.tiny_config(speech))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an undisturbed local run of the tiny config: speech, config and workspace."""
    return made_once(tmp_path_factory, "undisturbed", _run_undisturbed)


def _run_undisturbed(folder: Path) -> None:
    tiny.write_speech(folder / "speech", ["a", "b", "c", "d"])
    path = tiny.write_config(folder, tiny.tiny_config(folder / "speech"))
    tiny.run(path, folder / "workspace", "--executor", "local")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with speakers and two splits: speech, config, workspace."""
    return made_once(tmp_path_factory, "sided", sided.make)


@pytest.fixture(scope="session")
def expected(undisturbed: Path) -> dict[str, str]:
    """Return what an undisturbed local run of the tiny config leaves."""
    return tiny.files_of(undisturbed / "workspace")


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> tiny.Finished:
    """Return a copy of the undisturbed run, with its own speech."""
    shutil.copytree(undisturbed, tmp_path / "finished")
    own = tiny.Finished(tmp_path / "finished")
    tiny.write_config(own.folder, own.settings())
    return own


@pytest.fixture
def workspace(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a finished workspace of one's own."""
    return Path(shutil.copytree(undisturbed / "workspace", tmp_path / "workspace"))


@pytest.fixture
def client(workspace: Path) -> TestClient:
    """Return a client of a finished workspace."""
    return client_of(workspace)
