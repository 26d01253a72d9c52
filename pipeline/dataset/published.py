"""A published dataset, read row by row without the run that it came from."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.dataset.description import MARK, DatasetDescription, read_description
from pipeline.store.dataset_columns import AUDIO, DatasetTable
from pipeline.store.dataset_files import DatasetFiles
from schemas import AppliedStep, IntegrityError, OperatorSpec, Split, UserError
from stages.audio.flac import digest_of

_COLUMNS = ("pair_id", "utterance_id", "source_id", "corpus", "split", "recipe", "bandwidth_hz")
APPLIED_STEPS = "degradation_steps"
_SIDES = ("degraded", "clean")
DatasetRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What a dataset says of one pair, as far as its degraded side goes."""

    pair_id: str
    recipe: Mapping[str, Any]
    texts: Mapping[str, Any]
    applied: tuple[AppliedStep, ...]
    """What each step is said to have done."""
    digests: Mapping[str, str]

    @property
    def steps(self) -> tuple[OperatorSpec, ...]:
        """The drawn operators."""
        return tuple(OperatorSpec.model_validate(step) for step in self.recipe["steps"])


def find_published_row(dataset: DatasetFiles, name: str) -> PublishedRow:
    """Return the row of ``dataset`` with this ``pair_id`` or number, counted from 0 over all files.

    Raises ``UserError`` if there is none.
    """
    files = [file for file in dataset.names("pairs") if file.endswith(".parquet")]
    if not files:
        raise UserError(
            f"{dataset} is no dataset of this program, or no longer: it has no files in 'pairs'; 'run' or "
            "'export' with its config writes it again"
        )
    number = 0
    for file in files:
        with dataset.open_part("pairs", file) as opened:
            ids = opened.read(columns=["pair_id"]).column("pair_id").to_pylist()
            for index, pair_id in enumerate(ids):
                if name in {pair_id, str(number + index)}:
                    return _published_row_of(_read_row(opened, index))
        number += len(ids)
    if number == 0:
        raise UserError(f"{dataset} has no rows")
    raise UserError(f"{dataset} has no row {name!r}: give a pair_id, or a number from 0 to {number - 1}")


def _read_row(opened: Any, index: int) -> DatasetRow:
    first = 0
    for group in range(opened.num_row_groups):
        held = opened.metadata.row_group(group).num_rows
        if index < first + held:
            table = opened.read_row_group(group, columns=[*_COLUMNS, APPLIED_STEPS, *_SIDES])
            (row,) = table.slice(index - first, 1).to_pylist()
            return dict(row)
        first += held
    raise IntegrityError("a file of the dataset has fewer rows than it says")


def _published_row_of(row: Mapping[str, Any]) -> PublishedRow:
    recipe = json.loads(row["recipe"])
    applied = [{**step, "params": json.loads(step["params"])} for step in row[APPLIED_STEPS]]
    if [{name: step[name] for name in ("kind", "version", "params")} for step in applied] != recipe["steps"]:
        raise IntegrityError(
            f"{row['pair_id']}: its recipe and its {APPLIED_STEPS} are not of the same steps"
        )
    return PublishedRow(
        pair_id=row["pair_id"],
        recipe=recipe,
        texts={name: row[name] for name in _COLUMNS},
        applied=tuple(map(_applied_step_of, applied)),
        digests={side: digest_of(row[side]["bytes"]) for side in _SIDES},
    )


def _applied_step_of(step: Mapping[str, Any]) -> AppliedStep:
    facts = json.loads(step["facts"])
    if bool(facts.get("applied", 1.0)) != step["is_applied"]:
        raise IntegrityError(f"the row says of {step['kind']} both that it was applied and that it was not")
    return AppliedStep(kind=step["kind"], facts=facts)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset, and what it says of itself."""

    files: DatasetFiles
    description: DatasetDescription

    @property
    def num_pairs(self) -> int:
        """The number of pairs in its files."""
        return self.num_rows("pairs")

    def num_rows(self, table: DatasetTable) -> int:
        """Return the number of rows in the files of a table."""
        return sum(file.metadata.num_rows for _, file in self.walk_parts(table))

    def names(self, table: DatasetTable) -> Iterator[tuple[Split, str]]:
        """Walk the names of the files of a table that it says it has."""
        for split, files in self.description.tables.get(table, {}).items():
            for file in files.files:
                yield split, file.name

    def walk_parts(self, table: DatasetTable) -> Iterator[tuple[Split, Any]]:
        """Walk the files of a table that it says it has, each open while one is at it."""
        for split, name in self.names(table):
            with self.files.open_part(table, name) as file:
                yield split, file

    def rows(
        self, table: DatasetTable, *, without: Collection[str] = ()
    ) -> Iterator[tuple[Split, DatasetRow]]:
        """Walk the rows of a table without their audio, with the split that their file is of."""
        for split, file in self.walk_parts(table):
            light = [f.name for f in file.schema_arrow if f.type != AUDIO and f.name not in without]
            for group in range(file.num_row_groups):
                for row in file.read_row_group(group, columns=light, use_threads=False).to_pylist():
                    yield split, row

    def pairs(self, numbers: Sequence[int], columns: Sequence[str] | None = None) -> Iterator[DatasetRow]:
        """Walk the pairs with these numbers, counted from 0 over all files; of these columns or all."""
        return self.pick("pairs", numbers, columns)

    def pick(
        self, table: DatasetTable, numbers: Sequence[int], columns: Sequence[str] | None = None
    ) -> Iterator[DatasetRow]:
        """Walk the rows of a table with these numbers, as ``pairs`` does."""
        wanted, first = frozenset(numbers), 0
        for _, file in self.walk_parts(table):
            for group in range(file.num_row_groups):
                held = file.metadata.row_group(group).num_rows
                here = sorted(wanted.intersection(range(first, first + held)))
                if here:
                    rows = file.read_row_group(group, columns=columns, use_threads=False)
                    yield from rows.take([number - first for number in here]).to_pylist()
                first += held


def open_dataset(files: DatasetFiles) -> Dataset:
    """Return the dataset in a folder. Raises ``UserError`` if there is none that this program can read."""
    if not files.holds(MARK):
        raise UserError(
            f"{files} is no dataset of this program: it has no {MARK}; one on the hub is "
            "verified in a folder that it was downloaded to"
        )
    said = read_description(files)
    if said is None:
        raise UserError(
            f"{files.place(MARK)} is damaged, or was written by another version of this program; verify "
            "with that one, or write it again: 'export' with its config"
        )
    return Dataset(files, said)
