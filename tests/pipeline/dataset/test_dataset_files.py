"""Files of a dataset: how they are cut, what they promise to readers, and that nothing in them is luck."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.background import Background
from pipeline.dataset.writer import FileLimits, SplitFiles, TableWriter
from pipeline.store.dataset_columns import AUDIO, STEPS, columns_of, table_schema_of
from schemas import ConfigError, Split
from stages.operators.rng import rng_for

SCHEMA = pa.schema([("id", pa.string()), ("split", pa.string()), ("audio", AUDIO)])
SMALL = FileLimits(file_mb=3, row_group_mb=1)


def rows(sizes: Iterable[int], split: str = "train") -> Iterator[dict[str, Any]]:
    """Walk rows whose audio has so many bytes, none like another."""
    for number, size in enumerate(sizes):
        data = rng_for(number, "bytes", split).integers(0, 256, size, dtype=np.uint8).tobytes()
        yield {"id": f"{split}-{number}", "split": split, "audio": {"bytes": data, "path": f"{number}.flac"}}


def written(
    folder: Path, content: Iterable[dict[str, Any]], cut: FileLimits = SMALL, schema: pa.Schema = SCHEMA
) -> dict[Split, SplitFiles]:
    """Write rows as a table and return its files."""
    with Background() as background:
        writer = TableWriter(folder, schema, cut, background)
        for row in content:
            writer.add(row)
        writer.finish()
        return writer.close()


def test_texts_inside_of_lists_count_too(tmp_path: Path) -> None:
    """Steps with a long list of losses, in letters of several bytes: no group is larger than it may be."""
    schema = pa.schema([("id", pa.string()), ("split", pa.string()), ("steps", STEPS)])
    step = {"kind": "packet_loss", "version": 1, "params": "ä" * 9_000, "facts": "{}", "is_applied": True}
    content = [{"id": str(number), "split": "train", "steps": [step] * 3} for number in range(60)]

    written(tmp_path / "t", content, schema=schema)

    (path,) = (tmp_path / "t").iterdir()
    assert len(groups(path)) > 1
    assert all(group.total_byte_size <= 1.01e6 for group in groups(path))


def groups(path: Path) -> list[pq.RowGroupMetaData]:
    """Return what a file says of its row groups."""
    metadata = pq.read_metadata(path)
    return [metadata.row_group(number) for number in range(metadata.num_row_groups)]


def test_row_groups_and_files_are_cut_by_bytes(tmp_path: Path) -> None:
    """Ten megabytes come in groups of one and files of three, numbered, with every row in its place."""
    files = written(tmp_path / "t", rows([240_000] * 40))[Split.TRAIN]

    paths = sorted((tmp_path / "t").iterdir())
    assert [path.name for path in paths] == [f"train-{n:05d}-of-00004.parquet" for n in range(4)]
    assert all(group.total_byte_size <= 1.01e6 for path in paths for group in groups(path))
    assert all(path.stat().st_size <= 3.1e6 for path in paths)
    ids = [row for path in paths for row in pq.read_table(path)["id"].to_pylist()]
    assert ids == [f"train-{n}" for n in range(40)]
    assert files.rows == 40


def test_a_huge_row_is_alone_in_its_group(tmp_path: Path) -> None:
    """Its neighbours stay in groups under the limit; nothing can be cut within a row."""
    written(tmp_path / "t", rows([1_000, 5_000_000, 1_000]))

    paths = sorted((tmp_path / "t").iterdir())
    held = [(group.num_rows, group.total_byte_size > 1e6) for path in paths for group in groups(path)]
    assert held == [(1, False), (1, True), (1, False)]


def test_what_is_said_of_files_is_true(tmp_path: Path) -> None:
    """Names, rows, sizes and SHA-256, as unanimous.json lists them."""
    files = written(tmp_path / "t", rows([400_000] * 9))[Split.TRAIN].files

    assert len(files) > 1
    for file in files:
        path = tmp_path / "t" / file.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert (file.num_bytes, file.rows) == (path.stat().st_size, pq.read_metadata(path).num_rows)


def test_audio_is_not_compressed_and_pages_are_indexed(tmp_path: Path) -> None:
    """FLAC does not shrink further; readers that want one row find its page."""
    written(tmp_path / "t", rows([300_000] * 3))

    (path,) = (tmp_path / "t").iterdir()
    for group in groups(path):
        columns = {c.path_in_schema: c for c in (group.column(n) for n in range(group.num_columns))}
        assert columns["audio.bytes"].compression == "UNCOMPRESSED"
        assert {c.compression for name, c in columns.items() if name != "audio.bytes"} == {"ZSTD"}
        assert all(column.has_offset_index for column in columns.values())
        assert columns["id"].has_column_index


def test_an_inserted_row_leaves_the_pages_of_the_others_as_they_were(tmp_path: Path) -> None:
    """Pages end where contents say, so an upload after a change sends little more than the change."""
    before, whole = list(rows([100_000] * 40)), FileLimits(file_mb=100, row_group_mb=100)
    written(tmp_path / "a", before, whole)
    written(tmp_path / "b", [*before[:2], *rows([50_000], "train"), *before[2:]], whole)
    (old,), (new,) = ((tmp_path / name).iterdir() for name in "ab")

    joints = _joints(old.read_bytes(), [row["audio"]["bytes"] for row in before])
    moved = [joint for joint in joints if joint not in new.read_bytes()]

    assert sum(len(joint) > 2 * EDGE + 4 for joint in joints) > 3, "some joints hold the head of a page"
    assert len(moved) <= 2


EDGE = 64


def _joints(data: bytes, values: list[bytes]) -> list[bytes]:
    """Return what lies between every two values: a length, or the head of a new page."""
    starts = [data.index(value[:EDGE]) for value in values]
    ends = [start + len(value) for start, value in zip(starts, values, strict=True)]
    return [data[end - EDGE : start + EDGE] for end, start in zip(ends[:-1], starts[1:], strict=True)]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    """However often they are written."""
    content = [*rows([300_000] * 8), *rows([10_000] * 3, "test")]

    first, second = (written(tmp_path / name, content) for name in "ab")

    assert first == second
    assert list(first) == [Split.TRAIN, Split.TEST]


def test_a_table_without_rows_still_opens(tmp_path: Path) -> None:
    """One file without row groups, with all columns."""
    files = written(tmp_path / "t", [])

    (path,) = (tmp_path / "t").iterdir()
    assert files[Split.TRAIN].rows == 0
    assert pq.read_metadata(path).num_row_groups == 0
    assert pq.read_table(path).schema.names == SCHEMA.names


def test_a_row_that_does_not_fit_the_schema_ends_the_writing(tmp_path: Path) -> None:
    """It is not lost on the way."""
    with Background() as background:
        writer = TableWriter(tmp_path / "t", SCHEMA, SMALL, background)
        writer.add({"id": 5, "split": "train", "audio": None})
        with pytest.raises(pa.ArrowTypeError):
            writer.finish()


def test_what_goes_wrong_in_the_background_is_raised(tmp_path: Path) -> None:
    """A folder that is taken away ends the writing."""
    with Background() as background:
        writer = TableWriter(tmp_path / "t", SCHEMA, SMALL, background)
        (tmp_path / "t").rmdir()
        writer.add({"id": "a", "split": "train", "audio": None})
        with pytest.raises(FileNotFoundError):
            writer.finish()


@pytest.mark.parametrize("table", ["pairs", "candidates", "scores"])
def test_features_are_those_of_datasets(table: Any) -> None:
    """What the file says in its metadata is what ``datasets`` would have said of these columns."""
    from datasets import Features  # noqa: PLC0415 - takes a second

    schema = table_schema_of(table, ["pesq"], 16_000, {"metrics": []})

    features = Features.from_arrow_schema(schema)
    assert features.arrow_schema.remove_metadata() == schema.remove_metadata()
    audio = {name for name, feature in features.items() if type(feature).__name__ == "Audio"}
    assert (
        audio
        == {
            "pairs": {"degraded", "chosen", "rejected", "clean"},
            "candidates": {"audio"},
            "scores": set(),
        }[table]
    )
    assert all(features[name].sampling_rate == 16_000 for name in audio)


def test_a_score_may_not_take_the_place_of_a_column() -> None:
    """A metric called ``model`` would hide which model it was."""
    with pytest.raises(
        ConfigError, match=r"chosen_model, rejected_model of 'pairs'; give its metric another"
    ):
        columns_of("pairs", ["pesq", "model"])
