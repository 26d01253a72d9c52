"""Metrics made of arithmetic alone: what they measure, in physical units."""

import numpy as np
import pytest

from schemas import Outcome
from stages import torchaudio_guard
from stages.audio.pauses import split_at_pauses
from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats
from stages.metrics.common.time_warping import warped_distance
from stages.metrics.log_spectral_distance import LogSpectralDistance
from stages.metrics.mel_cepstral_distance import MelCepstralDistance
from stages.metrics.multi_resolution_stft import MultiResolutionStft
from stages.metrics.phone_error import PhoneError
from stages.metrics.sdr import Sdr
from stages.metrics.si_sdr import SiSdr
from stages.metrics.spectral_envelope import SpectralEnvelope
from stages.operators.metric import Comparison, Metric
from stages.operators.rng import rng_for
from stages.score.inputs import without_dc
from tests.support.speech_like import noisy, speech_like


def scored(metric: Metric, candidate: Waveform, clean: Waveform) -> float:
    """Return the one value of a metric that has one."""
    metric.load("cpu")
    (result,) = metric.score([Comparison(candidate, clean)])
    assert not isinstance(result, Outcome)
    return result[""]


@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 40.0])
def test_si_sdr_is_the_snr_of_what_was_added(snr_db: float) -> None:
    """For noise unrelated to the speech, SI-SDR is the SNR, whatever the gain."""
    clean = without_dc(speech_like())
    candidate = without_dc(noisy(clean, snr_db))

    value = scored(SiSdr(), candidate.scale(0.5), clean)

    assert value == pytest.approx(snr_db, abs=0.2)


def test_si_sdr_of_a_perfect_copy_is_bounded() -> None:
    """It saturates at 100 dB instead of going to infinity."""
    clean = speech_like(1.0)

    assert scored(SiSdr(), clean.scale(0.5), clean) == 100.0


def test_si_sdr_of_nothing_in_common_is_bounded() -> None:
    """A candidate without a trace of the clean signal gets −100 dB."""
    t = np.arange(16_000) / 16_000
    sine, cosine = (Waveform(f(2 * np.pi * 440 * t).astype(np.float32), 16_000) for f in (np.sin, np.cos))

    assert scored(SiSdr(), cosine, sine) == -100.0


@pytest.mark.parametrize("snr_db", [-10.0, 5.0, 30.0])
@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_sdr_is_that_of_bss_eval(snr_db: float, sample_rate: int) -> None:
    """As torchmetrics computes it, to a thousandth of a decibel."""
    torchaudio_guard.install_guard()
    import torch  # noqa: PLC0415
    from torchmetrics.functional.audio import signal_distortion_ratio  # noqa: PLC0415

    clean = without_dc(speech_like(2.0, sample_rate=sample_rate))
    candidate = without_dc(noisy(clean, snr_db))

    expected = signal_distortion_ratio(
        *(torch.from_numpy(side.samples.copy()) for side in (candidate, clean))
    )

    assert scored(Sdr(), candidate, clean) == pytest.approx(float(expected), abs=0.001)


def test_sdr_forgives_what_a_short_filter_does() -> None:
    """A delay, a gain and an echo within 512 samples cost nothing; beyond that they do."""
    clean = speech_like()

    def late(delay: int) -> Waveform:
        return clean.with_samples(0.3 * np.concatenate([np.zeros(delay), clean.samples[:-delay]]))

    assert scored(Sdr(), late(200), clean) > 40.0
    assert scored(Sdr(), late(2_000), clean) < 10.0


def test_log_spectral_distance_of_a_gain_is_the_gain() -> None:
    """Six decibels more in every bin are a distance of six decibels."""
    hiss = Waveform(rng_for(0, "hiss").standard_normal(16_000).astype(np.float32) * 0.1, 16_000)

    assert scored(LogSpectralDistance(), hiss.scale(10 ** (6 / 20)), hiss) == pytest.approx(6.0, abs=0.01)


def test_log_spectral_distance_counts_the_worst_bands_most() -> None:
    """A sixth of the band that is 30 dB off is a distance of 30 dB over the root of six, not over six."""
    samples = rng_for(0, "hiss").standard_normal(48_000) * 0.05
    spectrum = np.fft.rfft(samples)
    spectrum[20_000:] *= 10 ** (-30 / 20)
    full = Waveform(samples.astype(np.float32), 48_000)

    value = scored(LogSpectralDistance(), full.with_samples(np.fft.irfft(spectrum)), full)

    assert value == pytest.approx(30.0 / np.sqrt(6.0), rel=0.05)


def test_mel_cepstral_distance_is_of_envelopes() -> None:
    """A gain costs nothing; a moved formant costs more the further it moved."""
    clean = speech_like()
    hiss = Waveform(rng_for(0, "hiss").standard_normal(16_000).astype(np.float32) * 0.1, 16_000)

    louder = scored(MelCepstralDistance(), hiss.scale(1.5), hiss)
    moved = [scored(MelCepstralDistance(), speech_like(tract=tract), clean) for tract in (1.05, 1.1, 1.2)]

    assert louder == pytest.approx(0.0, abs=1e-4)
    assert louder < moved[0] < moved[1] < moved[2]


