"""Datasets that the `datasets` library saved on disk: their audio, read as bytes and never decoded by it."""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.sources.cell_text import read_text
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


def audio_columns_in(folder: Path) -> list[str]:
    """Return the audio columns that a saved dataset, or the first split of one, says that it has.

    Nothing is loaded. Raises ``OSError`` or ``ValueError`` for what is no description of a dataset.
    """
    splits = folder / "dataset_dict.json"
    if splits.is_file():
        folder = folder / json.loads(splits.read_text("utf-8"))["splits"][0]
    features = json.loads((folder / "dataset_info.json").read_text("utf-8"))["features"]
    return [name for name, feature in features.items() if feature.get("_type") == "Audio"]


def choose_audio_column(found: Sequence[str], wanted: str | None) -> str:
    """Return the audio column to take: the one that is wanted, or else the only one.

    Raises ``ConfigError`` if there is no such column, or several and none is named.
    """
    listed = ", ".join(found)
    if wanted is not None and wanted not in found:
        raise ConfigError(f"no column {wanted!r} is Audio; those that are: {listed or 'none'}")
    if wanted is None and len(found) > 1:
        raise ConfigError(
            f"{len(found)} columns are Audio: {listed}; 'audio: COLUMN' beside 'path' says which one to take"
        )
    return wanted or found[0]


def read_saved_rows(folder: Path, audio: str | None = None) -> Iterator[SavedRow]:
    """Yield the rows of all splits; ``audio`` is the column to take where several are Audio.

    Raises ``ConfigError`` if there is no audio column, or several and none is named, and for a cell that has
    no text.
    """
    from datasets import DatasetDict, load_from_disk  # noqa: PLC0415 - takes a second

    loaded = _load_or_refuse(load_from_disk, folder)
    splits = (
        {f"{name}/": folder / name for name in loaded} if isinstance(loaded, DatasetDict) else {"": folder}
    )
    for prefix, path in splits.items():
        yield from _rows(path, prefix, audio)


def row_stamp(folder: str, row: int, audio: str | None, known: Stamp | None) -> Stamp | None:
    """Return the stamp of a row's audio; None if it has none, or refers to a file that cannot be read."""
    size, mtime_ns = _data_stamp(folder)
    if known is not None and known[:2] == (size, mtime_ns):
        return known
    held = _audio(folder, row, audio)
    if held["bytes"] is not None:
        return Stamp(size, mtime_ns, hashlib.sha256(held["bytes"]).hexdigest())
    return stamp_of(held["path"], known) if held["path"] else None


def open_row(folder: str, row: int, audio: str | None = None) -> BinaryIO:
    """Return the audio of a row as an open file. Raises ``OSError`` if it refers to a missing file."""
    held = _audio(folder, row, audio)
    if held["bytes"] is not None:
        return io.BytesIO(held["bytes"])
    return Path(held["path"] or "").open("rb")


def _rows(folder: Path, prefix: str, audio: str | None) -> Iterator[SavedRow]:
    dataset, _ = _dataset(str(folder), audio)
    known = [name for aliases in ALIASES.values() for name in aliases if name in dataset.column_names]
    described = dataset.select_columns(known)  # whatever else there is may be large, or need a decoder
    labels = _class_labels_in(dataset)
    for index in range(len(dataset)):
        texts = _texts(f"{folder}, row {index}", described[index] if known else {}, labels)
        yield SavedRow(
            folder=str(folder), row=index, name=f"{prefix}{texts.get('id', f'{index:08d}')}", texts=texts
        )


def _class_labels_in(dataset: Any) -> Mapping[str, Sequence[str]]:
    """Return the names of the classes of each column that holds their numbers."""
    from datasets import ClassLabel  # noqa: PLC0415 - takes a second

    return {name: f.names for name, f in dataset.features.items() if isinstance(f, ClassLabel)}


def _texts(where: str, cells: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    named = {column: _name_class(value, labels.get(column)) for column, value in cells.items()}
    said = {column: read_text(where, column, value) for column, value in named.items()}
    found = {
        field: next((said[alias] for alias in aliases if said.get(alias)), None)
        for field, aliases in ALIASES.items()
    }
    return {field: text for field, text in found.items() if text is not None}


def _name_class(value: Any, names: Sequence[str] | None) -> Any:
    """Return the name of a class for its number; −1 is the library's number for no class."""
    if names is None or value is None:
        return value
    return names[value] if value >= 0 else None


def _audio(folder: str, row: int, audio: str | None) -> dict[str, Any]:
    dataset, column = _dataset(folder, audio)
    return dict(dataset[row][column] or {"bytes": None, "path": None})


def _dataset(folder: str, audio: str | None) -> tuple[Any, str]:
    """Return the dataset and the name of its audio column, which gives bytes instead of samples."""
    return _dataset_as_of(folder, audio, _data_stamp(folder))


@lru_cache(maxsize=4)
def _dataset_as_of(folder: str, audio: str | None, _data: tuple[int, int]) -> tuple[Any, str]:
    from datasets import Audio, load_from_disk  # noqa: PLC0415 - takes a second

    dataset = _load_or_refuse(load_from_disk, Path(folder))
    columns = [name for name, feature in dataset.features.items() if isinstance(feature, Audio)]
    if not columns:
        raise ConfigError(
            f"{folder}: no column of this dataset is Audio; found: {', '.join(dataset.column_names)}"
        )
    try:
        column = choose_audio_column(columns, audio)
    except ConfigError as error:
        raise ConfigError(f"{folder}: {error}") from error
    for other in set(columns) - {column}:
        dataset = dataset.remove_columns(other)
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
