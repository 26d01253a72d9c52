"""Pairs of a dataset as a stream of waveforms: selected, shuffled, shared out, resampled and cropped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from pipeline.dpo.selection import Selection
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import expand_home
from schemas import IntegrityError, UserError
from stages.audio.flac import decode_flac_bytes
from stages.audio.resampling import resample
from stages.audio.waveform import Samples
from stages.operators.rng import rng_for

BUFFER_ROWS = 256
"""Rows among which a shuffled stream picks the next one; they are kept as FLAC."""


@dataclass(frozen=True, slots=True)
class PairExample:
    """One pair: float32 samples of one stretch of speech on all sides, equally many."""

    pair_id: str
    sample_rate: int
    degraded: Samples
    chosen: Samples
    rejected: Samples
    clean: Samples | None = None


class PairStream(IterableDataset):
    """Iterates over the pairs of one split, for ``torch.utils.data.DataLoader``.

    Everything comes at ``sample_rate`` in Hz. With ``crop_s``, a pair that is longer gives a stretch of so
    many seconds, the same one on all sides, drawn anew in each epoch by ``seed`` and the pair's name alone.
    With a ``seed`` the order is shuffled too: row groups, then rows among the next ``buffer_rows``; without
    one it is that of the dataset, and stretches are those of seed 0. Each of ``world_size`` ranks gets its
    own share of the pairs, and so does each worker of a loader. The same arguments, epoch and number of
    workers give the same stream, and ``resume`` goes on inside of it.

    Audio is decoded by libsndfile, row by row: what ``datasets`` decodes with is not needed.
    """

    def __init__(
        self,
        dataset: str | Path,
        *,
        sample_rate: int,
        split: str = "train",
        crop_s: float | None = None,
        seed: int | None = None,
        selection: Selection | None = None,
        with_clean: bool = True,
        rank: int = 0,
        world_size: int = 1,
        buffer_rows: int = BUFFER_ROWS,
    ) -> None:
        """Open the dataset: a folder, or the name of a repository on the Hugging Face hub.

        Raises ``UserError`` for what cannot be opened, for a split or columns that the dataset lacks, and for
        a ``crop_s`` that leaves nothing.
        """
        self.sample_rate = sample_rate
        self.crop_samples = None if crop_s is None else round(crop_s * sample_rate)
        if self.crop_samples is not None and self.crop_samples < 1:
            raise UserError(f"crop_s is {crop_s:g}: not one sample at {sample_rate} Hz")
        self._seed = seed or 0
        self._resumed_epoch = 0
        self._seen: frozenset[str] = frozenset()
        self._sides = ("degraded", "chosen", "rejected", *(("clean",) if with_clean else ()))
        selection = selection or Selection()
        rows = _open_stream(dataset, split, dict.fromkeys(("pair_id", *self._sides, *selection.columns)))
        if world_size > 1:
            from datasets.distributed import split_dataset_by_node  # noqa: PLC0415 - a second

            rows = split_dataset_by_node(rows, rank=rank, world_size=world_size)
        rows = _skip_decoding(rows, self._sides).filter(selection.keeps)
        self._rows = (
            rows
            if seed is None
            else rows.shuffle(seed=seed, buffer_size=buffer_rows, max_buffer_input_shards=1)
        )

    def set_epoch(self, epoch: int) -> None:
        """Shuffle and crop anew from the next iteration on, also in workers that live on."""
        self._rows.set_epoch(epoch)

    def resume(self, epoch: int, seen: Iterable[str]) -> None:
        """Go on in ``epoch`` from the next iteration on, without the pairs whose names are in ``seen``.

        ``seen`` is what the training has had, the ``pair_ids`` of its batches in that epoch: what workers
        have fetched ahead of it is not among them, and comes again. What follows has the order and the
        stretches that it would have had, and later epochs are whole. With workers that holds for any number
        of them too, pair by pair; to get the very same batches, resume after as many batches as a multiple of
        the workers. Skipped pairs are read, but not decoded.
        """
        self._resumed_epoch, self._seen = epoch, frozenset(seen)
        self.set_epoch(epoch)

    def __iter__(self) -> Iterator[PairExample]:
        """Walk the pairs of this rank and worker once."""
        epoch = int(self._rows.epoch)
        seen = self._seen if epoch == self._resumed_epoch else frozenset()
        for row in self._rows:
            if row["pair_id"] not in seen:
                yield self._example(row)

    def _example(self, row: Mapping[str, Any]) -> PairExample:
        pair_id = row["pair_id"]
        sides = {side: self._decode_cell(row[side], f"{side} of {pair_id}") for side in self._sides}
        sizes = {side: samples.size for side, samples in sides.items()}
        if len(set(sizes.values())) != 1:
            raise IntegrityError(f"the sides of {pair_id} differ in length: {sizes} samples")
        kept = self._stretch(pair_id, sizes["degraded"])
        return PairExample(pair_id, self.sample_rate, **{side: sides[side][kept] for side in sides})

    def _decode_cell(self, cell: Mapping[str, Any] | None, name: str) -> Samples:
        if cell is None:
            raise IntegrityError(f"the dataset has no audio for {name}; with_clean=False does without clean")
        return resample(decode_flac_bytes(cell["bytes"]), self.sample_rate).samples

    def _stretch(self, pair_id: str, size: int) -> slice:
        if self.crop_samples is None or size <= self.crop_samples:
            return slice(size)
        rng = rng_for(self._seed, "crop", int(self._rows.epoch), pair_id)
        start = int(rng.integers(size - self.crop_samples + 1))
        return slice(start, start + self.crop_samples)


def _open_stream(dataset: str | Path, split: str, columns: Mapping[str, None]) -> Any:
    """Return the rows of ``split`` as a stream that can be shared out by row group."""
    from datasets import load_dataset  # noqa: PLC0415 - a second

    folder = expand_home(str(dataset))
    is_there = DatasetFiles(folder).is_there
    if not is_there and (isinstance(dataset, Path) or dataset.count("/") != 1 or dataset[0] in "./~"):
        raise UserError(f"there is no folder {dataset}; a repository on the hub is called OWNER/NAME")
    place = str(folder) if is_there else str(dataset)
    try:
        splits = load_dataset(**_place_of(place), streaming=True, columns=list(columns))
    except (ValueError, OSError) as error:  # another folder; no network, no such name, no right to it
        raise UserError(f"{dataset} cannot be opened as a dataset with 'pairs': {error}") from error
    if split not in splits:
        raise UserError(f"{dataset} has no split {split!r}, only {', '.join(splits)}")
    rows = splits[split]
    if lacking := [name for name in columns if name not in rows.column_names]:
        raise UserError(f"{dataset} has no column {', '.join(lacking)} in its 'pairs'")
    return rows.reshard()


def _place_of(place: str) -> dict[str, Any]:
    """Return how the pairs in ``place`` are named to the library, to which a path is a pattern.

    A folder whose name has signs of one is named file by file: it would open another, or none.
    """
    dataset = DatasetFiles(Path(place))
    if place == escape(place) or not dataset.is_there:
        return {"path": place, "name": "pairs"}
    files: dict[str, list[str]] = {}
    for name in dataset.names("pairs"):
        if name.endswith(".parquet"):
            files.setdefault(name.partition("-")[0], []).append(escape(f"{place}/pairs/{name}"))
    return {"path": "parquet", "data_files": files}


def _skip_decoding(rows: Any, sides: tuple[str, ...]) -> Any:
    from datasets import Audio  # noqa: PLC0415 - a second

    for side in sides:
        rows = rows.cast_column(side, Audio(decode=False))
    return rows
