"""What is read is what was listed, or an error that says so."""

import os
from pathlib import Path

import pytest

from pipeline.sources.audio import HELD_BYTES, open_source
from pipeline.sources.corpora import Corpus, list_sources
from pipeline.sources.folders import match_files
from schemas import BrokenError, Reason
from tests.support.small_corpora import ids_of, listed, put, wav


@pytest.mark.parametrize("num_bytes", [1_000, HELD_BYTES + 1])
def test_other_bytes_of_the_same_size_and_time(num_bytes: int, tmp_path: Path) -> None:
    """Small files and large ones, of which only stretches are read."""
    file = put(tmp_path / "a.wav", bytes(num_bytes))
    (source,) = listed(file)
    before = file.stat()

    with open_source(source) as opened:
        assert opened.read() == bytes(num_bytes)
    file.write_bytes(bytes(num_bytes - 1) + b"\1")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(BrokenError) as changed:
        open_source(source)
    assert changed.value.reason is Reason.CHANGED


def test_a_file_that_has_gone(tmp_path: Path) -> None:
    """It was there when it was listed: that is a change too."""
    (source,) = listed(put(tmp_path / "a.wav"))
    Path(source.path).unlink()

    with pytest.raises(BrokenError, match="changed: listed, and cannot be opened now"):
        open_source(source)


def test_what_exists_is_no_pattern(tmp_path: Path) -> None:
    """A folder, or one on the way, that is called like a pattern; another sign of one stays a pattern."""
    put(tmp_path / "[v1] a?" / "x[1].wav")
    put(tmp_path / "v a1" / "x1.wav")
    folder = tmp_path / "[v1] a?"

    assert ids_of(folder) == ids_of(folder / "*.wav") == ids_of(folder / "x[1].wav") == ["c/x[1]"]
    assert match_files(str(tmp_path / "[uv] a?" / "*.wav"))[1] == [tmp_path / "v a1" / "x1.wav"]
    assert ids_of(tmp_path / "*" / "x[1].wav") == ["c/[v1] a?/x[1]", "c/v a1/x1"]


def test_a_manifest_in_a_folder_with_brackets(tmp_path: Path) -> None:
    """Its lines are read where it lies."""
    put(tmp_path / "[v1]" / "a[2].wav", wav(0.25))
    put(tmp_path / "[v1]" / "m.csv", b"path\na[2].wav\n")

    (source,) = list_sources([Corpus(name="c", path=str(tmp_path / "[v1]" / "m.csv"))]).sources

    assert source.content
