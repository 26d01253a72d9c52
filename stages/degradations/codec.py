"""Lossy codecs: speech that has been an MP3, Opus or Vorbis stream, or a telephone call."""

import io
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import soundfile
from pydantic import Field, model_validator

from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.degradations.common.headroom import with_headroom
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, OneOf, Uniform

MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
MP3_LIMITS_KBPS = {32_000: (32.0, 320.0), 16_000: (8.0, 160.0), 0: (8.0, 64.0)}
"""Of MPEG-1, MPEG-2 and MPEG-2.5, by the lowest sampling rate of each."""
MP3_DELAY_SAMPLES = 1105
"""576 of LAME's encoder and 529 of any decoder."""
_OPUS_LAG_S = 0.0001
TELEPHONE_RATE = 8_000
TELEPHONE = {"alaw": "ALAW", "ulaw": "ULAW", "gsm": "GSM610"}
"""What libsndfile calls them: G.711 with its two laws, and GSM 06.10 full rate."""
BITRATES = ("mp3", "opus")

CodecName = Literal["mp3", "opus", "vorbis", "alaw", "ulaw", "gsm"]


@DEGRADATIONS.register
class Codec(Degradation):
    """Encoding and decoding in memory by libsndfile, without delay.

    Speech at a rate that the codec does not know goes through the next higher one that it does; through
    8 kHz, whatever its rate, if the codec is a telephone's: ``alaw`` and ``ulaw`` (G.711, 64 kbit/s), ``gsm``
    (06.10 full rate, 13 kbit/s). Of the default bitrates 24 to 128 kbit/s are AATC 2025's for MP3; the lower
    ones, for Opus, and the qualities of Vorbis are ours.
    """

    kind: ClassVar[str] = "codec"
    cost_s_per_s: ClassVar[float] = 0.01
    draws: ClassVar[Mapping[str, Distribution]] = {
        "codec": OneOf(values=("mp3", "opus", "vorbis")),
        "bitrate_kbps": OneOf(values=(12, 16, 24, 32, 48, 64, 96, 128)),
        "quality": Uniform(low=0.0, high=0.6),
    }

    codec: CodecName
    bitrate_kbps: float | None = Field(default=None, ge=6.0, le=320.0)
    """Of MP3 (constant) and Opus, brought into the range that the codec has at the speech's rate."""
    quality: float | None = Field(default=None, ge=0.0, le=1.0)
    """Of Vorbis, which has no bitrate of its own: a tenth of oggenc's quality."""
    generations: int = Field(default=1, ge=1, le=16)
    """How often the speech goes through the codec, one after the other."""

    @model_validator(mode="before")
    @classmethod
    def _forget_what_the_codec_has_not(cls, fields: Any) -> Any:
        kept = {"vorbis": "quality"} | dict.fromkeys(BITRATES, "bitrate_kbps")
        gone = {"quality", "bitrate_kbps"} - {kept.get(fields.get("codec"))}
        return {**fields, **dict.fromkeys(sorted(gone))}

    @model_validator(mode="after")
    def _has_its_setting(self) -> Self:
        if self.codec not in TELEPHONE and self.bitrate_kbps is None and self.quality is None:
            raise ValueError(f"{self.codec} needs {'quality' if self.codec == 'vorbis' else 'bitrate_kbps'}")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Encode and decode; report the rate of the last stream, its bits and the delay that was removed."""
        speech = scene.degraded
        for _ in range(self.generations):
            speech, facts = self._generation(speech)
        return Scene(speech, scene.reference, facts)

    def _generation(self, speech: Waveform) -> tuple[Waveform, Mapping[str, float]]:
        rate = self._rate_for(speech.sample_rate)
        sent = resample(speech, rate)
        if self.codec in TELEPHONE:
            received, num_bytes, delay = *_call(sent.samples, TELEPHONE[self.codec]), 0
        else:
            stream = self._encode(sent)
            (received, delay), num_bytes = self._decode(stream, sent.samples), len(stream)
        back = resample(sent.with_samples(received), speech.sample_rate)
        facts = {
            "codec_sample_rate_hz": float(rate),
            "bitrate_kbps": 8e-3 * num_bytes / sent.duration_s,
            "delay_samples": float(delay),
        }
        return speech.with_samples(fit_length(back.samples, speech.samples.size)), facts

    def _rate_for(self, sample_rate: int) -> int:
        if self.codec in TELEPHONE:
            return TELEPHONE_RATE
        known = OPUS_RATES if self.codec == "opus" else MPEG_RATES
        return next((rate for rate in known if rate >= sample_rate), known[-1])

    def _encode(self, sent: Waveform) -> bytes:
        """Return the stream. ``compression_level`` is libsndfile's scale: 0 for best, 1 for smallest."""
        buffer = io.BytesIO()
        settings: dict[str, Any] = {
            "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT"},
            "opus": {"format": "OGG", "subtype": "OPUS"},
            "vorbis": {"format": "OGG", "subtype": "VORBIS"},
        }[self.codec]
        level = self._compression_level(sent.sample_rate)
        soundfile.write(buffer, sent.samples, sent.sample_rate, compression_level=level, **settings)
        return buffer.getvalue()

    def _compression_level(self, sample_rate: int) -> float:
        if self.quality is not None:
            return 1.0 - self.quality
        low, high = (6.0, 256.0) if self.codec == "opus" else _mp3_range_kbps(sample_rate)
        level = (high - (self.bitrate_kbps or high)) / (high - low)
        return min(max(level, 0.0), 0.999)  # libsndfile refuses an MP3 at exactly 1

    def _decode(self, stream: bytes, sent: Samples) -> tuple[Samples, int]:
        """Return the decoded samples without the delay, and the delay."""
        decoded, sample_rate = soundfile.read(io.BytesIO(stream), dtype="float32")
        delay = 0
        if self.codec == "mp3" and decoded.size > sent.size:
            # Frames under about 40 kbit/s have no room for LAME's header, so the decoder cannot trim.
            delay = MP3_DELAY_SAMPLES
        if self.codec == "opus":
            # The speech mode of low bitrates resamples inside and leaves up to 70 µs.
            delay = _lag(decoded, sent, round(_OPUS_LAG_S * sample_rate))
        moved = decoded[delay:] if delay >= 0 else np.pad(decoded, (-delay, 0))
        return fit_length(moved, sent.size), delay


