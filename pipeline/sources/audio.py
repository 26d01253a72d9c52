"""The audio that a source names: opened for the stages, and measured from outside for the shards."""

from pathlib import Path
from typing import BinaryIO

from pipeline.sources.saved_datasets import open_row
from schemas import Source
from stages.ingest.durations import estimate_file_s

UNREADABLE_S = 1.0


def open_source(source: Source) -> BinaryIO:
    """Return the file, or the audio in the row of a dataset, that ``source`` names. Raises ``OSError``."""
    if source.row is not None:
        return open_row(source.path, source.row)
    return Path(source.path).open("rb")


def estimate_duration_s(source: Source) -> float:
    """Return about how many seconds ``source`` holds, from its header and its size, without decoding.

    A header that claims more than the file can hold is not believed. 1.0 for what cannot be read.
    """
    if not source.content:
        return UNREADABLE_S
    try:
        with open_source(source) as file:
            whole_s = estimate_file_s(file)
    except OSError:
        return UNREADABLE_S
    if whole_s is None:
        return UNREADABLE_S
    left_s = whole_s - source.offset_s
    wanted_s = left_s if source.duration_s is None else min(left_s, source.duration_s)
    return wanted_s if wanted_s > 0 else UNREADABLE_S
