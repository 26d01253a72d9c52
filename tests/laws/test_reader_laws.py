"""A file gives all of its audio or a reason: every container and codec written here × every damage."""

import io
import struct
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

from schemas import UnfitError
from stages.audio.waveform import Samples
from stages.ingest.decoding import decode_recording
from stages.ingest.durations import LEAST_BYTES_PER_S, estimate_file_s
from stages.operators.rng import rng_for
from tests.support.encoded_speech import Encoding, encode, encodings, speech

TAG_IN_FRONT = b"ID3\x03\0\0\0\0\x02\x01" + bytes(257)
TAG_BEHIND = b"TAG" + b"title".ljust(125, b" ")
APE_BEHIND = b"\0" * 4 + b"APETAGEX" + struct.pack("<IIII8x", 2000, 36, 0, 0)
JUNK = np.random.default_rng(0).bytes(20_000).replace(b"OggS", b"....")
DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "whole": bytes,
    "first quarter": lambda whole: whole[: len(whole) // 4],
    "first half": lambda whole: whole[: len(whole) // 2],
    "three quarters": lambda whole: whole[: len(whole) * 3 // 4],
    "without its end": lambda whole: whole[: len(whole) * 99 // 100],
    "without its last byte": lambda whole: whole[:-1],
    "without its beginning": lambda whole: whole[len(whole) * 2 // 5 + 7 :],
    "without its middle": lambda whole: whole[: len(whole) // 2] + whole[len(whole) * 3 // 5 + 7 :],
    "tagged in front": lambda whole: TAG_IN_FRONT + whole,
    "tagged in front twice": lambda whole: TAG_IN_FRONT * 2 + whole,
    "tagged behind": lambda whole: whole + TAG_BEHIND,
    "tagged behind twice": lambda whole: whole + APE_BEHIND + TAG_BEHIND,
    "tagged everywhere": lambda whole: TAG_IN_FRONT + whole + APE_BEHIND,
    "filled up in front": lambda whole: bytes(1000) + whole,
    "filled up behind": lambda whole: whole + bytes(5000),
    "junk behind": lambda whole: whole + JUNK,
    "size of nothing": lambda whole: _with_size(whole, lambda _: 0),
    "size unknown": lambda whole: _with_size(whole, lambda _: -1),
    "half the size": lambda whole: _with_size(whole, lambda size: size // 2),
    "twice the size": lambda whole: _with_size(whole, lambda size: size * 2),
    "another size": lambda whole: _with_size(whole, lambda size: size - 1001 if size > 2000 else size + 7),
    "nothing": lambda _: b"",
}
PLACES = {b"data": ("<I", 4), b"SSND": (">I", 4), b".snd": (">I", 8), b"mdat": (">I", -4)}


def _with_size(whole: bytes, change: Callable[[int], int]) -> bytes:
    """Return a file that says another size of its samples; where none is written, as it is."""
    if whole[:4] == b"fLaC":
        (packed,) = struct.unpack(">Q", whole[18:26])
        total = max(change(packed & (1 << 36) - 1), 0)
        return whole[:18] + struct.pack(">Q", packed >> 36 << 36 | total) + whole[26:]
    form, place = _place_of_size(whole)
    if not form:
        return whole
    width = struct.calcsize(form)
    size = change(int.from_bytes(whole[place : place + width], "big" if form[0] == ">" else "little"))
    return whole[:place] + struct.pack(form, size & (1 << 8 * width) - 1) + whole[place + width :]


def _place_of_size(whole: bytes) -> tuple[str, int]:
    """Return how the size of the samples is written, and where."""
    if whole[:4] == b"caff":
        return ">Q", whole.find(b"data") + 4
    if whole[:4] == b"riff":
        return "<Q", whole.find(b"data") + 16
    for name in (b"Xing", b"Info"):
        if (place := whole.find(name, 0, 4000)) > 0:
            return ">I", place + 8
    for name, (form, offset) in PLACES.items():
        if (place := whole.find(name)) >= 0:
            return form, place + offset
    return "", 0


def _heard(content: bytes) -> Samples | None:
    """Return what is decoded; None if there is a reason."""
    try:
        return decode_recording(io.BytesIO(content)).waveform.samples
    except UnfitError:
        return None


def _lag(wanted: Samples, heard: Samples) -> tuple[int, float]:
    """Return where in ``heard`` the ``wanted`` samples lie, and how like them it is there."""
    size = 2 * (wanted.size + heard.size)
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    lag = int(np.argmax(found[: heard.size]))
    there = heard[lag : lag + wanted.size]
    return lag, float(np.corrcoef(there, wanted[: there.size])[0, 1])


def _wrong(made: Encoding, heard: Samples, times: int) -> Iterator[str]:
    """Yield what is wrong with audio that should be all of the speech, ``times`` over."""
    wanted = speech(made.sample_rate)
    least, most = times * wanted.size, times * (wanted.size + made.most_filled)
    if not least <= heard.size <= most:
        yield f"{heard.size} samples instead of {least} to {most}"
        return
    lag, likeness = _lag(wanted, heard[: wanted.size + made.most_filled])
    _, last_likeness = _lag(wanted, heard[-wanted.size - made.most_filled :])
    if abs(lag - made.late) > 1:
        yield f"{lag} samples late"
    if min(likeness, last_likeness) < made.least_like:
        yield f"like the speech by {likeness:.2f}, at its end by {last_likeness:.2f}"


@pytest.mark.parametrize("made", encodings(), ids=str)
def test_all_of_the_audio_or_a_reason(made: Encoding) -> None:
    """Whatever happened to a file, nobody gets a part of it without a word."""
    whole = encode(made)
    damaged = {name: (damage(whole), 1) for name, damage in DAMAGES.items()}
    damaged |= {"twice": (whole * 2, 2), "twice, tagged": (whole + TAG_BEHIND + TAG_IN_FRONT + whole, 2)}

    heard = {name: (_heard(content), times) for name, (content, times) in damaged.items()}

    wrong = {
        name: list(_wrong(made, samples, times))
        for name, (samples, times) in heard.items()
        if samples is not None
    }
    assert {name: found for name, found in wrong.items() if found} == {}
    assert (heard["whole"][0] is not None) is made.is_read


@pytest.mark.parametrize("seed", range(3))
def test_a_hostile_header_is_audio_or_a_reason(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes that lie about sizes, rates and places break nothing, and are measured without a word."""
    rng = rng_for(seed, "hostile")
    read = [made for made in encodings() if made.is_read]
    for made in rng.choice(np.array(read, dtype=object), 150):
        content = bytearray(encode(made))
        place, width = int(rng.integers(min(len(content), 256))), int(rng.choice([1, 4]))
        content[place : place + width] = rng.choice([b"\xff", b"\0", b"\x7f", rng.bytes(1)]) * width

        estimate = estimate_file_s(io.BytesIO(content))

        assert capfd.readouterr() == ("", "")
        assert estimate is None or 0.0 <= estimate <= len(content) / LEAST_BYTES_PER_S
        _heard(bytes(content))
        capfd.readouterr()  # what libmpg123 says of damaged frames
