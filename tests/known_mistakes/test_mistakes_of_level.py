"""Levels and ratios: what published simulators get wrong, measured, and that this one does not.

Each test names the simulator, as of the commits that were read, and makes its mistake first, so that a
mistake which no longer shows is no longer taken for one.
"""

import numpy as np
import pytest

from schemas import Degraded
from stages.audio.audible import remove_infrasound
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.level import from_db, peak, rms, to_db
from stages.audio.waveform import Waveform
from stages.degradations import Degradation
from stages.degradations.clipping import Clipping
from stages.degradations.noise import Noise
from stages.degradations.reverb import Reverb
from stages.degradations.wind import Wind
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput, LevelRule
from stages.dsp.mixing import level_of
from stages.operators.rng import rng_for
from tests.support.degrade_inputs import RATE, recipe, stage_over
from tests.support.speech_like import speech_like

SPEECH = speech_like(2.0).scale(1.0 / peak(speech_like(2.0).samples))


def sounds() -> dict[str, Waveform]:
    """Return steady noise and clicks, ten seconds of each."""
    steady = 0.1 * rng_for(0, "steady").standard_normal(10 * RATE)
    clicks = np.zeros(10 * RATE)
    clicks[::4_001] = 0.9
    return {
        name: Waveform(each.astype(np.float32), RATE)
        for name, each in (("white", steady), ("clicks", clicks))
    }


def pools() -> MemoryAudioSource:
    """Return both sounds as a pool of noise."""
    held = MemoryAudioSource()
    for name, sound in sounds().items():
        held.add("noise", name, sound)
    return held


def degraded(
    *steps: Degradation, speech: Waveform = SPEECH, level: LevelRule = "guard", held: MemoryAudioSource
) -> Degraded:
    """Return what the stage makes of the speech."""
    audio = encode_flac(speech)
    plan = recipe(*(step.spec for step in steps), num_samples=speech.samples.size)
    (row,) = stage_over(held, level).process([DegradeInput(plan, audio)])
    return row


def sides(row: Degraded) -> tuple[Waveform, Waveform]:
    """Return the degraded speech and its reference."""
    assert row.degraded is not None
    assert row.clean is not None
    return decode_flac(row.degraded), decode_flac(row.clean)


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
@pytest.mark.parametrize("name", ["white", "clicks"])
def test_active_frames_are_those_that_are_active(name: str, snr_db: float) -> None:
    """DNS-Challenge compares amplitudes with −50 dB, so that all frames count: off by 3 dB, or by 20."""
    held = pools()
    ref = next(ref for ref in held.refs("noise") if ref.id == name)
    noise = Noise(noise=ref, offset_fraction=0.0, snr_db=snr_db, snr_definition="rms_active")
    speech = speech_like(1.5)
    speech = speech.with_samples(np.r_[speech.samples, np.zeros_like(speech.samples)])

    added = remove_infrasound(noise.apply(speech, held).samples - speech.samples, RATE)
    speech = speech.with_samples(remove_infrasound(speech.samples, RATE))

    level, noise_level = (active_rms(samples) for samples in (speech.samples, added))
    assert to_db(level / noise_level) == pytest.approx(snr_db, abs=0.01)
    wrongly_active = [np.sqrt(np.mean(f.astype(float) ** 2)) > -50.0 for f in np.array_split(added, 50)]
    assert all(wrongly_active), "as an amplitude every frame is above −50"
    mistake_db = to_db(level / noise_level) - to_db(rms(speech.samples) / rms(added))
    assert abs(mistake_db) > 2.0


def active_rms(samples: np.ndarray) -> float:
    """Return the level over frames of 1024 samples above a hundredth of the mean power, frame by frame."""
    padded = np.pad(samples.astype(float), (0, -samples.size % 512))
    frames = np.array(
        [np.mean(padded[start : start + 1_024] ** 2) for start in range(0, padded.size - 512, 512)]
    )
    marks = np.repeat(frames > 0.01 * frames.mean(), 512)[: samples.size]
    marks = np.pad(marks, (0, samples.size - marks.size), mode="edge")
    return rms(samples[marks])


