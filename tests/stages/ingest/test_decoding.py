"""What decoding makes of files as people have them."""

import io
import struct

import numpy as np
import pytest
import soundfile
from numpy.typing import ArrayLike

from schemas import Reason, UnfitError
from stages.audio.waveform import Waveform
from stages.ingest.decoding import ChannelRule, Decoded, decode_recording
from stages.operators.rng import rng_for

SIZE_OF_DATA = slice(40, 44)
"""Where a plain WAV header says how many bytes of samples follow."""


def _file(
    samples: ArrayLike, sample_rate: int = 16_000, kind: str = "WAV", subtype: str | None = None
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def _noise(seconds: float = 1.0, channels: int = 1, sample_rate: int = 16_000) -> np.ndarray:
    shape = (int(seconds * sample_rate), channels)
    return np.squeeze(0.1 * rng_for(0, "noise").standard_normal(shape))


def _decode(
    content: bytes, offset_s: float = 0.0, duration_s: float | None = None, channels: ChannelRule = "mean"
) -> Decoded:
    return decode_recording(io.BytesIO(content), offset_s, duration_s, channels)


def _refusal(content: bytes, offset_s: float = 0.0, channels: ChannelRule = "mean") -> UnfitError:
    with pytest.raises(UnfitError) as refused:
        _decode(content, offset_s, channels=channels)
    return refused.value


def test_an_intact_file_is_what_it_holds(clean: Waveform) -> None:
    """Samples, rate and bits come back."""
    decoded = _decode(_file(clean.samples, subtype="PCM_24"))

    assert decoded.waveform.samples == pytest.approx(clean.samples, abs=2**-23)
    assert (decoded.waveform.sample_rate, decoded.channels) == (16_000, 1)
    assert (decoded.bits, decoded.is_float) == (24, False)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("FLAC", "PCM_16"), ("AIFF", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)
def test_other_formats_are_read_and_missed_when_cut(kind: str, subtype: str) -> None:
    """The whole file gives all samples; two thirds of it give none."""
    whole = _file(_noise(5.0), kind=kind, subtype=subtype)

    assert _decode(whole).waveform.samples.size == 80_000
    assert _refusal(whole[: len(whole) * 2 // 3]).reason is Reason.UNREADABLE


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_damaged_page_is_unreadable(subtype: str) -> None:
    """Read as it is, a part in the middle would be missing, and nothing would show it."""
    whole = bytearray(_file(_noise(5.0), kind="OGG", subtype=subtype))
    whole[len(whole) // 2] ^= 0x10

    refused = _refusal(bytes(whole))

    assert (refused.reason, refused.detail.split(":")[0]) == (Reason.UNREADABLE, "damaged")


def test_a_page_that_is_missing_is_missed() -> None:
    """What lies between two pages is none."""
    whole = _file(_noise(5.0), kind="OGG", subtype="VORBIS")
    page = whole.find(b"OggS", len(whole) // 2)

    assert _refusal(whole[: page - 500] + whole[page:]).reason is Reason.UNREADABLE


def test_bytes_after_the_last_page_are_no_damage() -> None:
    """Taggers leave some there."""
    whole = _file(_noise(5.0), kind="OGG", subtype="VORBIS")

    assert _decode(whole + b"TAG" + bytes(125)).waveform.samples.size == 80_000


def test_a_truncated_wav_is_unreadable() -> None:
    """Read as it is, it would give the first half, which no longer says what the transcript says."""
    whole = _file(_noise())

    refused = _refusal(whole[: len(whole) // 2])

    assert refused.reason is Reason.UNREADABLE
    assert "cut short" in refused.detail


def test_a_stretch_before_the_cut_is_read() -> None:
    """What was asked for is there."""
    whole = _file(_noise())

    stretch = _decode(whole[: len(whole) // 2], offset_s=0.1, duration_s=0.2)

    assert stretch.waveform.samples.size == 3_200


@pytest.mark.parametrize("claim", [0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000])
def test_an_endless_header_gives_what_is_there(claim: int) -> None:
    """Writers of streams do not know the length when they write the header."""
    streamed = bytearray(_file(_noise()))
    streamed[4:8] = streamed[SIZE_OF_DATA] = struct.pack("<I", claim)

    assert _decode(bytes(streamed)).waveform.samples.size == 16_000


def test_a_chunk_before_the_samples_is_stepped_over() -> None:
    """Tags of an odd length do not confuse the search for the samples."""
    whole = _file(_noise())
    tagged = whole[:36] + b"LIST" + struct.pack("<I", 5) + b"title\0" + whole[36:]

    assert _decode(tagged).waveform.samples.size == 16_000
    assert _refusal(tagged[:-2]).reason is Reason.UNREADABLE


@pytest.mark.parametrize(
    "content",
    [b"", b"This is a text file, called speech.wav by mistake.\n" * 9, bytes(5_000), _file(_noise())[:30]],
    ids=["nothing", "text", "zeros", "half a header"],
)
def test_what_is_no_audio_is_unreadable(content: bytes) -> None:
    """In our own words: foreign messages hold addresses."""
    refused = _refusal(content)

    assert refused.reason is Reason.UNREADABLE
    assert refused.detail == "not audio in a known format, or damaged"


def test_a_zeroed_header_is_unreadable() -> None:
    """Samples without a header have no rate."""
    assert _refusal(bytes(44) + _file(_noise())[44:]).reason is Reason.UNREADABLE


def test_a_header_without_samples_is_empty() -> None:
    """A recorder that was started and stopped."""
    assert _refusal(_file(np.zeros(0))).reason is Reason.EMPTY


def test_an_impossible_rate_is_unreadable() -> None:
    """Resampling from it would ask for more memory than there is."""
    absurd = bytearray(_file(_noise()))
    absurd[24:28] = struct.pack("<I", 3)

    assert _refusal(bytes(absurd)).detail == "claims a sample rate of 3 Hz"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(bad: float) -> None:
    """One is enough: filters would spread it over everything."""
    samples = _noise()
    samples[100] = bad

    assert _refusal(_file(samples, subtype="FLOAT")).reason is Reason.NOT_FINITE


def test_samples_above_one_are_kept() -> None:
    """Float files may hold them; nothing is clipped here."""
    decoded = _decode(_file(30 * _noise(), subtype="FLOAT"))

    assert np.abs(decoded.waveform.samples).max() == pytest.approx(30 * np.abs(_noise()).max(), rel=1e-6)
    assert decoded.is_float


def test_eight_bits_are_read_around_zero() -> None:
    """Unsigned bytes have their zero at 128."""
    decoded = _decode(_file(_noise(), subtype="PCM_U8"))

    assert decoded.bits == 8
    assert decoded.waveform.samples == pytest.approx(_noise(), abs=2**-7)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_mixed_or_chosen(channels: int) -> None:
    """The mean of all, or the first, as the rule says; the number of channels is remembered."""
    samples = _noise(channels=channels)
    content = _file(samples, subtype="FLOAT")

    assert _decode(content).waveform.samples == pytest.approx(samples.mean(axis=1), abs=1e-6)
    assert _decode(content, channels="first").waveform.samples == pytest.approx(samples[:, 0], abs=1e-6)
    assert _decode(content).channels == channels


def test_channels_may_be_refused() -> None:
    """Whoever wants true mono says so."""
    assert _refusal(_file(_noise(channels=2)), channels="reject").reason is Reason.NOT_MONO
    assert _decode(_file(_noise()), channels="reject").channels == 1


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_stretch_is_a_stretch_of_the_whole(kind: str) -> None:
    """To the sample, also where seeking is fuzzy; a duration beyond the end gives what is left."""
    content = _file(_noise(6.0), kind=kind)
    whole = _decode(content).waveform.samples

    stretch = _decode(content, offset_s=2.5, duration_s=1.0).waveform.samples
    rest = _decode(content, offset_s=5.0, duration_s=10.0).waveform.samples

    assert np.array_equal(stretch, whole[40_000:56_000])
    assert np.array_equal(rest, whole[80_000:])


def test_an_offset_beyond_the_end_is_empty() -> None:
    """The manifest and the file do not belong together."""
    assert _refusal(_file(_noise()), offset_s=1.0).reason is Reason.EMPTY


def test_tags_and_junk_around_mp3_are_skipped() -> None:
    """Tags before and after, and bytes that are nothing at the end, cost no sample."""
    content = _file(_noise(2.0), kind="MP3")
    tag = b"ID3\x03\0\0" + bytes([0, 0, 15, 118]) + bytes(15 * 128 + 118)

    decoded = _decode(tag + content + b"TAG" + bytes(125) + b"junk" * 100)

    assert np.array_equal(decoded.waveform.samples, _decode(content).waveform.samples)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 48_000])
@pytest.mark.parametrize("after", [b"", b"TAG" + bytes(125), bytes(30_000)])
def test_mp3_that_does_not_say_how_long_it_is(after: bytes, sample_rate: int, channels: int) -> None:
    """All of it is read: from the bit rate of its first frame it would seem to be of another length."""
    quiet = _noise(4.0, channels, sample_rate) * 1e-3
    loud = _noise(8.0, channels, sample_rate)
    whole = _file(np.concatenate([loud, quiet, loud]), sample_rate, kind="MP3")
    beginning = whole.find(b"\xff", whole.find(b"LAME"))
    while whole[beginning : beginning + 2] != whole[:2]:
        beginning = whole.find(b"\xff", beginning + 1)
    bare = whole[beginning:]

    decoded = _decode(bare + after).waveform
    stretch = _decode(bare + after, offset_s=5.0, duration_s=2.0).waveform

    assert decoded.duration_s == pytest.approx(20.0, abs=0.2)
    assert np.std(decoded.samples[-4 * sample_rate :]) > 0.03
    assert np.array_equal(stretch.samples, decoded.samples[5 * sample_rate : 7 * sample_rate])
    assert "cut short" in _refusal(bare[: len(bare) // 2 + 1]).detail


def test_mp3_that_is_mostly_junk_is_unreadable() -> None:
    """What cannot be synchronised is damaged."""
    junk = rng_for(0, "junk").bytes(20_000)

    assert _refusal(junk).reason is Reason.UNREADABLE
    assert _refusal(b"\xff\xfb\x90\x64" + junk).reason in {Reason.UNREADABLE, Reason.EMPTY}
