"""What the restorers without a model do to sound: less noise, less reverberation."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from schemas import Reason, UnfitError
from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.dsp.spectra import levels_apart_db
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS, Restorer
from tests.support.speech_like import hiss

Samples = NDArray[np.float64]


def _speech(seconds: float, sample_rate: int) -> Samples:
    """Return words of 0.3 s with pauses of 0.2 s, on a gliding pitch."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(4 * t)) / sample_rate
    voiced = sum(np.sin(k * pitch) / k for k in range(1, 15))
    return 0.1 * voiced * (t % 0.5 < 0.3)


def _restored(restorer: Restorer, samples: Samples, sample_rate: int) -> Samples:
    given = Waveform(samples.astype(np.float32), sample_rate)
    return restorer.restore([given], [rng_for(0, "unused")])[0].samples.astype(np.float64)


def _snr_db(clean: Samples, other: Samples) -> float:
    """Return how far ``clean`` stands out of what else is in ``other``, at whatever gain."""
    target = clean * (np.dot(clean, other) / np.dot(clean, clean))
    return ratio_db(target, other - target)


@pytest.mark.parametrize("snr_db", [0.0, 5.0])
@pytest.mark.parametrize(
    ("kind", "settings", "sample_rate"),
    [
        ("spectral_gate", {"stationary": False}, 8_000),
        ("spectral_gate", {"stationary": False}, 16_000),
        ("spectral_gate", {"stationary": True}, 16_000),
        ("spectral_gate", {"stationary": False}, 48_000),
        ("wiener", {}, 16_000),
        ("wiener", {"iterations": 3, "overestimate": 1.0}, 16_000),
    ],
)
def test_noise_goes_down_more_than_speech(
    kind: str, settings: dict[str, bool | float], sample_rate: int, snr_db: float
) -> None:
    """Speech-like sound in white noise comes out with a better SNR than it had."""
    clean = _speech(4.0, sample_rate)
    noise = hiss(clean.size)
    noisy = clean + noise * np.linalg.norm(clean) / np.linalg.norm(noise) * 10 ** (-snr_db / 20)

    restored = _restored(RESTORERS[kind].model_validate(settings), noisy, sample_rate)

    assert _snr_db(clean, restored) > _snr_db(clean, noisy) + 0.5


@pytest.mark.parametrize(("kind", "field", "weak", "strong"), [
    ("spectral_gate", "strength", 0.4, 1.0),
    ("wiener", "overestimate", 1.0, 4.0),
])  # fmt: skip
def test_stronger_settings_take_more_noise(kind: str, field: str, weak: float, strong: float) -> None:
    """What is left in the pauses falls as the setting rises."""
    clean = _speech(4.0, 16_000)
    pauses = np.arange(clean.size) % 8_000 > 6_400
    noisy = clean + 0.01 * hiss(clean.size)

    left = [
        np.std(_restored(RESTORERS[kind].model_validate({field: value}), noisy, 16_000)[pauses])
        for value in (weak, strong)
    ]

    assert left[1] < left[0] < np.std(noisy[pauses])


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100])
def test_wpe_takes_late_reverberation(sample_rate: int) -> None:
    """In a room of 0.8 s, what rings on after the words falls by more than 2 dB; the words stay."""
    _, reverberant = _in_a_room(sample_rate)

    restored = _restored(RESTORERS["wpe"](), reverberant, sample_rate)

    _check_ringing(reverberant, restored, sample_rate, (0.4, 0.5))


