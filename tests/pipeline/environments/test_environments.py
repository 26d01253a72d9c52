"""Environments of published models: what lock files say, stubs, code, and what is removed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.environments.lock import CPU_INDEX, EnvironmentLock, read_lock
from pipeline.environments.make import (
    NOTE,
    check_out_code,
    remove_environment,
    run_tool,
    state_of_environment,
    write_stubs,
)
from schemas import RunError
from stages.restorers import RESTORERS
from stages.restorers.common.worker import ENVIRONMENTS_VARIABLE, PublishedWorker

MODELS = [member() for _, member in sorted(RESTORERS.items()) if issubclass(member, PublishedWorker)]  # type: ignore[abstract]
HERE = ".".join(map(str, sys.version_info[:2]))
PROBE = "import deepspeed, own; from deepspeed.a.b import C; print(C.__name__, own.X)"


@pytest.fixture
def code(tmp_path: Path) -> tuple[Path, str]:
    """Return a folder with a clone of a repository in it, and its commit."""
    clone = tmp_path / "clones" / "owner+name"
    (clone / "inner").mkdir(parents=True)
    (clone / "inner" / "own.py").write_text("X = 7\n")
    git = ["git", "-C", str(clone), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        run_tool([*git, *words])
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return clone.parent, commit.stdout.strip()


def _lock(folder: Path, commit: str) -> EnvironmentLock:
    path = folder / "model.lock"
    path.write_text(f"# python = {HERE}\n# nothing to install\n")
    return EnvironmentLock(
        kind="model", path=path, python=HERE, stubs=("deepspeed",), folder="inner",
        repository="https://github.com/owner/name", commit=commit,
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_model_ships_what_its_environment_is_made_of(model: PublishedWorker) -> None:
    """Exact versions of everything, a commit where the code is no package, and the same without CUDA."""
    lock = read_lock(model)
    lines = list(lock.requirements())

    assert all("==" in line for line in lines)
    assert any(line.startswith("torch==") for line in lines)
    assert (lock.commit is not None) == model.needs_repository
    assert (lock.packages == ()) == model.needs_repository
    without = list(lock.requirements(cpu=True))
    assert without[0].endswith(CPU_INDEX)
    assert not [line for line in without if line.startswith(("nvidia-", "triton"))]
    assert [line for line in without if line.startswith("torch==") and line.endswith("+cpu")]


def test_code_comes_at_its_commit_and_stubs_answer_any_import(tmp_path: Path, code: tuple[Path, str]) -> None:
    """The part of the repository that is asked for is what can be imported from; stubs give empty classes."""
    lock, packages = _lock(tmp_path, code[1]), tmp_path / "packages"
    packages.mkdir()

    write_stubs(lock, packages)
    check_out_code(lock, tmp_path, code[0])

    places = f"{tmp_path / 'repository'}:{packages}"
    ran = subprocess.run(
        [sys.executable, "-c", PROBE], check=True, capture_output=True, text=True, env={"PYTHONPATH": places}
    )
    assert ran.stdout == "C 7\n"


def test_an_environment_of_another_lock_file_is_another(tmp_path: Path) -> None:
    """What was made is known by the lock file; what was begun has no note of it."""
    lock, folder = _lock(tmp_path, "0" * 40), tmp_path / "environment"
    states = [state_of_environment(lock, folder)]
    folder.mkdir()
    (folder / "pyvenv.cfg").touch()
    states.append(state_of_environment(lock, folder))
    (folder / NOTE).write_text(json.dumps({"lock": lock.digest}))
    states.append(state_of_environment(lock, folder))
    lock.path.write_text("# another\n")
    states.append(state_of_environment(lock, folder))
    remove_environment(folder)

    assert states == ["missing", "begun", "there", "of another lock file"]
    assert not folder.exists()


def test_what_fails_says_its_last_words() -> None:
    """Of what a tool printed."""
    with pytest.raises(RunError, match=r"ended with 3; it said:\nno such thing"):
        run_tool([sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"])


def test_a_folder_of_somebody_else_is_not_removed(tmp_path: Path) -> None:
    """Only what this program or a venv has made."""
    (tmp_path / "mine").mkdir()

    with pytest.raises(RunError, match="remove it by hand"):
        remove_environment(tmp_path / "mine")


def test_the_list_names_every_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its state, Python and code; a kind that is none is refused."""
    monkeypatch.setenv(ENVIRONMENTS_VARIABLE, str(tmp_path))
    listed = CliRunner().invoke(app, ["environments", "list"])
    refused = CliRunner().invoke(app, ["environments", "make", "gtcrn_"])

    assert listed.exit_code == 0, listed.output
    assert listed.output.count(" missing ") == len(MODELS)
    assert "https://github.com/sp-uhh/sgmse at c9ce299" in listed.output
    assert "no model with an environment 'gtcrn_'" in str(refused.exception)


def test_programs_that_a_gpu_needs_are_looked_for_where_the_worker_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SGMSE+ compiles: ninja comes with its environment, nvcc does not, and each is said with its way."""
    monkeypatch.setenv(ENVIRONMENTS_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    (model,) = (each for each in MODELS if each.kind == "sgmse")
    before = model.lacking_tools
    ninja = tmp_path / "sgmse" / "bin" / "ninja"
    ninja.parent.mkdir(parents=True)
    ninja.write_text("#!/bin/sh\n")
    ninja.chmod(0o755)

    assert set(before) == {"nvcc", "ninja"}
    assert set(model.lacking_tools) == {"nvcc"}
    assert "CUDA toolkit" in before["nvcc"]
    assert "environments make sgmse" in before["ninja"]
