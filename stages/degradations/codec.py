"""Lossy codecs: speech that has been an MP3, Opus or Vorbis stream."""

import io
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import soundfile
from pydantic import Field, model_validator

from stages.degradations.base import DEGRADATIONS, Degradation, Scene
from stages.distributions import Distribution, OneOf, Uniform
from stages.resampling import fit_length, resample
from stages.waveform import AudioSource, Samples, Waveform

MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
MP3_LIMITS_KBPS = {32_000: (32.0, 320.0), 16_000: (8.0, 160.0), 0: (8.0, 64.0)}
"""Of MPEG-1, MPEG-2 and MPEG-2.5, by the lowest sampling rate of each."""
MP3_DELAY_SAMPLES = 1105
"""576 of LAME's encoder and 529 of any decoder."""
_OPUS_LAG_S = 0.0001


@DEGRADATIONS.register
class Codec(Degradation):
    """Encoding and decoding in memory by libsndfile, without delay.

    Speech at a rate that the codec does not know goes through the next higher one that it does.
    """

    kind: ClassVar[str] = "codec"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "codec": OneOf(values=("mp3", "opus", "vorbis")),
        "bitrate_kbps": OneOf(values=(12, 16, 24, 32, 48, 64, 96, 128)),
        "quality": Uniform(low=0.0, high=0.6),
    }

    codec: Literal["mp3", "opus", "vorbis"]
    bitrate_kbps: float | None = Field(default=None, ge=6.0, le=320.0)
    """Of MP3 (constant) and Opus, brought into the range that the codec has at the speech's rate."""
    quality: float | None = Field(default=None, ge=0.0, le=1.0)
    """Of Vorbis, which has no bitrate of its own: a tenth of oggenc's quality."""

    @model_validator(mode="before")
    @classmethod
    def _forget_what_the_codec_has_not(cls, fields: Any) -> Any:
        other = "bitrate_kbps" if fields.get("codec") == "vorbis" else "quality"
        return {**fields, other: None}

    @model_validator(mode="after")
    def _has_its_setting(self) -> Self:
        if self.bitrate_kbps is None and self.quality is None:
            raise ValueError(f"{self.codec} needs {'quality' if self.codec == 'vorbis' else 'bitrate_kbps'}")
        return self

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        """Return ``speech`` as the codec gives it back."""
        return self.damage(Scene(speech, speech), sources).degraded

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Encode and decode; report the rate of the stream, its bits and the delay that was removed."""
        speech = scene.degraded
        rate = _rate_for(speech.sample_rate, OPUS_RATES if self.codec == "opus" else MPEG_RATES)
        sent = resample(speech, rate)
        stream = self._encoded(sent)
        received, delay = self._received(stream, sent.samples)
        back = resample(sent.with_samples(received), speech.sample_rate)
        facts = {
            "codec_sample_rate_hz": float(rate),
            "bitrate_kbps": 8e-3 * len(stream) / sent.duration_s,
            "delay_samples": float(delay),
        }
        degraded = speech.with_samples(fit_length(back.samples, speech.samples.size))
        return Scene(degraded, scene.reference, facts)

    def _encoded(self, sent: Waveform) -> bytes:
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

    def _received(self, stream: bytes, sent: Samples) -> tuple[Samples, int]:
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


def _rate_for(sample_rate: int, known: tuple[int, ...]) -> int:
    return next((rate for rate in known if rate >= sample_rate), known[-1])


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
