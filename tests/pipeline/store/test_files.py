"""What every kind of storage promises: files whole or not there, to any number of readers and writers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest

from pipeline.store.files import Files, StoredFile
from pipeline.store.local_files import LocalFiles
from pipeline.store.memory_files import MemoryFiles
from pipeline.store.object_files import ObjectFiles
from pipeline.store.record_file import read_records, write_records
from pipeline.store.table_store import TableStore
from schemas import Recipe, Split
from tests.support.object_server import ObjectServer, bucket_name

WRITERS = 8


@pytest.fixture(params=["local", "memory", "objects"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """Each kind of storage, empty."""
    if request.param == "objects":
        server: ObjectServer = request.getfixturevalue("object_store")
        return ObjectFiles(f"{server.make_bucket(bucket_name())}/a run")
    return LocalFiles(tmp_path / "root") if request.param == "local" else MemoryFiles()


def names_in(files: Files, folder: str = "") -> list[str]:
    """Return the names that are listed, in order."""
    return sorted(files.list(folder))


def test_what_was_put_is_read_whole_and_in_parts(files: Files) -> None:
    """Bytes come back as they were, from any place, and again as often as one likes."""
    files.put("tables/a/0.parquet", b"0123456789")

    with files.open("tables/a/0.parquet") as file:
        assert file.size() == 10
        assert file.read() == b"0123456789"
        file.seek(4)
        assert file.read(3) == b"456"
    assert StoredFile(files, "tables/a/0.parquet").read_if_there(2) == b"01"


def test_what_is_not_there_is_said_to_be_missing(files: Files) -> None:
    """Readers can tell a missing file from an empty one; to remove it changes nothing."""
    files.put("empty", b"")
    files.remove("none")

    with pytest.raises(FileNotFoundError):
        files.open("none")
    assert StoredFile(files, "none").read_if_there() is None
    assert StoredFile(files, "empty").read_if_there() == b""


def test_files_are_listed_with_their_sizes(files: Files) -> None:
    """A folder is listed with all below it, and nothing beside it whose name begins the same."""
    for name in ("tables/a/0", "tables/a/deep/1", "tables/ab/2", "other"):
        files.put(name, name.encode())

    assert names_in(files, "tables/a") == ["tables/a/0", "tables/a/deep/1"]
    assert names_in(files) == ["other", "tables/a/0", "tables/a/deep/1", "tables/ab/2"]
    assert names_in(files, "nothing") == []
    assert dict(files.sizes("tables/ab")) == {"tables/ab/2": 11}


def test_what_was_removed_has_gone(files: Files) -> None:
    """It is neither listed nor opened, and its neighbours stay."""
    files.put("a/0", b"0")
    files.put("a/1", b"1")

    files.remove("a/0")

    assert names_in(files) == ["a/1"]
    with pytest.raises(FileNotFoundError):
        files.open("a/0")


def test_a_writer_that_breaks_off_leaves_all_as_it_was(files: Files) -> None:
    """What was there is there still, and of what was not nothing is seen."""

    def break_off(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError("no more")

    files.put("old", b"whole")
    for name in ("old", "new"):
        with pytest.raises(OSError, match="no more"):
            files.put(name, break_off)
        with pytest.raises(OSError, match="no more"):
            files.put_if_absent("newer", break_off)

    assert names_in(files) == ["old"]
    assert StoredFile(files, "old").read() == b"whole"


def test_no_reader_sees_a_file_that_is_being_written(files: Files) -> None:
    """It is neither listed nor opened before it is whole; then it is."""

    def look(file: IO[bytes]) -> None:
        file.write(b"half")
        file.flush()
        assert names_in(files) == []
        assert StoredFile(files, "a/0").read_if_there() is None
        file.write(b" and half")

    files.put("a/0", look)

    assert StoredFile(files, "a/0").read() == b"half and half"


def test_readers_see_one_whole_content_or_another(files: Files) -> None:
    """A file that is put over and over has never a mixture of two contents, and is never missing."""
    contents = [bytes([number]) * 50_000 for number in range(4)]
    files.put("a", contents[0])
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            for content in contents:
                files.put("a", content)

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write_on)
        try:
            seen = [StoredFile(files, "a").read() for _ in range(100)]
        finally:
            stop.set()
        writing.result()

    assert set(seen) <= set(contents)


def test_one_of_many_puts_a_file_that_is_absent(files: Files) -> None:
    """Whoever is told that it was put finds its own content there; all others are told that it was not."""
    together = threading.Barrier(WRITERS)

    def put(number: int) -> bool:
        together.wait()
        return files.put_if_absent("lock", str(number).encode())

    with ThreadPoolExecutor(WRITERS) as pool:
        put_by = list(pool.map(put, range(WRITERS)))

    assert put_by.count(True) == 1
    assert StoredFile(files, "lock").read() == str(put_by.index(True)).encode()
    assert not files.put_if_absent("lock", b"later")
    assert names_in(files) == ["lock"]


def test_a_stamp_tells_that_something_has_changed(files: Files) -> None:
    """A file that comes, is put anew or goes changes its own stamp; one that comes or goes, its folder's."""
    stamps = [(files.stamp("a"), files.stamp("a/0"))]
    for change in (
        lambda: files.put("a/0", b"0"),
        lambda: files.put("a/0", b"01"),
        lambda: files.remove("a/0"),
    ):
        change()
        stamps.append((files.stamp("a"), files.stamp("a/0")))

    assert all(before[1] != after[1] for before, after in pairwise(stamps))
    assert stamps[0][0] != stamps[1][0]
    files.put("b/0", b"0")
    assert (files.stamp("a"), files.stamp("a/0")) == stamps[-1]


