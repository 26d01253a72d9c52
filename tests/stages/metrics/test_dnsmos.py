"""DNSMOS: which stretches are heard, and what silence is worth."""

import numpy as np
import pytest

from schemas import Outcome
from stages.audio.waveform import Waveform
from stages.dsp.spectra import mel_filters
from stages.metrics.dnsmos import DNSMOS_WINDOW, Dnsmos, windows_of
from stages.networks.dnsmos import SharedNetwork, WholeNetwork, find_speechmos_model
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like


def numbered(seconds: float) -> np.ndarray:
    """Return samples that say where they stand."""
    return np.arange(round(seconds * 16_000), dtype=np.float32)


def stretches(samples: np.ndarray, rule: str) -> np.ndarray:
    """Return the windows that are heard."""
    heard, starts = windows_of(samples, rule)
    return np.stack([heard[start:][:DNSMOS_WINDOW] for start in starts])


@pytest.mark.parametrize(("rule", "count"), [("official", 7), ("all", 21), ("once", 3)])
def test_windows_of_half_a_minute(rule: str, count: int) -> None:
    """The reference code hears 7 of the 21 windows of 30 s; ``all`` hears them all, ``once`` three."""
    windows = stretches(numbered(30.0), rule)

    assert windows.shape == (count, DNSMOS_WINDOW)


def test_once_hears_a_short_clip_in_one_window() -> None:
    """A clip shorter than a window is repeated to exactly one."""
    clip = numbered(4.0)

    (window,) = stretches(clip, "once")

    np.testing.assert_array_equal(window, np.concatenate([clip, clip, clip])[:DNSMOS_WINDOW])


def test_once_hears_the_middle_of_a_clip_that_is_a_little_longer() -> None:
    """One window leaves out as much at the start as at the end."""
    clip = numbered(11.01)

    (window,) = stretches(clip, "once")

    assert window[0] == pytest.approx(clip[-1] - window[-1], abs=1)


def test_once_hears_the_start_and_the_end_of_a_long_clip() -> None:
    """Several windows are spread evenly from the first sample to the last."""
    clip = numbered(25.0)

    windows = stretches(clip, "once")

    starts = windows[:, 0]
    assert windows[0, 0] == clip[0]
    assert windows[-1, -1] == clip[-1]
    assert np.ptp(np.diff(starts)) <= 1


@pytest.mark.parametrize("seconds", [0.1, 3.0, 8.9, 9.01, 60.0])
@pytest.mark.parametrize("rule", ["once", "official", "all"])
def test_every_window_is_whole(seconds: float, rule: str) -> None:
    """Whatever the length, there is at least one window and none is short."""
    windows = stretches(numbered(seconds), rule)

    assert windows.shape[0] >= 1
    assert windows.shape[1] == DNSMOS_WINDOW


@pytest.mark.parametrize("seconds", [3.0, 20.0])
def test_official_is_the_reference_code(seconds: float) -> None:
    """All four scores are those of the function of speechmos, also where that one loses windows."""
    from speechmos import dnsmos  # noqa: PLC0415

    speech = speech_like(seconds)
    metric = Dnsmos(windows="official")
    metric.load("cpu")

    (values,) = metric.score([Comparison(speech, speech)])

    theirs = dnsmos.run(speech.samples.copy(), 16_000)
    assert not isinstance(values, Outcome)
    assert values == pytest.approx({suffix: theirs[f"{suffix}_mos"] for suffix in values}, abs=1e-5)


def test_what_windows_share_is_the_whole_networks() -> None:
    """Runs of overlapping windows, a gap and a window alone: bit for bit what each window gives by itself."""
    path = find_speechmos_model("dnsmos_models/sig_bak_ovr.onnx")
    speech = noisy(speech_like(40.0), 10.0).samples
    starts = [second * 16_000 for second in (*range(12), 30)]

    shared = SharedNetwork.load(path, "cpu").score_raw(speech, starts)

    np.testing.assert_array_equal(shared, WholeNetwork.load(path, "cpu").score_raw(speech, starts))


def test_silence_is_not_worth_1_8() -> None:
    """The network gives digital silence a middling score; here it has none."""
    metric = Dnsmos()
    metric.load("cpu")
    silence = Waveform(np.zeros(16_000, dtype=np.float32), 16_000)

    (result,) = metric.score([Comparison(silence, silence)])

    assert isinstance(result, Outcome)


def test_mel_bands_are_slaneys() -> None:
    """Bands peak where the Auditory Toolbox puts them: every 200/3 Hz up to 1 kHz, then by a factor."""
    filters = mel_filters(16_000, 16_000, 40, (0.0, 8_000.0))  # one bin for each hertz

    peaks_hz = filters.argmax(axis=1)
    ratios = peaks_hz[1:] / peaks_hz[:-1]

    high = peaks_hz[:-1] > 1_000
    assert np.ptp(np.diff(peaks_hz[peaks_hz < 1_000])) <= 1
    assert np.ptp(ratios[high]) < 0.002
