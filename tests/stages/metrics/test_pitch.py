"""Pitch: F0 against pYIN on the bundled speech, and what moves the score."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import Outcome, Reason
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats
from stages.metrics.common.fundamental_frequency import fundamental_hz
from stages.metrics.pitch import Pitch
from stages.operators.metric import Comparison, Measured
from tests.support.speech_like import noisy, speech_like

SPEECH = Path(__file__).parents[3] / "configs" / "speech"


def bundled_voices() -> list[Waveform]:
    """Return the first sentence of each speaker that ships, at 16 kHz."""
    with (SPEECH / "manifest.csv").open(encoding="utf-8", newline="") as file:
        firsts = {row["speaker"]: row["path"] for row in reversed(list(csv.DictReader(file)))}
    recordings = [soundfile.read(SPEECH / path, dtype="float32") for path in sorted(firsts.values())]
    return [resample(Waveform(samples, rate), 16_000) for samples, rate in recordings]


def by_pyin(speech: Waveform) -> Floats:
    """Return F0 of every 10 ms by librosa's pYIN, 0 where it hears no voice."""
    import librosa  # noqa: PLC0415

    settings = {"fmin": 60.0, "fmax": 500.0, "frame_length": 1024, "hop_length": 160, "center": False}
    hertz, voiced, _ = librosa.pyin(speech.samples, sr=speech.sample_rate, **settings)
    return np.where(voiced, hertz, 0.0)


def compared(candidate: Waveform, clean: Waveform) -> Measured | Outcome:
    """Return what the metric says of recordings at any rate."""
    rate = Pitch().sample_rate
    (result,) = Pitch().score([Comparison(resample(candidate, rate), resample(clean, rate))])
    return result


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_hears_the_pitch_that_pyin_hears() -> None:
    """A sentence of each bundled voice: a semitone in 14 of 15 frames, 50 cents in 6 of 7; voicing agrees."""
    cents, agreements = [], []
    for speech in bundled_voices():
        theirs = by_pyin(speech)
        ours = fundamental_hz(resample(speech, Pitch().sample_rate))[1:]  # our windows are a hop shorter
        size = min(ours.size, theirs.size)
        ours, theirs = ours[:size], theirs[:size]
        both = (ours > 0.0) & (theirs > 0.0)
        cents.append(np.abs(1_200.0 * np.log2(ours[both] / theirs[both])))
        agreements.append(2 * both.sum() / (np.count_nonzero(ours) + np.count_nonzero(theirs)))

    assert (np.concatenate(cents) < 100.0).mean() > 14 / 15
    assert (np.concatenate(cents) < 50.0).mean() > 6 / 7
    assert min(agreements) > 0.8


@pytest.mark.parametrize("hertz", [75.0, 130.0, 240.0, 420.0])
def test_finds_the_pitch_of_a_steady_voice(hertz: float) -> None:
    """Pulses at a known rate have that pitch, to ten cents."""
    times = np.arange(16_000) / 16_000
    pulses = sum(np.cos(2 * np.pi * hertz * k * times) for k in range(1, int(1_800 / hertz)))
    voice = Waveform((0.05 * pulses).astype(np.float32), 16_000)

    found = fundamental_hz(resample(voice, 4_000))

    assert np.abs(1_200.0 * np.log2(found / hertz)).max() < 10.0


def test_another_melody_is_further_away() -> None:
    """The same voice has no distance; one semitone is some hundred cents."""
    clean = speech_like()

    same = compared(clean, clean)
    higher = compared(speech_like(pitch_hz=120.0 * 2 ** (1 / 12)), clean)

    assert same == {"rmse_cents": 0.0, "voicing": 1.0}
    assert not isinstance(higher, Outcome)
    assert higher["rmse_cents"] > 80.0


def test_noise_hides_the_voice() -> None:
    """The more noise, the fewer frames are voiced like the clean ones."""
    clean = speech_like()

    found = [compared(noisy(clean, snr_db), clean) for snr_db in (40.0, 20.0, 10.0)]

    voicing = [values["voicing"] for values in found if not isinstance(values, Outcome)]
    assert len(voicing) == 3
    assert all(better > worse for better, worse in pairwise(voicing))


def test_no_voice_is_a_reason() -> None:
    """A candidate of noise alone has no F0 to compare, and none is made up."""
    clean = speech_like()

    result = compared(noisy(clean, -60.0), clean)

    assert isinstance(result, Outcome)
    assert result.reason is Reason.TOO_SHORT
