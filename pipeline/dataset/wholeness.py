"""Whether the files of a dataset are there and as long as it says: a look, where ``verify`` reads all."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.description import CARD, DATASET_FILES, MARK, DatasetDescription
from schemas import UserError

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders that somebody looked into; with ``._`` before a name, too."""
_CARD_BEGINS = b"---\n"


def damaged_files(folder: Path, said: DatasetDescription) -> Iterator[str]:
    """Walk the files that are not there, or are not what the dataset says, each with what is wrong."""
    if not _begins_as_card(folder / CARD):
        yield f"{folder / CARD} is no card"
    for table, splits in said.tables.items():
        for file in (file for files in splits.values() for file in files.files):
            path = folder / table / file.name
            if not path.is_file():
                yield f"{path} is not there"
            elif (size := path.stat().st_size) != file.num_bytes:
                yield f"{path} has {size:,} bytes of {file.num_bytes:,}"
            elif _rows_in(path) != file.rows:
                yield f"{path} is no Parquet file of {file.rows:,} rows"


def _begins_as_card(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_CARD_BEGINS)) == _CARD_BEGINS


def _rows_in(path: Path) -> int | None:
    try:
        rows: int = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        return None
    return rows


def is_litter(name: str) -> bool:
    """Whether a file of this name is a file manager's, and nobody's loss."""
    return name in LITTER or name.startswith("._")


def refuse_foreign(folder: Path) -> None:
    """Leave alone what is not an earlier dataset of ours: a dataset is swapped in whole.

    Raises ``UserError`` that names what is in the way.
    """
    if folder.is_symlink() and not folder.resolve().parent.is_dir():
        raise UserError(
            f"{folder} is a link to {folder.resolve()}, which is not there; mount its disk or remove it"
        )
    if folder.is_file():
        raise UserError(f"{folder} is a file, where the folder of the dataset should be; move it away")
    there = {path.name for path in folder.iterdir() if not is_litter(path.name)} if folder.is_dir() else set()
    ours = DATASET_FILES if {MARK, "pairs"} & there else frozenset[str]()
    if foreign := sorted(there - ours):
        raise UserError(
            f"{folder} holds {foreign[0]!r}, which is not part of a dataset of this program and would be "
            "lost with the folder; move it away, or choose another --out"
        )