@pytest.mark.parametrize(("model", "sample_rate"), [
    ("spectrogram", 8_000), ("spectrogram", 16_000), ("spectrogram", 44_100),
    ("low_rank", 16_000), ("activations", 16_000),
])  # fmt: skip
def test_nmfd_takes_late_reverberation(model: str, sample_rate: int) -> None:
    """Whatever it deconvolves, the ringing falls as far, and the levels of the dry speech come nearer.

    Up to the frame in which the next word begins: what is before the word in it is heard with the word.
    """
    dry, reverberant = _in_a_room(sample_rate)

    restored = _restored(RESTORERS["nmfd"].model_validate({"model": model}), reverberant, sample_rate)

    _check_ringing(reverberant, restored, sample_rate, (0.34, 0.43))
    before, after = (
        np.mean([np.sqrt(np.mean(part**2)) for part in levels_apart_db(dry, other, 512, -80.0)])
        for other in (reverberant, restored)
    )
    assert after < before - 1.0


def test_nmfd_draws_its_factors_from_its_stream() -> None:
    """Another stream gives another take where there are factors, and the same one where there are none."""
    given = Waveform(_in_a_room(16_000)[1][:16_000].astype(np.float32), 16_000)

    for model, draws in [("spectrogram", False), ("low_rank", True), ("activations", True)]:
        restorer = RESTORERS["nmfd"].model_validate({"model": model})
        first, again, other = (
            restorer.restore([given], [rng_for(0, name)])[0].samples for name in ("a", "a", "b")
        )
        assert np.array_equal(first, again)
        assert restorer.sampling == draws == (not np.array_equal(first, other))


def _in_a_room(sample_rate: int) -> tuple[Samples, Samples]:
    """Return six seconds of words, and how they sound in a room of 0.8 s."""
    dry = _speech(6.0, sample_rate) + 0.001 * hiss(6 * sample_rate, "breath")
    t = np.arange(int(0.8 * sample_rate)) / sample_rate
    response = 0.4 * hiss(t.size, "room") * 10 ** (-3 * t / 0.8) / np.sqrt(0.05 * sample_rate)
    response[0] = 1.0
    return dry, fftconvolve(dry, response)[: dry.size]


def _check_ringing(
    reverberant: Samples, restored: Samples, sample_rate: int, ringing_s: tuple[float, float]
) -> None:
    """Hold what rings within ``ringing_s`` of each half second to a fall of 2 dB, words to their level."""
    since_word = (np.arange(reverberant.size) / sample_rate) % 0.5
    ringing = (since_word > ringing_s[0]) & (since_word < ringing_s[1])
    words = since_word < 0.4
    assert ratio_db(reverberant[ringing], restored[ringing]) > 2.0
    assert abs(ratio_db(reverberant[words], restored[words])) < 3.0


def test_wpe_leaves_what_it_is_not_asked_for() -> None:
    """At a tenth of its strength, nine tenths of the input are in the output."""
    speech = _speech(3.0, 16_000) + 0.01 * hiss(48_000)
    full, tenth = (_restored(RESTORERS["wpe"](strength=s), speech, 16_000) for s in (1.0, 0.1))

    assert tenth == pytest.approx(0.9 * speech + 0.1 * full, abs=1e-6)


@pytest.mark.parametrize("kind", ["nmfd", "spectral_gate", "wpe"])
def test_too_short_is_a_reason(kind: str) -> None:
    """Less sound than one frame of the method cannot be restored by it."""
    with pytest.raises(UnfitError) as caught:
        _restored(RESTORERS[kind](), hiss(400), 16_000)

    assert caught.value.reason is Reason.TOO_SHORT


def test_a_long_recording_is_gated_in_one_piece() -> None:
    """Past noisereduce's own chunk of 600,000 samples there is no seam."""
    noisy = _speech(40.0, 16_000) + 0.01 * hiss(640_000)

    restored = _restored(RESTORERS["spectral_gate"](), noisy, 16_000)

    assert restored.size == noisy.size
    assert np.abs(np.diff(restored[599_000:601_000])).max() < 2 * np.abs(np.diff(noisy)).max()


@pytest.mark.parametrize("kind", ["nmfd", "wiener"])
def test_nothing_to_filter_stays_nothing(kind: str) -> None:
    """Digital silence is silence after NMFD and the Wiener filter, without a warning."""
    assert not _restored(RESTORERS[kind](), np.zeros(16_000), 16_000).any()
