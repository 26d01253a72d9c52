"""Metrics that hear the full band work through a long recording piece by piece."""

import tracemalloc

import numpy as np
import pytest

from schemas import Outcome
from stages.audio.waveform import Waveform
from stages.dsp.spectra import periodic_hann
from stages.metrics import METRICS
from stages.metrics.log_spectral_distance import LSD_FLOOR_DB, LSD_FRAME_S
from stages.metrics.multi_resolution_stft import FRAMES_S
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for

SAMPLE_RATE = 48_000


@pytest.fixture(scope="module")
def minute() -> Comparison:
    """Return a minute of noise, and the same with other noise 20 dB under it, after a second of silence."""
    rng = rng_for(0, "minute")
    sides = rng.standard_normal((2, 60 * SAMPLE_RATE), dtype=np.float32) * np.float32([[0.1], [0.01]])
    sides[:, :SAMPLE_RATE] = 0.0
    return Comparison(Waveform(sides[0] + sides[1], SAMPLE_RATE), Waveform(sides[0], SAMPLE_RATE))


@pytest.mark.parametrize("kind", [kind for kind in METRICS if METRICS[kind]().sample_rate is None])
def test_takes_less_memory_than_the_recording_itself(kind: str, minute: Comparison) -> None:
    """Whatever a metric at the recording's own rate makes of both sides is less than one of them."""
    metric = METRICS[kind]()
    metric.load("cpu")

    tracemalloc.start()
    (result,) = metric.score([minute])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert not isinstance(result, Outcome)
    assert most < minute.clean.samples.nbytes


def test_pieces_change_no_log_spectral_distance(minute: Comparison) -> None:
    """It is that of whole spectrograms."""
    (result,) = METRICS["log_spectral_distance"]().score([minute])

    apart = whole_levels_apart_db(minute, round(LSD_FRAME_S * SAMPLE_RATE))
    assert not isinstance(result, Outcome)
    assert result[""] == pytest.approx(np.mean(np.sqrt(np.mean(np.square(apart), axis=1))), abs=1e-6)


def test_pieces_change_no_stft_distance(minute: Comparison) -> None:
    """So it is at every resolution."""
    (result,) = METRICS["multi_resolution_stft"]().score([minute])

    means = [np.mean(np.abs(whole_levels_apart_db(minute, round(s * SAMPLE_RATE)))) for s in FRAMES_S]
    assert not isinstance(result, Outcome)
    assert result[""] == pytest.approx(np.mean(means), abs=1e-6)


def whole_levels_apart_db(comparison: Comparison, frame: int) -> np.ndarray:
    """Return the difference of both spectrograms in dB, made at once."""
    window = periodic_hann(frame)
    levels = []
    for side in (comparison.candidate, comparison.clean):
        frames = np.lib.stride_tricks.sliding_window_view(side.samples, frame)[:: frame // 2] * window
        magnitudes = np.abs(np.fft.rfft(frames, axis=1)) * 2.0 / window.sum()
        levels.append(20.0 * np.log10(np.maximum(magnitudes, 10.0 ** (LSD_FLOOR_DB / 20.0))))
    return levels[0] - levels[1]
