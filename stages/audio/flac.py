"""How audio is stored: mono FLAC of 24 bits, so that what is scored is what is stored."""

import hashlib
import io
import math
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from schemas import BrokenError, EncodedAudio, Reason
from stages.audio.level import peak, to_db
from stages.audio.waveform import Samples, Waveform

FLAC_BITS = 24
FULL_SCALE = 1 << FLAC_BITS - 1
FLAC_CEILING = 1.0 - 1.0 / FULL_SCALE


def encode_flac(waveform: Waveform) -> EncodedAudio:
    """Return ``waveform`` as FLAC; a peak over 1 is brought to 1 and the gain recorded.

    libsndfile clips above 1 without a word and dies on NaN, so both are decided here.
    Raises ``BrokenError`` for samples that are not finite or not there.
    """
    if waveform.samples.size == 0:
        raise BrokenError(Reason.EMPTY, "no samples to store")
    loudest = peak(waveform.samples)
    if not math.isfinite(loudest):  # which one such sample makes it
        raise BrokenError(Reason.NOT_FINITE, "NaN or infinite samples cannot be stored")
    gain = FLAC_CEILING / loudest if loudest > 1.0 else 1.0
    integers = _integers(waveform.samples, gain, is_full=loudest > FLAC_CEILING)
    buffer = io.BytesIO()
    soundfile.write(buffer, integers << 8, waveform.sample_rate, format="FLAC", subtype="PCM_24")
    return EncodedAudio(
        flac=buffer.getvalue(),
        sample_rate=waveform.sample_rate,
        num_samples=integers.size,
        gain_db=to_db(gain) if gain != 1.0 else 0.0,
        digest=_digest(integers, waveform.sample_rate),
    )


def _integers(samples: Samples, gain: float, *, is_full: bool) -> NDArray[np.int32]:
    """Return the nearest of the 2²⁴ steps for each sample."""
    if gain == 1.0:  # a power of two as factor is exact in single precision
        steps: NDArray[Any] = samples * np.float32(FULL_SCALE)
    else:
        steps = samples.astype(np.float64) * gain * FULL_SCALE
    np.rint(steps, out=steps)
    if is_full:  # there is no step for 1, to which the last half step rounds
        np.minimum(steps, FULL_SCALE - 1, out=steps)
    return steps.astype("<i4")


def decode_flac(audio: EncodedAudio) -> Waveform:
    """Return the stored samples, exactly."""
    return decode_flac_bytes(audio.flac)


def decode_flac_bytes(flac: bytes) -> Waveform:
    """Return the samples of mono FLAC, exactly."""
    integers, sample_rate = soundfile.read(io.BytesIO(flac), dtype="int32")
    return Waveform((integers >> 8).astype(np.float32) / np.float32(FULL_SCALE), sample_rate)


def round_to_bits(audio: EncodedAudio, bits: int) -> EncodedAudio:
    """Return stored audio rounded to ``bits`` (16 or 24) per sample, and its digest then; at 24 it is itself.

    Each sample goes to the nearest step that there is, without dither: digital silence stays what it is.
    """
    if bits == FLAC_BITS:
        return audio
    unit = 1 << FLAC_BITS - bits
    integers, sample_rate = soundfile.read(io.BytesIO(audio.flac), dtype="int32")
    steps = np.rint((integers >> 8) / unit)
    rounded = (np.clip(steps, -(FULL_SCALE // unit), FULL_SCALE // unit - 1) * unit).astype("<i4")
    buffer = io.BytesIO()
    soundfile.write(buffer, rounded << 8, sample_rate, format="FLAC", subtype=f"PCM_{bits}")
    update = {"flac": buffer.getvalue(), "digest": _digest(rounded, sample_rate)}
    return audio.model_copy(update=update)


def digest_of(flac: bytes) -> str:
    """Return the digest that stored audio has, whatever encoder wrote it."""
    integers, sample_rate = soundfile.read(io.BytesIO(flac), dtype="int32")
    return _digest(integers >> 8, sample_rate)


def _digest(integers: NDArray[np.int32], sample_rate: int) -> str:
    digest = hashlib.sha256(f"{sample_rate}\n".encode())
    digest.update(np.ascontiguousarray(integers, dtype="<i4").data)
    return digest.hexdigest()
