"""Lossy codecs."""

import hashlib

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.codec import Codec
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.support.other_process import printed_by
from tests.support.residual_lag import residual_lag

SOURCES = MemoryAudioSource()
CODECS = ("mp3", "opus", "vorbis", "alaw", "ulaw", "gsm")


def gliding(sample_rate: int, seconds: float = 2.0) -> Waveform:
    """Return gliding voiced sound with some hiss."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(140.0 + 40.0 * np.sin(2 * np.pi * 1.3 * t)) / sample_rate
    voiced = sum(np.sin(k * phase + k * k) / k for k in range(1, 16)) * np.sin(2 * np.pi * 2.1 * t) ** 2
    samples = 0.1 * voiced + 0.003 * rng_for(0, "hiss").standard_normal(t.size)
    return Waveform(samples.astype(np.float32), sample_rate)


def lag_samples(late: Waveform, early: Waveform) -> float:
    """Return by how much ``late`` comes after ``early``, between samples too."""
    size = 1 << (2 * early.samples.size).bit_length()
    spectrum = np.fft.rfft(late.samples, size) * np.conj(np.fft.rfft(early.samples, size))
    likeness = np.roll(np.fft.irfft(spectrum, size), size // 2)
    top = int(np.argmax(likeness))
    before, here, after = likeness[top - 1 : top + 2]
    return float(top - size // 2 + 0.5 * (before - after) / (before - 2 * here + after))


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("kbps", [8, 12, 24, 32, 48, 64, 128])
@pytest.mark.parametrize("codec", ["mp3", "opus"])
def test_delays_nothing_at_any_bitrate(codec: str, kbps: float, sample_rate: int) -> None:
    """Also where MP3 frames are too small for the header by which decoders trim."""
    speech = gliding(sample_rate)

    heard = Codec.model_validate({"codec": codec, "bitrate_kbps": kbps}).apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert lag_samples(heard, speech) == pytest.approx(0.0, abs=0.75)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("quality", [0.0, 0.3, 1.0])
def test_vorbis_delays_nothing_at_any_quality(quality: float, sample_rate: int) -> None:
    """Vorbis has no delay of its own."""
    speech = gliding(sample_rate)

    heard = Codec(codec="vorbis", quality=quality).apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert lag_samples(heard, speech) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize(("codec", "kbps"), [("alaw", 64.0), ("ulaw", 64.0), ("gsm", 13.2)])
def test_telephones_delay_nothing_and_leave_the_telephone_band(
    codec: str, kbps: float, sample_rate: int
) -> None:
    """Whatever the rate of the speech, it goes through 8 kHz and the bits of the standard."""
    speech = gliding(sample_rate)

    scene = Codec.model_validate({"codec": codec}).damage(Scene(speech, speech), SOURCES)

    tolerance = max(0.5, 0.05 * sample_rate / 4_000)
    assert residual_lag(scene.degraded, speech) == (pytest.approx(0.0, abs=tolerance), 1)
    assert scene.facts["codec_sample_rate_hz"] == 8_000
    assert scene.facts["bitrate_kbps"] == pytest.approx(kbps, rel=0.01)
    spectrum = np.abs(np.fft.rfft(scene.degraded.samples)) ** 2
    hertz = np.fft.rfftfreq(speech.samples.size, 1 / sample_rate)
    assert spectrum[hertz > 4_100].sum() < 1e-6 * spectrum.sum()


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_companding_leaves_the_noise_that_the_standard_promises(codec: str) -> None:
    """G.711 keeps some 37 dB over its noise at usual levels, at every one of them."""
    speech = gliding(8_000)

    for gain in (0.5, 1.0, 2.0):
        loud = speech.scale(gain)
        heard = Codec.model_validate({"codec": codec}).apply(loud, SOURCES)
        assert ratio_db(loud.samples, heard.samples - loud.samples) == pytest.approx(37.0, abs=3.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"codec": "mp3", "bitrate_kbps": 24},
        {"codec": "mp3", "bitrate_kbps": 64},
        {"codec": "opus", "bitrate_kbps": 32},
        {"codec": "vorbis", "quality": 0.2},
        {"codec": "gsm"},
    ],
)
def test_many_generations_delay_no_more_than_one(settings: dict[str, object]) -> None:
    """What each generation delays is taken back before the next; what each damages adds up."""
    speech = gliding(16_000)

    once, often = (
        Codec.model_validate({**settings, "generations": n}).apply(speech, SOURCES) for n in (1, 5)
    )

    tolerance = max(0.5, 0.05 * 16_000 / 4_000)
    assert residual_lag(often, speech) == (pytest.approx(0.0, abs=tolerance), 1)
    damage = [ratio_db(speech.samples, each.samples - speech.samples) for each in (once, often)]
    assert damage[1] < damage[0] - 0.5


def test_specs_from_before_generations_mean_what_they_meant() -> None:
    """A recipe that does not say how many generations means one."""
    old = {"codec": "mp3", "bitrate_kbps": 32, "quality": None}

    assert Codec.model_validate(old) == Codec(codec="mp3", bitrate_kbps=32, generations=1)


@pytest.mark.parametrize(("codec", "kbps"), [("mp3", 64), ("mp3", 128), ("opus", 24), ("opus", 96)])
def test_spends_the_bits_that_were_asked_for(codec: str, kbps: float) -> None:
    """The stream has the bitrate that the recipe names, and its container's overhead."""
    speech = gliding(48_000)

    scene = Codec.model_validate({"codec": codec, "bitrate_kbps": kbps}).damage(
        Scene(speech, speech), SOURCES
    )

    assert scene.facts["bitrate_kbps"] == pytest.approx(kbps, rel=0.25)


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        ({"codec": "mp3", "bitrate_kbps": 16}, {"codec": "mp3", "bitrate_kbps": 64}),
        ({"codec": "opus", "bitrate_kbps": 12}, {"codec": "opus", "bitrate_kbps": 64}),
        ({"codec": "vorbis", "quality": 0.0}, {"codec": "vorbis", "quality": 0.8}),
    ],
)
def test_fewer_bits_leave_more_damage(coarse: dict[str, object], fine: dict[str, object]) -> None:
    """What is heard is nearer to the speech when more bits were spent."""
    speech = gliding(16_000)

    worse, better = (
        ratio_db(speech.samples, Codec.model_validate(s).apply(speech, SOURCES).samples - speech.samples)
        for s in (coarse, fine)
    )

    assert better > worse + 3.0


