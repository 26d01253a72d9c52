"""Single recordings out of the tables, and what a page needs to play them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.store.damage import reading
from pipeline.store.table_store import CHECKED, TableStore
from schemas import IntegrityError

INPUT_SIDES = ("degraded", "clean")
"""The recordings in a row of ``degrade``."""
_TAKES = ("takes.list.element.take", "takes.list.element.audio.flac")


@dataclass(frozen=True, slots=True, order=True)
class Clip:
    """Where one recording lies: a side of a degraded row, or a take of a restored one."""

    folder: str
    shard: str
    row: str
    part: str
    """``degraded``, ``clean``, or the number of a take."""


def flac_of(store: TableStore, clip: Clip) -> bytes:
    """Return a recording as it is stored: mono FLAC of 24 bits.

    Raises ``IntegrityError`` if it is not there.
    """
    columns = [f"{clip.part}.flac"] if clip.part in INPUT_SIDES else list(_TAKES)
    path = store.path(clip.folder, clip.shard)
    with reading(path), pq.ParquetFile(path, **CHECKED) as file:
        for group in range(file.num_row_groups):
            index = pc.index(file.read_row_group(group, columns=["id"])["id"], clip.row).as_py()
            if index >= 0:
                row = file.read_row_group(group, columns=columns, use_threads=False).slice(index, 1)
                return _find_flac(row.to_pylist()[0], clip)
    raise IntegrityError(f"there is no row {clip.row!r} in shard {clip.shard} of {clip.folder}")


def _find_flac(row: Mapping[str, Any], clip: Clip) -> bytes:
    if clip.part in INPUT_SIDES:
        audio = row[clip.part]
    else:
        audio = next((take["audio"] for take in row["takes"] if str(take["take"]) == clip.part), None)
    if audio is None:
        raise IntegrityError(f"row {clip.row!r} of {clip.folder} has no recording {clip.part!r}")
    flac: bytes = audio["flac"]
    return flac
