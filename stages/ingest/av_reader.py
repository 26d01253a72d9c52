"""What libsndfile does not open, decoded by the FFmpeg inside PyAV, without the delay that a file states."""

from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from schemas import Reason, UnfitError

FORMATS: Mapping[str, str] = {
    "aac": "aac",
    "aiff": "aiff",
    "amr": "amr",
    "au": "au",
    "caf": "caf",
    "matroska": "matroska",
    "mov": "mov",
    "mpeg": "mp3",
    "ogg": "ogg",
    "w64": "w64",
    "wav": "wav",
    "wv": "wv",
}
"""FFmpeg's names for containers: said to it, so that no file can pass for a playlist that opens others."""
_LONGEST_FRAME = 4096
"""Samples by which a last frame may go beyond what a container states."""


def read_with_av(file: BinaryIO, kind: str) -> tuple[NDArray[np.float32], int]:
    """Return all samples of the one audio stream of ``file``, frames × channels, and their rate.

    Raises ``UnfitError`` if it has another number of audio streams, or is
    damaged or cut short.
    """
    import av  # noqa: PLC0415 - 0.2 s

    file.seek(0)
    try:
        with av.open(file, format=FORMATS[kind]) as container:
            stream = _only_audio(container)
            blocks = [block for packet in container.demux(stream) for block in _decode(packet)]
            samples, rate = _join(blocks), int(stream.codec_context.sample_rate or 0)
            stated = _stated_samples(stream, rate) if kind == "mov" else None
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise UnfitError(Reason.UNREADABLE, "not audio in a known format, or damaged") from error
    return _without_filling(samples, stated), rate


def header_duration_s(file: BinaryIO, kind: str) -> float | None:
    """Return how long a container says that its audio is; None if it does not, or is none."""
    import av  # noqa: PLC0415 - 0.2 s

    file.seek(0)
    try:
        with av.open(file, format=FORMATS[kind]) as container:
            stream = _only_audio(container)
            if stream.duration and stream.time_base:
                return float(stream.duration * stream.time_base)
            return container.duration / av.time_base if container.duration else None
    except (av.FFmpegError, ValueError, OverflowError, UnfitError):
        return None


def _only_audio(container: Any) -> Any:
    streams = container.streams.audio
    if len(streams) != 1:
        raise UnfitError(Reason.UNREADABLE, f"{len(streams)} audio streams where one is expected")
    return streams[0]


def _decode(packet: Any) -> list[NDArray[np.float32]]:
    if packet.is_corrupt:
        raise UnfitError(Reason.UNREADABLE, "cut short: the file ends before its samples do")
    return [_as_float(frame) for frame in packet.decode()]


def _as_float(frame: Any) -> NDArray[np.float32]:
    """Return frames × channels, where whole numbers are brought to ±1."""
    held = frame.to_ndarray()
    channels = frame.layout.nb_channels
    block = held.T if frame.format.is_planar else held.reshape(-1, channels)
    if block.dtype == np.uint8:
        return np.asarray((block.astype(np.float32) - 128.0) / 128.0, dtype=np.float32)
    if np.issubdtype(block.dtype, np.integer):
        return np.asarray(block / -float(np.iinfo(block.dtype).min), dtype=np.float32)
    with np.errstate(over="ignore"):  # what is no float32 becomes infinite, and is refused as that
        return np.asarray(block, dtype=np.float32)


def _join(blocks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    if not blocks:
        raise UnfitError(Reason.EMPTY, "no samples")
    if len({block.shape[1] for block in blocks}) > 1:
        raise UnfitError(Reason.UNREADABLE, "its number of channels changes on the way")
    return np.concatenate(blocks)


def _stated_samples(stream: Any, rate: int) -> int | None:
    return round(stream.duration * stream.time_base * rate) if stream.duration and rate else None


def _without_filling(samples: NDArray[np.float32], stated: int | None) -> NDArray[np.float32]:
    """Return ``samples`` without what the last frame holds beyond the end that the container states."""
    if stated is None:
        return samples
    if len(samples) < stated - _LONGEST_FRAME:
        raise UnfitError(Reason.UNREADABLE, "cut short: the file ends before its samples do")
    return samples[:stated] if len(samples) - stated < _LONGEST_FRAME else samples
