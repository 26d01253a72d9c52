"""Voice-mode Opus, packet by packet: encoded through PyAV, decoded by the same libopus, which can conceal.

FFmpeg's decoders leave out a packet that is missing; libopus itself is told of it (a null packet) and
makes up for it. The library that PyAV brings along is therefore called directly. What it decodes may be
late by a part of a sample: ``advance_samples`` takes that back.
"""

import ctypes
import ctypes.util
import importlib.metadata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import fft

from schemas import RunError
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform

GUARD = 64
"""Zeros around the signal, so that its end does not ring into its beginning."""
EDGE = 0.06
"""Over which share of the highest frequency that moves the move comes to an end."""
_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
"""By bandwidth: narrow, medium, wide, super-wide and full."""
PACKETS_MS = (2.5, 5.0, 10.0, 20.0, 40.0, 60.0)
HIGHEST_KBPS = 256
"""Of one channel."""
_SPEECH, HYBRID = range(12), range(12, 16)
"""Configurations of the speech mode (three bandwidths, four lengths) and of the hybrid one (two, two)."""
LOOKAHEAD_S = {True: 0.0025, False: 0.0065}
"""Of packets shorter than 10 ms, and of others: what RFC 7845 calls pre-skip."""
SHORTEST_SPEECH_PACKET_MS = 10.0
HYBRID_LEAD_S, HYBRID_LEAD_BELOW_HZ = 24.5e-6, 8_000
"""In hybrid packets the speech below 8 kHz comes earlier than the rest, measured at 24 and 48 kHz."""


@dataclass(frozen=True, slots=True)
class OpusStream:
    """Packets of equal length, and the rate that went in."""

    packets: Sequence[bytes]
    sample_rate: int
    packet_samples: int
    lookahead_samples: int
    lead_samples: float
    """By how much what is decoded is early below 8 kHz, once the look-ahead is gone."""


def encode_opus(speech: Waveform, bitrate_kbps: float, packet_ms: float) -> OpusStream:
    """Return ``speech`` as packets, at the highest rate up to its own that the bitrate can carry.

    At a low bitrate libopus codes less bandwidth than it is given, by way of a resampler that delays
    low and high frequencies differently, up to 90 µs (measured). So it is given only what it codes.
    """
    limit = next((rate for rate in _RATES if rate >= speech.sample_rate), _RATES[-1])
    stream = _encode_packets(resample(speech, limit), bitrate_kbps, packet_ms)
    carried = _RATES[_bandwidth(_usual_configuration(stream.packets))]
    if carried < limit:
        return encode_opus(resample(speech, carried), bitrate_kbps, packet_ms)
    return stream


def decode_opus(stream: OpusStream, lost: Sequence[bool] = ()) -> Samples:
    """Return the samples without the codec's delay; the decoder conceals packets that are ``lost``."""
    library = _library()
    failure = ctypes.c_int()
    decoder = library.opus_decoder_create(stream.sample_rate, 1, ctypes.byref(failure))
    if failure.value:
        raise RunError(f"libopus opens no decoder (error {failure.value})")
    try:
        missing = [*lost, *[False] * len(stream.packets)]
        heard = [
            _decode_packet(library, decoder, b"" if gone else packet, stream.packet_samples)
            for packet, gone in zip(stream.packets, missing, strict=False)
        ]
    finally:
        library.opus_decoder_destroy(decoder)
    whole = np.concatenate(heard)[stream.lookahead_samples :]
    return advance_samples(whole, -stream.lead_samples, HYBRID_LEAD_BELOW_HZ / stream.sample_rate)


def _encode_packets(speech: Waveform, bitrate_kbps: float, packet_ms: float) -> OpusStream:
    import av  # noqa: PLC0415 - 0.2 s

    rate, size = speech.sample_rate, round(packet_ms * speech.sample_rate / 1000)
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "flt"
    encoder.bit_rate = round(1000 * min(bitrate_kbps, HIGHEST_KBPS))
    encoder.options = {"application": "voip", "frame_duration": f"{packet_ms:g}"}
    packets: list[bytes] = []
    for start in range(0, speech.samples.size, size):
        block = fit_length(speech.samples[start : start + size], size)
        frame = av.AudioFrame.from_ndarray(block[None, :], format="flt", layout="mono")
        frame.sample_rate, frame.pts = rate, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    lookahead = round(LOOKAHEAD_S[packet_ms < SHORTEST_SPEECH_PACKET_MS] * rate)
    lead = HYBRID_LEAD_S * rate if _usual_configuration(packets) in HYBRID else 0.0
    return OpusStream(tuple(packets), rate, size, lookahead, lead)


def _usual_configuration(packets: Sequence[bytes]) -> int:
    """Return the mode, bandwidth and length of most packets: the first five bits of each (RFC 6716, 3.1)."""
    ((configuration, _),) = Counter(packet[0] >> 3 for packet in packets).most_common(1)
    return configuration


def _bandwidth(configuration: int) -> int:
    """Return the place in ``_RATES`` of the bandwidth that a configuration stands for."""
    if configuration in _SPEECH:
        return configuration // 4
    if configuration in HYBRID:
        return 3 + (configuration - HYBRID.start) // 2
    return (0, 2, 3, 4)[(configuration - HYBRID.stop) // 4]


def _decode_packet(library: Any, decoder: int, packet: bytes, length: int) -> Samples:
    samples = np.zeros(length, dtype=np.float32)
    place = samples.ctypes.data_as(ctypes.c_void_p)
    written = library.opus_decode_float(decoder, packet or None, len(packet), place, length, 0)
    if written != length:
        raise RunError(f"libopus decoded {written} samples where {length} were due")
    return samples


def advance_samples(samples: Samples, by_samples: float, below: float = 1.0) -> Samples:
    """Return as many samples, earlier by any fraction of one, at frequencies ``below`` cycles per sample."""
    if by_samples == 0.0 or samples.size == 0:
        return samples
    size = fft.next_fast_len(samples.size + 2 * GUARD, real=True)
    padded = np.pad(samples, (GUARD, size - samples.size - GUARD))
    frequencies = fft.rfftfreq(size)
    share = np.clip((1.0 + EDGE - frequencies / below) / (2.0 * EDGE), 0.0, 1.0)
    turn = np.exp(2j * np.pi * by_samples * share * frequencies).astype(np.complex64)
    moved = fft.irfft(fft.rfft(padded) * turn, size)
    return np.ascontiguousarray(moved[GUARD : GUARD + samples.size], dtype=np.float32)


@cache
def _library() -> Any:
    """Return libopus as PyAV's wheel brings it, or as the system has it."""
    bundled = [
        str(file.locate())
        for file in importlib.metadata.files("av") or ()
        if file.name.startswith(("libopus", "opus"))
    ]
    place = next(iter(bundled), None) or ctypes.util.find_library("opus")
    if place is None:
        raise RunError("libopus was not found: install PyAV from its wheel, or libopus0 from the system")
    library = ctypes.CDLL(place)
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
    library.opus_decode_float.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ]
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_decoder_destroy.restype = None
    return library