def test_mel_cepstral_distance_forgives_drift() -> None:
    """Speech that comes 60 ms later is nearer to itself by warping than frame by frame."""
    clean = speech_like()
    late = clean.with_samples(np.concatenate([clean.samples[-960:], clean.samples[:-960]]))

    assert scored(MelCepstralDistance(), late, clean) < 0.5 * scored(
        MelCepstralDistance(), noisy(clean, 5.0), clean
    )


@pytest.mark.parametrize(
    ("left", "right", "band"), [(1, 1, 3), (1, 5, 0), (20, 20, 3), (30, 24, 2), (9, 9, 0)]
)
def test_warping_finds_the_path_of_least_distance(left: int, right: int, band: int) -> None:
    """As the textbook's recursion finds it, cell by cell."""
    rng = rng_for(0, "warping")
    ours, theirs = rng.standard_normal((left, 3)), rng.standard_normal((right, 3))

    assert warped_distance(ours, theirs, band) == pytest.approx(by_cells(ours, theirs, band), abs=1e-12)


def by_cells(left: Floats, right: Floats, band: int) -> float:
    """Return the mean distance along the best path by the recursion itself."""
    band = max(band, abs(len(left) - len(right)))
    reached: dict[tuple[int, int], tuple[float, int]] = {}
    for i, j in ((i, j) for i in range(len(left)) for j in range(len(right)) if abs(i - j) <= band):
        ways = [reached[cell] for cell in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if cell in reached]
        total, steps = min(ways, default=(0.0, 0))
        reached[i, j] = total + float(np.linalg.norm(left[i] - right[j])), steps + 1
    total, steps = reached[len(left) - 1, len(right) - 1]
    return total / steps


def test_stft_distance_of_a_gain_is_the_gain() -> None:
    """Six decibels more in every bin are a distance of six decibels."""
    hiss = Waveform(rng_for(0, "hiss").standard_normal(16_000).astype(np.float32) * 0.1, 16_000)

    assert scored(MultiResolutionStft(), hiss.scale(10 ** (6 / 20)), hiss) == pytest.approx(6.0, abs=0.01)


def test_stft_distance_hears_the_full_band() -> None:
    """Losing what lies above 8 kHz of a 48 kHz recording is heard."""
    samples = rng_for(0, "hiss").standard_normal(48_000) * 0.05
    spectrum = np.fft.rfft(samples)
    spectrum[8_000:] = 0.0
    full = Waveform(samples.astype(np.float32), 48_000)
    narrow = full.with_samples(np.fft.irfft(spectrum))

    assert scored(MultiResolutionStft(), narrow, full) > 10.0


def test_another_voice_is_worse_than_the_same_voice_in_noise() -> None:
    """Same words: another speaker < the same speaker, degraded < the same speaker."""
    clean = speech_like()

    others = [
        scored(SpectralEnvelope(), speech_like(pitch_hz=hertz, tract=tract), clean)
        for hertz, tract in ((105.0, 0.88), (150.0, 1.12), (200.0, 1.18))
    ]
    degraded = scored(SpectralEnvelope(), noisy(clean, 12.0), clean)
    same = scored(SpectralEnvelope(), clean, clean)

    assert max(others) + 0.001 < degraded < same - 0.001


def test_envelope_distance_grows_with_the_vocal_tracts() -> None:
    """The further formants move, the lower the score."""
    clean = speech_like()

    scores = [scored(SpectralEnvelope(), speech_like(tract=tract), clean) for tract in (1.0, 1.05, 1.1, 1.2)]

    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("heard", "rate"), [("a b c", 0.0), ("a x c d", 2 / 3), ("", 1.0), ("b", 2 / 3), ("x y z u v", 5 / 3)]
)
def test_phones_are_counted_as_by_hand(heard: str, rate: float) -> None:
    """Phones changed, dropped and made up, per phone that was said."""
    rates = PhoneError().compare(tuple(heard.split()), ("a", "b", "c"))

    assert rates == pytest.approx({"": rate})


def test_no_phone_is_looked_for_in_a_long_pause() -> None:
    """Speech, forty seconds of a quiet room and speech again: the phones of both, and of nothing between."""
    metric = PhoneError()
    metric.load("cpu")
    speech = speech_like(1.5).samples
    room = (1e-4 * rng_for(0, "room").standard_normal(40 * 16_000)).astype(np.float32)
    pieces = split_at_pauses(np.concatenate([speech, room, speech]), 16_000, 30.0)

    phones = metric.hear(np.concatenate([speech, room, speech]))

    assert sum(end - start for start, end in pieces) < 5 * 16_000
    assert len(phones) >= 2
    assert len(phones) <= 3 * len(metric.hear(speech))


def test_phones_do_not_depend_on_what_was_heard_before() -> None:
    """The same recording has the same phones first, second and after others."""
    metric = PhoneError()
    metric.load("cpu")
    voices = [speech_like(1.5, pitch_hz=hertz) for hertz in (95.0, 140.0, 220.0)]
    pairs = [Comparison(noisy(a, 5.0), b) for a in voices for b in voices]

    forwards = list(metric.score(pairs))
    backwards = list(metric.score(pairs[::-1]))[::-1]

    assert forwards == backwards
