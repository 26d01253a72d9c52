"""Whether the files of a dataset are there and as long as it says: a look, where ``verify`` reads all."""

from collections.abc import Iterator

from pipeline.dataset.description import CARD, DATASET_FILES, MARK, DatasetDescription
from pipeline.store.dataset_files import DatasetFiles
from schemas import DamagedFileError, UserError

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders that somebody looked into; with ``._`` before a name, too."""
_CARD_BEGINS = b"---\n"


def damaged_files(dataset: DatasetFiles, said: DatasetDescription) -> Iterator[str]:
    """Walk the files that are not there, or are not what the dataset says, each with what is wrong."""
    if not _begins_as_card(dataset):
        yield f"{dataset.place(CARD)} is no card"
    for table, splits in said.tables.items():
        for file in (file for files in splits.values() for file in files.files):
            name = f"{table}/{file.name}"
            path, size = dataset.place(name), dataset.size_of(name)
            if size is None:
                yield f"{path} is not there"
            elif size != file.num_bytes:
                yield f"{path} has {size:,} bytes of {file.num_bytes:,}"
            elif _rows_in(dataset, table, file.name) != file.rows:
                yield f"{path} is no Parquet file of {file.rows:,} rows"


def _begins_as_card(dataset: DatasetFiles) -> bool:
    return dataset.holds(CARD) and dataset.read(CARD).startswith(_CARD_BEGINS)


def _rows_in(dataset: DatasetFiles, table: str, name: str) -> int | None:
    try:
        with dataset.open_part(table, name) as file:
            rows: int = file.metadata.num_rows
    except (DamagedFileError, FileNotFoundError):
        return None
    return rows


def is_litter(name: str) -> bool:
    """Whether a file of this name is a file manager's, and nobody's loss."""
    return name in LITTER or name.startswith("._")


def refuse_foreign(dataset: DatasetFiles) -> None:
    """Leave alone what is not an earlier dataset of ours: a dataset is swapped in whole.

    Raises ``UserError`` that names what is in the way.
    """
    if (lost := dataset.missing_disk) is not None:
        raise UserError(f"{dataset} is a link to {lost}, which is not there; mount its disk or remove it")
    if dataset.is_taken and not dataset.is_there:
        raise UserError(f"{dataset} is a file, where the folder of the dataset should be; move it away")
    there = {name for name in dataset.names() if not is_litter(name)}
    ours = DATASET_FILES if {MARK, "pairs"} & there else frozenset[str]()
    if foreign := sorted(there - ours):
        raise UserError(
            f"{dataset} holds {foreign[0]!r}, which is not part of a dataset of this program and would be "
            "lost with the folder; move it away, or choose another --out"
        )
