"""The audio that a source names: opened for the stages, and measured from outside for the shards."""

from pathlib import Path
from typing import BinaryIO

import soundfile

from pipeline.sources.saved_datasets import open_row
from schemas import Source
from stages.ingest.decoding import BITS_OF_SUBTYPE

UNREADABLE_S = 1.0
LEAST_BYTES_PER_S = 100
"""No codec stores speech in less; what claims to be longer is bounded by this."""


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
            whole_s = min(_claimed_s(file), _size(file) / LEAST_BYTES_PER_S)
    except (soundfile.SoundFileError, OSError):
        return UNREADABLE_S
    left_s = whole_s - source.offset_s
    wanted_s = left_s if source.duration_s is None else min(left_s, source.duration_s)
    return wanted_s if wanted_s > 0 else UNREADABLE_S


def _claimed_s(file: BinaryIO) -> float:
    with soundfile.SoundFile(file) as sound:
        bits = BITS_OF_SUBTYPE.get(sound.subtype) if sound.format != "FLAC" else None
        frames = float(sound.frames)
        if bits is not None:
            frames = min(frames, _size(file) * 8 / (bits * sound.channels))
        return frames / float(sound.samplerate)


def _size(file: BinaryIO) -> int:
    position = file.tell()
    size = file.seek(0, 2)
    file.seek(position)
    return size
