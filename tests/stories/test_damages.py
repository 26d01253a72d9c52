"""Damage to a finished workspace: named by who looks, mended by ``run``, and nobody's dataset lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.store.damage import DAMAGED
from schemas import DamagedFileError, UserError
from tests.support import tiny
from tests.support.damages import Damage, do_damage
from tests.support.in_process import run_here, typed_here


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run of two clips: speech, config and workspace."""
    folder = tmp_path_factory.mktemp("cheap")
    tiny.write_speech(folder / "speech", ["a", "b"])
    run_here(tiny.write_config(folder, tiny.cheap_config(folder / "speech")), folder / "workspace")
    return folder


@pytest.fixture
def own(cheap: Path, tmp_path: Path) -> Path:
    """Return a copy of the workspace, to damage."""
    return Path(shutil.copytree(cheap / "workspace", tmp_path / "workspace"))


def first_file(workspace: Path, pattern: str) -> Path:
    """Return a file of the workspace, relative to it."""
    return min(workspace.glob(pattern)).relative_to(workspace)


@pytest.mark.parametrize("kind", ["truncated", "zeroed", "swapped", "a folder", "a link to nowhere"])
def test_a_damaged_shard_is_named_and_made_again(cheap: Path, own: Path, kind: str) -> None:
    """Moved aside with a word; what is made in its place is the same byte for byte."""
    damage = Damage(kind, first_file(own, "tables/score.*.identity-*/*.parquet"))
    do_damage(own, damage)

    if kind != "a folder":  # what is not there is not done, and no damage
        with pytest.raises(DamagedFileError, match=damage.path.name):
            typed_here("status", own)
    run_here(cheap / "tiny.yaml", own)

    assert tiny.files_of(own) == tiny.files_of(cheap / "workspace")
    assert (own / DAMAGED / damage.path).exists() or (own / DAMAGED / damage.path).is_symlink()


@pytest.mark.parametrize("kind", ["deleted", "truncated", "zeroed", "a folder"])
def test_a_damaged_dataset_is_seen_and_written_again(cheap: Path, own: Path, kind: str) -> None:
    """``status`` does not call it finished, and ``run`` looks before it says that nothing was left to do."""
    damage = Damage(kind, first_file(own, "dataset/pairs/*.parquet"))
    do_damage(own, damage)

    said = typed_here("status", own)
    run_here(cheap / "tiny.yaml", own)

    assert f"dataset   damaged: {own / damage.path}" in said
    assert tiny.files_of(own) == tiny.files_of(cheap / "workspace")


@pytest.mark.parametrize("pattern", ["tables.json", "config.json", "audit.json", "catalogue/*.parquet"])
@pytest.mark.parametrize("kind", ["zeroed", "a folder"])
def test_files_beside_the_tables_are_made_again(cheap: Path, own: Path, pattern: str, kind: str) -> None:
    """Whatever lies in their place."""
    do_damage(own, Damage(kind, first_file(own, pattern)))

    run_here(cheap / "tiny.yaml", own)

    assert tiny.files_of(own) == tiny.files_of(cheap / "workspace")


def test_a_dataset_on_another_disk_stays_there(cheap: Path, own: Path, tmp_path: Path) -> None:
    """A link to a folder is followed, by every export, and nothing is left beside either."""
    shutil.move(own / "dataset", tmp_path / "disk")
    (own / "dataset").symlink_to(tmp_path / "disk")

    for _ in range(2):
        typed_here("export", cheap / "tiny.yaml", "--workspace", own)

    assert (own / "dataset").is_symlink()
    assert tiny.files_of(own) == tiny.files_of(cheap / "workspace")
    assert not list(tmp_path.glob(".disk*")) + list(own.glob(".dataset*"))


Command = Callable[[Path, Path], object]


def _export(config: Path, workspace: Path) -> str:
    return typed_here("export", config, "--workspace", workspace)


@pytest.mark.parametrize("command", [run_here, _export])
def test_what_else_is_in_a_dataset_is_one_rule(cheap: Path, own: Path, command: Command) -> None:
    """A file manager's litter stops neither ``run`` nor ``export``; somebody's notes stop both."""
    (own / "dataset" / ".DS_Store").touch()
    command(cheap / "tiny.yaml", own)
    (own / "dataset" / "notes.txt").write_text("mine")

    with pytest.raises(UserError, match=r"'notes.txt'.*move it away"):
        command(cheap / "tiny.yaml", own)

    assert (own / "dataset" / "notes.txt").read_text() == "mine"


def test_another_config_in_the_same_workspace_is_said(
    cheap: Path, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before its dataset takes the place of the first one's."""
    other = tiny.write_config(tmp_path, tiny.cheap_config(cheap / "speech", description="Another."))

    run_here(other, own)

    said = capsys.readouterr()
    assert "is of other settings, tiny" in said.out + said.err
    assert "--workspace of its own" in said.out + said.err
