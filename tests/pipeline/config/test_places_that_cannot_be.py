"""Paths that cannot be what they are given for: said in one sentence, whoever asks."""

from pathlib import Path

import pytest

from pipeline.cli import run_command_line
from pipeline.config.resolve import resolve
from pipeline.store.workspace import Workspace
from pipeline.store.workspaces import open_workspace
from schemas import ConfigError, WorkspaceError
from tests.support.small_config import mistakes, written

NOBODY = "~nobody-is-called-this/speech"


def test_the_home_of_nobody_is_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A path may begin with a tilde and be nobody's home."""
    (line,) = mistakes(written(tmp_path, speech=[{"name": "voices", "path": NOBODY}]))

    assert "speech.0.path: there is nothing at " in line
    assert line.endswith(NOBODY)


@pytest.mark.parametrize("what", ["speech", "noise"])
def test_the_home_of_nobody_as_an_option(what: str, tmp_path: Path) -> None:
    """The option is named."""
    with pytest.raises(ConfigError, match=f"^--{what} {NOBODY}: .*there is nothing at"):
        resolve(written(tmp_path), (), {what: NOBODY})


def test_an_empty_option_is_not_the_current_folder(tmp_path: Path) -> None:
    """A shell's variable that is not set must not make a run list what lies around."""
    with pytest.raises(ConfigError, match=r"^--speech is empty; give a folder or a manifest, or leave"):
        resolve(written(tmp_path), (), {"speech": ""})
    with pytest.raises(WorkspaceError, match="give a folder"):
        open_workspace("", "small")


def test_an_empty_path_is_not_the_configs_folder(tmp_path: Path) -> None:
    """Neither for speech nor for a pool."""
    lines = mistakes(
        written(
            tmp_path,
            speech=[{"name": "voices", "path": ""}],
            pools={"noise": [{"path": ""}]},
        )
    )

    assert [line.partition(": ")[2] for line in lines] == [
        "speech.0.path: should have at least 1 character, got ''",
        "pools.noise.0.path: should have at least 1 character, got ''",
    ]


def test_a_workspace_that_cannot_be_written_to() -> None:
    """Said with the folder and the way out, before anything is done."""
    with (
        pytest.raises(WorkspaceError, match=r"cannot write to the workspace /proc/here: .*; give another"),
        Workspace(Path("/proc/here")).hold(),
    ):
        pass


def test_what_the_machine_refuses_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever command meets it: the path and the reason, and the exit code of a mistake."""
    name = "a" * 5000
    monkeypatch.setattr("sys.argv", ["pipeline", "status", name])

    with pytest.raises(SystemExit) as ended:
        run_command_line()

    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"{name}: File name too long\n")