def recipes() -> Iterator[Recipe]:
    """Two rows of a table."""
    for repeat in range(2):
        yield Recipe(
            id=f"a:{repeat}",
            utterance_id="a",
            source_id="a",
            corpus="speech",
            repeat=repeat,
            split=Split.TRAIN,
            sample_rate=16_000,
            num_samples=160,
            bandwidth_hz=8_000,
            steps=(),
            sources=(),
        )


def test_tables_are_kept_in_any_storage(files: Files) -> None:
    """What is put is listed, read whole, walked, read by column, described, and removed."""
    store, rows = TableStore(files), list(recipes())
    assert store.shards("plan") == set()

    store.put("plan", "00000-a", Recipe, rows, {"key": "k"})
    store.put("plan", "00001-b", Recipe, rows[:1], {"key": "k"})

    assert store.shards("plan") == {"00000-a", "00001-b"} == set(store.sizes("plan"))
    assert sorted(store.walk_sizes()) == [
        ("plan", name, store.sizes("plan")[name]) for name in ("00000-a", "00001-b")
    ]
    assert store.read("plan", "00000-a", Recipe) == rows == list(store.walk("plan", "00000-a", Recipe))
    assert store.columns("plan", "00000-a", ["repeat"]).to_pylist() == [{"repeat": 0}, {"repeat": 1}]
    assert store.metadata("plan", "00001-b")["rows"] == 1
    store.remove("plan", "00000-a")
    assert store.shards("plan") == {"00001-b"}


def test_records_are_kept_in_any_storage(files: Files) -> None:
    """A catalogue is read as it was written, and is empty before that."""
    file = StoredFile(files, "catalogue/speech.parquet")
    assert read_records(file, Recipe) == []

    write_records(file, Recipe, list(recipes()))

    assert read_records(file, Recipe) == list(recipes())


def test_drafts_that_killed_writers_left_are_no_files(tmp_path: Path) -> None:
    """They are not listed, nobody's files are taken for them, and they go when they are told to."""
    files = LocalFiles(tmp_path)
    files.put("tables/a/0.parquet", b"0")
    for folder in (tmp_path, tmp_path / "tables" / "a"):
        (folder / "1.parquet.draft-host-12-34").write_bytes(b"half")

    assert names_in(files) == ["tables/a/0.parquet"]
    files.remove_drafts("", "tables/*/")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [
        tmp_path / "tables" / "a" / "0.parquet"
    ]


def test_many_shards_are_asked_in_order(files: Files) -> None:
    """However many are asked at once, answers come in the order of the places, and errors are raised."""
    store = TableStore(files)
    places = [("table", f"{number:05}") for number in range(1_500)]

    assert list(store.for_each(lambda table, shard: f"{table}/{shard}", places)) == [
        f"{table}/{shard}" for table, shard in places
    ]
    with pytest.raises(FileNotFoundError):
        list(store.for_each(store.metadata, places[:3]))
