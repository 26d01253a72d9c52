"""What is seen of a container without decoding it."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import UnfitError
from stages.ingest.chunks import find_samples
from stages.ingest.containers import look_into
from stages.ingest.durations import estimate_file_s
from stages.ingest.spliced import splice
from stages.operators.rng import rng_for

GIB_4 = 1 << 32


def _file(kind: str, seconds: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    noise = 0.1 * rng_for(0, "noise").standard_normal(int(8_000 * seconds))
    soundfile.write(buffer, noise, 8_000, format=kind)
    return buffer.getvalue()


def test_a_size_that_has_wrapped_is_called_that(tmp_path: Path) -> None:
    """A recorder went on beyond 4 GiB, and its 32 bits began again: all but the last second would be lost."""
    path, kept = tmp_path / "long.wav", 16_000
    header = bytearray(_file("WAV")[:44])
    header[40:44] = struct.pack("<I", kept)
    with path.open("wb") as file:
        file.write(bytes(header) + b"\x01" * (2 * kept))
        file.seek(44 + GIB_4 + kept - 1)
        file.write(b"\x01")

    with path.open("rb") as file:
        found = find_samples(file, "wav")

    assert found is not None
    assert "wrapped at 4 GiB" in found.trouble


@pytest.mark.parametrize("strategy", [0xF8, 0xF9])
def test_what_only_looks_like_a_flac_frame_is_none(strategy: int) -> None:
    """Any bytes may follow what looks like the beginning of a frame, and none is taken for one."""
    whole = _file("FLAC")

    for code in range(256):
        likeness = bytes([0xFF, strategy, code]) + bytes(range(1, 20))
        assert "no frame" in look_into(io.BytesIO(whole + likeness)).trouble


def test_flac_with_zeros_behind_it_is_whole() -> None:
    """They are padding, however many there are."""
    assert look_into(io.BytesIO(_file("FLAC") + bytes(3_000_000))).trouble == ""


@pytest.mark.parametrize("place", [-1, 0, 99, 1 << 62])
def test_a_seek_to_nowhere_stays_inside(place: int) -> None:
    """Libraries written in C ask for places that headers name; no exception comes up inside them."""
    joined = splice(io.BytesIO(b"0123456789"), range(2, 5), b"abc", range(9, 10))

    joined.seek(place)

    assert joined.tell() == min(max(place, 0), 7)
    joined.seek(1)
    assert joined.read(5) == b"34abc"


def test_streams_of_another_rate_are_not_joined() -> None:
    """One recording has one rate: two behind each other are two recordings."""
    other = io.BytesIO()
    soundfile.write(other, np.zeros(16_000), 16_000, format="MP3")

    with pytest.raises(UnfitError, match="another sample rate"):
        look_into(io.BytesIO(_file("MP3", 2.0) + other.getvalue()))


@pytest.mark.parametrize("kind", ["FLAC", "MP3", "OGG", "WAV", "AIFF", "CAF", "W64"])
def test_length_is_estimated_from_outside(kind: str) -> None:
    """Without decoding, to a frame of the codec."""
    assert estimate_file_s(io.BytesIO(_file(kind, 3.0))) == pytest.approx(3.0, abs=0.2)
