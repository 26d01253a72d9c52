"""The active speech level, against the procedure of ITU-T P.56 as G.191 carries it out, sample by sample."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from stages.audio.audible import remove_infrasound
from stages.audio.loudness import active_level_db
from stages.operators.rng import rng_for
from tests.support.speech_like import speech_like

RATE = 16_000


def by_the_book_db(samples: NDArray[np.float64], rate: int = RATE) -> float:
    """Return the level as G.191's ``speech_voltmeter`` has it: one sample after the other, steps of 6 dB."""
    g, hangover = math.exp(-1.0 / (0.03 * rate)), math.ceil(0.2 * rate)
    thresholds = [2.0 ** -(15 - j) for j in range(15)]
    active, idle = [0] * 15, [hangover] * 15
    p = q = 0.0
    for x in samples.tolist():
        p = g * p + (1.0 - g) * abs(x)
        q = g * q + (1.0 - g) * p
        for j, threshold in enumerate(thresholds):
            if q >= threshold:
                active[j], idle[j] = active[j] + 1, 0
            elif idle[j] < hangover:
                active[j], idle[j] = active[j] + 1, idle[j] + 1
            else:
                break
    energy = float(np.sum(np.square(samples)))
    excess = [
        (10 * math.log10(energy / count), 20 * math.log10(threshold))
        for count, threshold in zip(active, thresholds, strict=True)
        if count
    ]
    crossed = next(j for j, (level, threshold) in enumerate(excess) if level - threshold <= 15.9)
    (level_0, threshold_0), (level_1, threshold_1) = excess[crossed - 1], excess[crossed]
    share = (level_0 - threshold_0 - 15.9) / (level_0 - threshold_0 - level_1 + threshold_1)
    return level_0 + share * (level_1 - level_0)


@pytest.mark.parametrize("gain_db", [0.0, -10.0, -23.7])
@pytest.mark.parametrize("pitch_hz", [100.0, 220.0])
def test_agrees_on_speech(pitch_hz: float, gain_db: float) -> None:
    """Within the half decibel that the recommendation allows; measured, within 0.2."""
    speech = speech_like(4.0, pitch_hz=pitch_hz).samples.astype(np.float64) * 10 ** (gain_db / 20)

    assert active_level_db(speech, RATE) == pytest.approx(
        by_the_book_db(remove_infrasound(speech, RATE)), abs=0.3
    )


@pytest.mark.parametrize("silence_s", [1.0, 4.0])
def test_agrees_on_speech_with_pauses_and_noise(silence_s: float) -> None:
    """Long pauses with noise 40 dB down do not count in either."""
    speech = speech_like(3.0).samples.astype(np.float64)
    paused = np.concatenate([speech, np.zeros(round(silence_s * RATE))])
    noisy = paused + 0.0005 * rng_for(0, "floor").standard_normal(paused.size)

    assert active_level_db(noisy, RATE) == pytest.approx(
        by_the_book_db(remove_infrasound(noisy, RATE)), abs=0.3
    )


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_smoothing_by_ticks_is_smoothing_by_samples(rate: int) -> None:
    """The level is the one of an envelope that two recursions over every sample give."""
    speech = speech_like(2.0, sample_rate=rate).samples[: 2 * rate - 7].astype(np.float64)
    step = rate // 1000
    speech = remove_infrasound(speech, rate)
    envelope, decay = np.abs(speech), math.exp(-1.0 / (0.03 * rate))
    for _ in range(2):
        envelope = lfilter([1.0 - decay], [1.0, -decay], envelope)
    ticks = envelope[(speech.size - 1) % step :: step]

    level_db = active_level_db(speech, rate)

    threshold = 10 ** ((level_db - 15.9) / 20)
    above = np.flatnonzero(ticks >= threshold)
    active = np.unique(np.concatenate([above + after for after in range(201)]))
    share = np.count_nonzero(active < ticks.size) / ticks.size
    expected_db = 10 * math.log10(np.mean(np.square(speech)) / share)
    assert level_db == pytest.approx(expected_db, abs=0.02)
