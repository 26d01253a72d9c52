"""Codecs of telephony and broadcasting."""

import hashlib
from typing import Any

import numpy as np
import pytest

from stages.audio.level import peak, ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.av_codec import AvCodec
from stages.degradations.common import libopus
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.support.other_process import printed_by
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()
RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def voice(sample_rate: int, seconds: float = 2.0) -> Waveform:
    """Return speech over a faint hiss that reaches every frequency."""
    speech = speech_like(seconds, sample_rate=sample_rate)
    hiss = 1e-3 * rng_for(0, "hiss").standard_normal(speech.samples.size)
    return speech.with_samples(speech.samples + hiss)


def damage_db(heard: Waveform, speech: Waveform) -> float:
    """Return how far under the speech the damage is, from 500 to 3500 Hz, where every codec tries hard."""
    hertz = np.fft.rfftfreq(speech.samples.size, 1 / speech.sample_rate)
    telephone = (hertz > 500) & (hertz < 3500)
    there, here = (np.fft.irfft(np.fft.rfft(each.samples) * telephone) for each in (heard, speech))
    return -ratio_db(here, there - here)


def codec(**settings: Any) -> AvCodec:
    """Return the codec with these settings."""
    return AvCodec.model_validate(settings)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize(
    ("name", "kbps"),
    [
        ("aac", 24),
        ("aac", 128),
        ("g722", 48),
        ("g722", 64),
        ("opus_voice", 6),
        ("opus_voice", 10),
        ("opus_voice", 16),
        ("opus_voice", 24),
        ("opus_voice", 64),
        ("opus_voice", 320),
    ],
)
def test_delays_nothing(name: str, kbps: float, sample_rate: int) -> None:
    """Half a sample at most, or 5 % of a period of the highest frequency that survives; polarity is kept."""
    speech = voice(sample_rate)

    scene = codec(codec=name, bitrate_kbps=kbps).damage(Scene(speech, speech), SOURCES)

    assert scene.degraded.samples.shape == speech.samples.shape
    lag, polarity = residual_lag(scene.degraded, speech)
    highest_hz = min(scene.facts["codec_sample_rate_hz"], sample_rate) / 2
    assert lag == pytest.approx(0.0, abs=max(0.5, 0.05 * sample_rate / highest_hz))
    assert polarity == 1


@pytest.mark.parametrize("packet_ms", [2.5, 5.0, 10.0, 20.0, 40.0, 60.0])
def test_delays_nothing_in_packets_of_any_length(packet_ms: float) -> None:
    """Packets shorter than 10 ms have another look-ahead."""
    speech = voice(16_000)

    heard = codec(codec="opus_voice", bitrate_kbps=32, packet_ms=packet_ms).apply(speech, SOURCES)

    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.5), 1)


@pytest.mark.parametrize(("name", "kbps"), [("aac", 48), ("g722", 64), ("opus_voice", 24)])
def test_many_generations_delay_no_more_than_one(name: str, kbps: float) -> None:
    """What each generation delays is taken back before the next; what each damages adds up."""
    speech = voice(16_000)

    once, often = (codec(codec=name, bitrate_kbps=kbps, generations=n).apply(speech, SOURCES) for n in (1, 5))

    assert residual_lag(often, speech) == (pytest.approx(0.0, abs=0.5), 1)
    assert damage_db(often, speech) > damage_db(once, speech) + 1.0


@pytest.mark.parametrize(("name", "few", "many"), [("aac", 16, 96), ("g722", 48, 64), ("opus_voice", 8, 48)])
def test_fewer_bits_leave_more_damage(name: str, few: float, many: float) -> None:
    """What is heard is nearer to the speech when more bits were spent, and the facts say how many."""
    speech = voice(16_000)

    worse, better = (
        codec(codec=name, bitrate_kbps=kbps).damage(Scene(speech, speech), SOURCES) for kbps in (few, many)
    )

    assert damage_db(worse.degraded, speech) > damage_db(better.degraded, speech) + 3.0
    assert worse.facts["bitrate_kbps"] == pytest.approx(few, rel=0.35)
    assert better.facts["bitrate_kbps"] == pytest.approx(many, rel=0.35)


def test_voice_mode_carries_as_much_bandwidth_as_its_bitrate_allows() -> None:
    """Narrow band at 6 kbit/s, wide band at 10, full band at 32: libopus' own choice."""
    speech = voice(48_000)

    rates = [
        codec(codec="opus_voice", bitrate_kbps=kbps)
        .damage(Scene(speech, speech), SOURCES)
        .facts["codec_sample_rate_hz"]
        for kbps in (6, 10, 32)
    ]

    assert rates == [8_000, 16_000, 48_000]


@pytest.mark.parametrize("name", ["aac", "g722", "opus_voice"])
def test_does_not_clip(name: str) -> None:
    """Speech above full scale comes back above full scale, though the codecs have a ceiling."""
    loud = voice(16_000).scale(20.0)

    heard = codec(codec=name, bitrate_kbps=64).apply(loud, SOURCES)

    assert peak(loud.samples) > 3.0
    assert peak(heard.samples) == pytest.approx(peak(loud.samples), rel=0.35)
    assert ratio_db(loud.samples, heard.samples - loud.samples) > 6.0


def test_a_lost_packet_is_concealed_and_not_left_out() -> None:
    """The decoder goes on with what it heard: neither silence nor the packet itself."""
    speech = voice(16_000)
    stream = libopus.encode_opus(speech, 24.0, 20.0)
    loudest = int(np.argmax([np.sum(speech.samples[k * 320 : k * 320 + 320] ** 2) for k in range(90)]))
    lost = [place == loudest for place in range(len(stream.packets))]

    whole, concealed = libopus.decode_opus(stream), libopus.decode_opus(stream, lost)

    gap = slice(loudest * 320 - 104, loudest * 320 + 216)
    assert whole.size == concealed.size
    assert np.sum(concealed[gap] ** 2) > 0.1 * np.sum(whole[gap] ** 2)
    assert not np.allclose(concealed[gap], whole[gap], atol=1e-3)
    np.testing.assert_array_equal(concealed[: gap.start], whole[: gap.start])


def digest_of_all() -> str:
    """Return the digest of a second of speech through every codec."""
    heard = [
        codec(codec=name, bitrate_kbps=24).apply(voice(44_100, 1.0), SOURCES).samples
        for name in ("aac", "g722", "opus_voice")
    ]
    return hashlib.sha256(np.concatenate(heard).tobytes()).hexdigest()


def test_gives_the_same_bytes_in_another_process() -> None:
    """Encoders keep nothing from one call to the next, and draw nothing."""
    assert printed_by(__file__) == digest_of_all()


if __name__ == "__main__":
    print(digest_of_all())  # noqa: T201 - for the test above
