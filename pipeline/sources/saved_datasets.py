"""Datasets that the `datasets` library saved on disk: their audio, read as bytes and never decoded by it."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.sources.stamps import Stamp, stamp_of
from schemas import ConfigError, Record

MARKS = ("state.json", "dataset_info.json", "dataset_dict.json")
ALIASES = {
    "id": ("id",),
    "speaker": ("speaker", "speaker_id"),
    "transcript": ("transcript", "text", "transcription", "sentence"),
    "language": ("language",),
    "licence": ("licence", "license"),
}


class SavedRow(Record):
    """What one row says of its recording; texts are empty where it does not say."""

    folder: str
    row: int
    name: str
    texts: dict[str, str]


def is_saved_dataset(folder: Path) -> bool:
    """Whether ``folder`` holds a `Dataset` or `DatasetDict` saved on disk; not if nobody may look into it."""
    try:
        return any((folder / mark).is_file() for mark in MARKS)
    except PermissionError:
        return False


def read_saved_rows(folder: Path) -> Iterator[SavedRow]:
    """Yield the rows of all splits. Raises ``ConfigError`` if there is no audio column."""
    from datasets import DatasetDict, load_from_disk  # noqa: PLC0415 - takes a second

    loaded = _load_or_refuse(load_from_disk, folder)
    splits = (
        {f"{name}/": folder / name for name in loaded} if isinstance(loaded, DatasetDict) else {"": folder}
    )
    for prefix, path in splits.items():
        yield from _rows(path, prefix)


def row_stamp(folder: str, row: int, known: Stamp | None) -> Stamp | None:
    """Return the stamp of a row's audio; None if it has none, or refers to a file that cannot be read."""
    size, mtime_ns = _data_stamp(folder)
    if known is not None and known[:2] == (size, mtime_ns):
        return known
    held = _audio(folder, row)
    if held["bytes"] is not None:
        return Stamp(size, mtime_ns, hashlib.sha256(held["bytes"]).hexdigest())
    return stamp_of(held["path"], known) if held["path"] else None


def open_row(folder: str, row: int) -> BinaryIO:
    """Return the audio of a row as an open file. Raises ``OSError`` if it refers to a missing file."""
    held = _audio(folder, row)
    if held["bytes"] is not None:
        return io.BytesIO(held["bytes"])
    return Path(held["path"] or "").open("rb")


def _rows(folder: Path, prefix: str) -> Iterator[SavedRow]:
    dataset, column = _dataset(str(folder))
    described = dataset.remove_columns(column)
    for index in range(len(dataset)):
        texts = _texts(described[index] if described.column_names else {})
        yield SavedRow(
            folder=str(folder), row=index, name=f"{prefix}{texts.get('id', f'{index:08d}')}", texts=texts
        )


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    found = {
        field: next((cells[alias] for alias in aliases if cells.get(alias) not in (None, "")), None)
        for field, aliases in ALIASES.items()
    }
    return {field: str(value) for field, value in found.items() if value is not None}


def _audio(folder: str, row: int) -> dict[str, Any]:
    dataset, column = _dataset(folder)
    return dict(dataset[row][column] or {"bytes": None, "path": None})


def _dataset(folder: str) -> tuple[Any, str]:
    """Return the dataset and the name of its audio column, which gives bytes instead of samples."""
    return _dataset_as_of(folder, _data_stamp(folder))


@lru_cache(maxsize=4)
def _dataset_as_of(folder: str, _data: tuple[int, int]) -> tuple[Any, str]:
    from datasets import Audio, load_from_disk  # noqa: PLC0415 - takes a second

    dataset = _load_or_refuse(load_from_disk, Path(folder))
    columns = [name for name, feature in dataset.features.items() if isinstance(feature, Audio)]
    if not columns:
        raise ConfigError(
            f"{folder}: no column of this dataset is Audio; found: {', '.join(dataset.column_names)}"
        )
    column = "audio" if "audio" in columns else columns[0]
    return dataset.cast_column(column, Audio(decode=False)), column


def _load_or_refuse(load: Callable[[str], Any], folder: Path) -> Any:
    try:
        return load(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"{folder}: not a dataset that can be loaded: {type(error).__name__}: {error}"
        ) from error


def _data_stamp(folder: str) -> tuple[int, int]:
    """Return the size and the latest change of the files that a dataset is in."""
    files = [entry.stat() for entry in os.scandir(folder) if entry.name.endswith(".arrow")]
    return sum(file.st_size for file in files), max((file.st_mtime_ns for file in files), default=0)