def test_goes_through_a_rate_that_the_codec_knows() -> None:
    """Opus takes 44.1 kHz by way of 48 kHz."""
    speech = gliding(44_100)

    scene = Codec(codec="opus", bitrate_kbps=64).damage(Scene(speech, speech), SOURCES)

    assert scene.facts["codec_sample_rate_hz"] == 48_000
    assert scene.degraded.sample_rate == 44_100


def test_does_not_clip() -> None:
    """Speech above full scale comes back above full scale: levels are decided elsewhere."""
    loud = gliding(16_000).scale(8.0)

    for codec in ("mp3", "opus", "vorbis", "alaw", "ulaw"):
        heard = Codec.model_validate({"codec": codec, "bitrate_kbps": 64, "quality": 0.8}).apply(
            loud, SOURCES
        )
        assert ratio_db(loud.samples, heard.samples - loud.samples) > 12.0, codec


def test_forgets_the_setting_that_its_codec_does_not_have() -> None:
    """Drawn settings are independent, so the recipe keeps the one that counts; a missing one is an error."""
    settings = {"bitrate_kbps": 32, "quality": 0.2}

    assert Codec.model_validate({"codec": "vorbis", **settings}).bitrate_kbps is None
    assert Codec.model_validate({"codec": "mp3", **settings}).quality is None
    with pytest.raises(ValidationError, match="vorbis needs quality"):
        Codec(codec="vorbis", bitrate_kbps=32)
    with pytest.raises(ValidationError, match="opus needs bitrate_kbps"):
        Codec(codec="opus")


def digest_of_all() -> str:
    """Return the digest of a second of speech through every codec."""
    settings = ({"codec": codec, "bitrate_kbps": 24, "quality": 0.2} for codec in CODECS)
    heard = [Codec.model_validate(s).apply(gliding(44_100, 1.0), SOURCES).samples for s in settings]
    return hashlib.sha256(np.concatenate(heard).tobytes()).hexdigest()


def test_gives_the_same_bytes_in_another_process() -> None:
    """Ogg streams carry a random serial number; what is decoded from them does not depend on it."""
    assert printed_by(__file__) == digest_of_all()


if __name__ == "__main__":
    print(digest_of_all())  # noqa: T201 - for the test above