def test_wind_leaves_the_level_of_the_reference_alone() -> None:
    """In URGENT 2025 both are one array, scaled in place: clean and noisy end 9.5 dB apart."""
    alias = SPEECH.samples.copy()
    noisy = alias
    alias *= np.float32(0.3)
    assert noisy is alias
    assert rms(noisy) < 0.5 * rms(SPEECH.samples), "that is the mistake: one is turned down with the other"
    quiet = SPEECH.scale(0.01)

    row = degraded(Wind(seed=1, snr_db=0.0), speech=quiet, held=pools())

    _, clean = sides(row)
    assert row.joint_gain_db == 0.0
    np.testing.assert_array_equal(clean.samples, decode_flac(encode_flac(quiet)).samples)


def test_a_mixture_above_full_scale_comes_down_with_its_reference() -> None:
    """In audiomentations −5 dB SNR on speech at full scale gives a peak of 1.6, which files then clip."""
    held = pools()
    white = next(ref for ref in held.refs("noise") if ref.id == "white")
    noise = Noise(noise=white, offset_fraction=0.0, snr_db=-5.0, snr_definition="rms_full")
    mixed = noise.apply(SPEECH, held)
    assert peak(mixed.samples) > 1.2

    row = degraded(noise, held=held)

    noisy, clean = sides(row)
    assert peak(noisy.samples) <= 1.0
    gain = from_db(row.joint_gain_db)
    assert gain < 1.0
    np.testing.assert_allclose(noisy.samples, mixed.samples * gain, atol=1e-6)
    np.testing.assert_allclose(clean.samples, SPEECH.samples * gain, atol=1e-6)


def test_a_gain_of_reverberation_is_recorded_and_shared() -> None:
    """In audiomentations and URGENT the output has a peak of 0.5 or 0.9, and nobody says by which gain."""
    held = MemoryAudioSource()
    response = np.zeros(4_000, np.float32)
    response[[300, 1_500]] = 0.5, 0.4
    ref = held.add("rir", "room", Waveform(response, RATE))
    reverb = Reverb(response=ref, target="dry")
    plain = reverb.apply(SPEECH, held)

    row = degraded(reverb.model_copy(update={"reverberant_peak": 0.5}), held=held)

    wet, clean = sides(row)
    gain = from_db(float(row.applied[0].number("gain_db") or 0.0))
    assert peak(wet.samples) == pytest.approx(0.5, abs=1e-6)
    np.testing.assert_allclose(wet.samples, plain.samples * gain, atol=1e-6)
    np.testing.assert_allclose(clean.samples, SPEECH.samples * gain, atol=1e-6)


def test_the_joint_level_looks_at_the_noise_that_was_added() -> None:
    """AATC 2025: the peak is that of the recording of noise, so a loud recording makes a quiet dataset."""
    gains = []
    for level in (0.01, 9.0):
        held = MemoryAudioSource()
        ref = held.add("noise", "any", sounds()["white"].scale(level))
        noise = Noise(noise=ref, offset_fraction=0.0, snr_db=20.0)
        gains.append(degraded(noise, level="joint_peak", held=held).joint_gain_db)

    assert gains[0] == pytest.approx(gains[1], abs=1e-3)


@pytest.mark.parametrize("percent", [1, 3])
def test_a_clipped_share_is_the_share_that_was_asked_for(percent: int) -> None:
    """In audiomentations half of the percentile becomes a whole number: 1 % clips nothing, 3 % clips 2 %."""
    assert 2 * int(percent / 2) != percent
    held = MemoryAudioSource()

    row = degraded(Clipping(clipped_fraction=percent / 100), held=held)

    noisy, _ = sides(row)
    ceiling = peak(noisy.samples)
    assert np.mean(np.abs(noisy.samples) == ceiling) == pytest.approx(percent / 100, abs=1e-4)


def test_silence_in_the_speech_is_not_its_level() -> None:
    """In audiomentations, torch-audiomentations and lhotse a level is RMS over all of a file, pauses too."""
    speech = SPEECH.with_samples(np.r_[SPEECH.samples, np.zeros_like(SPEECH.samples)])

    assert to_db(rms(SPEECH.samples) / rms(speech.samples)) == pytest.approx(3.0, abs=0.1)
    for definition in ("rms_active", "p56", "lufs"):
        assert abs(to_db(level_of(SPEECH, definition) / level_of(speech, definition))) < 0.7
