"""Codecs of telephony and broadcasting: speech that has been AAC, G.722 or a voice call's Opus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.degradations.common import libopus
from stages.degradations.common.headroom import with_headroom
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, OneOf

AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
AAC_DELAY_SAMPLES = 1024
"""One frame of the transform: what FFmpeg's encoder and decoder delay together."""
G722_RATE = 16_000
G722_BLOCK = 320
G722_DELAY_SAMPLES = 22
"""Of the two quadrature mirror filters."""
G722_BITS = {64: "8", 56: "7", 48: "6"}
"""Bits of each octet that the decoder looks at, by the bitrate in kbit/s (G.722, modes 1 to 3)."""

AvCodecName = Literal["aac", "g722", "opus_voice"]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came back without delay, at which rate, over how many bytes, and the delay at that rate."""

    speech: Waveform
    num_bytes: int
    delay_samples: int


@DEGRADATIONS.register
class AvCodec(Degradation):
    """Encoding and decoding in memory by the FFmpeg and libopus inside PyAV, without delay.

    Speech at a rate that the codec does not know goes through the next higher one that it does; G.722 is
    wide-band whatever comes in, and ``opus_voice`` carries as much bandwidth as libopus would at the bitrate.
    The default bitrates are ours: from a poor call to a good broadcast of speech.
    """

    kind: ClassVar[str] = "av_codec"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "LGPL-2.1-or-later"
    libraries: ClassVar[tuple[str, ...]] = ("av",)
    draws: ClassVar[Mapping[str, Distribution]] = {
        "codec": OneOf(values=("aac", "g722", "opus_voice")),
        "bitrate_kbps": OneOf(values=(12, 16, 24, 32, 48, 64)),
    }

    codec: AvCodecName
    bitrate_kbps: float = Field(ge=6.0, le=320.0)
    """What the stream is asked to take, brought into the range that the codec has.

    G.722 has 48, 56 and 64 kbit/s and takes the nearest; ``opus_voice`` ends at 256.
    """
    packet_ms: float | None = Field(default=None, ge=2.5, le=60.0)
    """Of ``opus_voice`` alone: how much of the speech each packet holds; 20 unless said."""
    generations: int = Field(default=1, ge=1, le=16)
    """How often the speech goes through the codec, one after the other."""

    @field_validator("packet_ms")
    @classmethod
    def _is_a_length_that_opus_has(cls, packet_ms: float | None) -> float | None:
        if packet_ms not in {None, *libopus.PACKETS_MS}:
            raise ValueError(f"Opus has packets of {libopus.PACKETS_MS} ms, not of {packet_ms}")
        return packet_ms

    @model_validator(mode="before")
    @classmethod
    def _forget_what_the_codec_has_not(cls, fields: Any) -> Any:
        if fields.get("codec") != "opus_voice":
            return {**fields, "packet_ms": None}
        return {**fields, "packet_ms": fields.get("packet_ms") or 20.0}

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Encode and decode; report the rate of the last stream, its bits and the delay that was removed."""
        speech = scene.degraded
        for _ in range(self.generations):
            heard = CODECS[self.codec](self, speech)
            back = resample(heard.speech, speech.sample_rate)
            speech = speech.with_samples(fit_length(back.samples, speech.samples.size))
        facts = {
            "codec_sample_rate_hz": float(heard.speech.sample_rate),
            "bitrate_kbps": 8e-3 * heard.num_bytes / speech.duration_s,
            "delay_samples": float(heard.delay_samples),
        }
        return Scene(speech, scene.reference, facts)


def _aac(settings: AvCodec, speech: Waveform) -> _Heard:
    rate = next((known for known in AAC_RATES if known >= speech.sample_rate), AAC_RATES[-1])
    packets: list[bytes] = []

    def through(samples: Samples) -> Samples:
        encoder = _context("aac", "w", rate, "fltp")
        encoder.bit_rate = round(1000 * settings.bitrate_kbps)
        encoder.open()
        packets.extend(_packets(encoder, samples, encoder.frame_size))
        decoder = _context("aac", "r", rate, "fltp")
        decoder.extradata = encoder.extradata
        return _decode(decoder, packets)[AAC_DELAY_SAMPLES:]

    return _send_through(resample(speech, rate), through, packets, AAC_DELAY_SAMPLES)


def _g722(settings: AvCodec, speech: Waveform) -> _Heard:
    bitrate = min(G722_BITS, key=lambda kbps: abs(kbps - settings.bitrate_kbps))
    packets: list[bytes] = []

    def through(samples: Samples) -> Samples:
        encoder = _context("g722", "w", G722_RATE, "s16")
        padded = np.pad(samples, (0, G722_DELAY_SAMPLES))
        packets.extend(_packets(encoder, np.round(padded * 2.0**15).astype(np.int16), G722_BLOCK))
        decoder = _context("g722", "r", G722_RATE, "s16")
        decoder.options = {"bits_per_codeword": G722_BITS[bitrate]}
        return np.asarray(_decode(decoder, packets)[G722_DELAY_SAMPLES:] / 2.0**15, dtype=np.float32)

    heard = _send_through(resample(speech, G722_RATE), through, packets, G722_DELAY_SAMPLES)
    return replace(heard, num_bytes=heard.num_bytes * bitrate // max(G722_BITS))


def _opus_voice(settings: AvCodec, speech: Waveform) -> _Heard:
    streams: list[libopus.OpusStream] = []

    def through(samples: Samples) -> Samples:
        loud = speech.with_samples(samples)
        streams.append(libopus.encode_opus(loud, settings.bitrate_kbps, settings.packet_ms or 20.0))
        return libopus.decode_opus(streams[-1])

    heard = with_headroom(through, speech.samples)
    (stream,) = streams
    return _Heard(
        Waveform(heard, stream.sample_rate), sum(map(len, stream.packets)), stream.lookahead_samples
    )


CODECS: Mapping[AvCodecName, Callable[[AvCodec, Waveform], _Heard]] = {
    "aac": _aac,
    "g722": _g722,
    "opus_voice": _opus_voice,
}


def _send_through(
    sent: Waveform, through: Callable[[Samples], Samples], packets: list[bytes], delay: int
) -> _Heard:
    """Return what comes back; ``through`` fills ``packets`` on the way."""
    decoded = fit_length(with_headroom(through, sent.samples), sent.samples.size)
    return _Heard(sent.with_samples(decoded), sum(map(len, packets)), delay)


def _context(codec: str, mode: Literal["r", "w"], sample_rate: int, sample_format: str) -> Any:
    import av  # noqa: PLC0415 - 0.2 s

    context = av.CodecContext.create(codec, mode)
    context.sample_rate, context.layout = sample_rate, "mono"
    if mode == "w":
        context.format = sample_format
    context.thread_count = 1
    return context


def _packets(encoder: Any, samples: np.ndarray, block: int) -> list[bytes]:
    """Return what the encoder makes of ``samples`` in blocks, the last one filled with silence."""
    import av  # noqa: PLC0415

    packets: list[bytes] = []
    for start in range(0, samples.size, block):
        cut = fit_length(samples[start : start + block], block)
        frame = av.AudioFrame.from_ndarray(cut[None, :], format=encoder.format.name, layout="mono")
        frame.sample_rate, frame.pts = encoder.sample_rate, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets + [bytes(packet) for packet in encoder.encode(None)]


def _decode(decoder: Any, packets: list[bytes]) -> Samples:
    import av  # noqa: PLC0415

    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    frames += decoder.decode(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
