"""Spectral band replication: above the cutoff there is speech-like sound, below it what was there."""

import numpy as np
import pytest

from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.band_replication import BandReplication
from tests.support.bundled_speech import bundled
from tests.support.speech_like import white_noise

FRAME = 2_048


def _narrow(clean: Waveform, sample_rate: int) -> Waveform:
    """Return what is left of speech that went through a lower rate."""
    back = resample(resample(clean, sample_rate), clean.sample_rate)
    return clean.with_samples(fit_length(back.samples, clean.samples.size))


def _widened(given: Waveform, model: BandReplication | None = None) -> Waveform:
    return (model or BandReplication()).restore([given], [rng_for(0, "unused")])[0]


def _levels_db(waveform: Waveform) -> np.ndarray:
    """Return (frames, bins) over −70 dB full scale."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform.samples, FRAME)[:: FRAME // 4]
    return 10 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(FRAME))) ** 2 + 1e-7)


def _distance_db(clean: Waveform, other: Waveform, from_hz: float) -> float:
    """Return the log-spectral distance above ``from_hz``, over the frames that have speech."""
    reference, levels = _levels_db(clean), _levels_db(other)
    first = int(from_hz * FRAME / clean.sample_rate)
    speaking = reference.max(axis=1) > reference.max() - 40.0
    difference = (reference - levels)[speaking, first:]
    return float(np.sqrt(np.square(difference).mean(axis=1)).mean())


@pytest.mark.parametrize(("sample_rate", "narrow_rate"), [(16_000, 8_000), (11_025, 8_000), (16_000, 11_025)])
def test_the_missing_band_comes_nearer(sample_rate: int, narrow_rate: int) -> None:
    """The log-spectral distance above the cutoff falls by a third at least."""
    for number in (1, 11, 21):
        clean = bundled(number, sample_rate)
        given = _narrow(clean, narrow_rate)

        before, after = (
            _distance_db(clean, other, 1.05 * narrow_rate / 2) for other in (given, _widened(given))
        )

        assert after < 0.67 * before


def test_the_band_that_is_there_stays() -> None:
    """Well below the cutoff nothing is heard of the new band: −60 dB."""
    given = _narrow(bundled(2), 8_000)

    added = _widened(given).samples - given.samples

    spectrum, new = (np.abs(np.fft.rfft(each)) ** 2 for each in (given.samples, added))
    below = np.fft.rfftfreq(added.size, 1 / 16_000) < 3_500
    assert new[below].sum() < 1e-6 * spectrum[below].sum()
    assert new[~below].sum() > 0.0


def test_a_full_band_is_returned() -> None:
    """Noise up to half its rate misses nothing."""
    noise = Waveform(white_noise(32_000), 16_000)

    assert np.array_equal(_widened(noise).samples, noise.samples)


@pytest.mark.parametrize("samples", [np.zeros(8_000), np.ones(1), np.sin(np.arange(8_000) / 20)])
def test_nothing_to_replicate_is_returned(samples: np.ndarray) -> None:
    """Silence, one sample and a low tone come back as they are."""
    given = Waveform(samples.astype(np.float32), 16_000)

    assert np.array_equal(_widened(given).samples, given.samples)


def test_a_tone_is_moved_as_a_tone() -> None:
    """The carrier keeps its phase from frame to frame: one line becomes one in each octave, not noise."""
    t = np.arange(32_000) / 16_000
    noise = resample(
        Waveform((1e-3 * rng_for(0, "n").standard_normal(16_000)).astype(np.float32), 8_000), 16_000
    )
    given = noise.with_samples(noise.samples + 0.3 * np.sin(2 * np.pi * 3_000 * t))

    added = _widened(given).samples - given.samples

    spectrum = np.abs(np.fft.rfft(added[8_000:24_000] * np.hanning(16_000))) ** 2
    assert np.sort(spectrum)[-16:].sum() > 0.99 * spectrum.sum()


def test_settings_make_other_takes() -> None:
    """More gain is more sound above the cutoff, by as much."""
    given = _narrow(bundled(3), 8_000)

    loud, soft = (_widened(given, BandReplication(gain_db=g)).samples - given.samples for g in (0.0, -6.0))

    assert loud == pytest.approx(soft * 10 ** (6 / 20), abs=1e-4)
