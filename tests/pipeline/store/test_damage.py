"""What lies in the place of a file and is none is damage with a name; what is not there is not done."""

from pathlib import Path

import pytest

from pipeline.store.damage import reading
from pipeline.store.local_files import LocalFiles
from schemas import DamagedFileError


def read(folder: Path) -> None:
    """Open the file."""
    with reading(str(folder / "a.parquet")):
        LocalFiles(folder).open("a.parquet")


def test_a_link_to_nothing_is_damage(tmp_path: Path) -> None:
    """Somebody put it there; nobody has to look for what it led to."""
    (tmp_path / "a.parquet").symlink_to(tmp_path / "nowhere")

    with pytest.raises(DamagedFileError, match=r"a\.parquet is damaged: a link to what is not there"):
        read(tmp_path)


def test_what_is_not_there_is_no_damage(tmp_path: Path) -> None:
    """And is said with its name, as is whatever else a machine refuses."""
    with pytest.raises(FileNotFoundError) as missing:
        read(tmp_path)

    assert missing.value.filename == str(tmp_path / "a.parquet")


def test_a_folder_in_the_place_of_a_file_is_damage(tmp_path: Path) -> None:
    """Also to who writes; nothing of the draft is left."""
    (tmp_path / "a.parquet").mkdir()

    with pytest.raises(DamagedFileError, match="is damaged"):
        read(tmp_path)
    with pytest.raises(DamagedFileError, match="a folder lies in its place"):
        LocalFiles(tmp_path).put("a.parquet", b"rows")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