def _call(sent: Samples, subtype: str) -> tuple[Samples, int]:
    """Return what a telephone makes of ``sent``, and the number of bytes that it took."""
    streams = []
    form: dict[str, Any] = {"format": "RAW", "subtype": subtype}

    def through(samples: Samples) -> Samples:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, TELEPHONE_RATE, **form)
        streams.append(buffer.getvalue())
        buffer.seek(0)
        heard, _ = soundfile.read(buffer, dtype="float32", samplerate=TELEPHONE_RATE, channels=1, **form)
        return fit_length(heard, samples.size)

    return with_headroom(through, sent), len(streams[0])


def _mp3_range_kbps(sample_rate: int) -> tuple[float, float]:
    """Return the lowest and highest bitrate at this rate; libsndfile maps its scale to it linearly."""
    return next(limits for lowest_rate, limits in MP3_LIMITS_KBPS.items() if sample_rate >= lowest_rate)


def _lag(late: Samples, early: Samples, reach: int) -> int:
    """Return by how many samples, at most ``reach``, ``late`` comes after ``early``; 0 if none is better."""
    n = min(late.size, early.size)
    if n <= 2 * reach:
        return 0
    middle = early[reach : n - reach].astype(np.float64)
    likeness = {
        lag: float(np.dot(late[reach + lag : n - reach + lag], middle)) for lag in range(-reach, reach + 1)
    }
    return max(sorted(likeness, key=abs), key=likeness.__getitem__)
