"""Laws of levels: an offset and infrasound, which nobody hears, move none of them.

Every definition of a level, an SNR, or a gain that follows a level is listed here; and every module that uses
a formula which counts every sample says here why it may.
"""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from stages.audio.audible import audible_ratio_db, audible_rms
from stages.audio.bandwidth import bandwidth_hz
from stages.audio.flac import encode_flac
from stages.audio.lag import find_loudest, residual_lag_samples
from stages.audio.level import from_db, to_db
from stages.audio.loudness import active_level_db, loudness_lufs
from stages.audio.pauses import split_at_pauses
from stages.audio.waveform import Samples, Waveform
from stages.degradations import Degradation
from stages.degradations.agc_pumping import AgcPumping
from stages.degradations.babble import Babble
from stages.degradations.compression import Compression
from stages.degradations.hiss import Hiss
from stages.degradations.musical_noise import MusicalNoise
from stages.degradations.noise import Noise
from stages.degradations.noises import Noises
from stages.degradations.punch import Punch
from stages.degradations.wind import Wind
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput
from stages.dsp.mixing import SnrDefinition, level_of, measured_snr_db
from stages.ingest.probe import probe
from stages.metrics.sdr import Sdr
from stages.metrics.si_sdr import SiSdr
from stages.operators.degradation import Scene
from stages.operators.metric import Comparison
from stages.restore.fitting import ModelInput
from stages.restorers.identity import Identity
from stages.score.inputs import without_dc
from tests.support.degrade_inputs import RATE, recipe, stage_over
from tests.support.speech_like import speech_like, white_noise

TOLERANCE_DB = 0.05
SPEECH = speech_like(3.0)
OTHER = speech_like(3.0, pitch_hz=210.0)
NOISE = SPEECH.with_samples(white_noise(SPEECH.samples.size))
Where = Literal["speech", "noise", "both"]
Measure = Callable[[Waveform], float]


def with_drift(waveform: Waveform, offset: float, drift: float = 0.0, turn: float = 0.0) -> Waveform:
    """Return the recording with what nobody hears: a constant, and a wave of 5 Hz from some phase on."""
    seconds = np.arange(waveform.samples.size) / waveform.sample_rate
    unheard = offset + drift * np.sin(2.0 * np.pi * (5.0 * seconds + turn))
    return waveform.with_samples((waveform.samples + unheard).astype(np.float32))


def heard(waveform: Waveform) -> Waveform:
    """Return what is above 20 Hz, by a filter that the project does not use."""
    sections = butter(5, 20.0, "highpass", fs=waveform.sample_rate, output="sos")
    samples = waveform.samples.astype(np.float64)
    return waveform.with_samples(sosfiltfilt(sections, samples).astype(np.float32))


def pool_of(noise: Waveform = NOISE) -> MemoryAudioSource:
    """Return a pool with one noise, and one of two voices."""
    held = MemoryAudioSource()
    held.add("noise", "any", noise)
    for name, voice in (("low", SPEECH), ("high", OTHER)):
        held.add("speech", name, voice)
    return held


def fact_of(step: Degradation, name: str) -> Measure:
    """Return what measures a fact that ``step`` reports of the speech."""

    def measure(waveform: Waveform) -> float:
        value = step.damage(Scene(waveform, waveform), pool_of()).facts[name]
        assert isinstance(value, float)
        return value

    return measure


def change_of_level_db(waveform: Waveform) -> float:
    """Return the change of level that the degrade stage says noise has made."""
    noise = Noise(noise=pool_of().refs("noise")[0], offset_fraction=0.0, snr_db=0.0)
    plan = recipe(noise.spec, num_samples=waveform.samples.size)
    (row,) = stage_over(pool_of()).process([DegradeInput(plan, encode_flac(waveform))])
    return float(row.applied[0].number("level_change_db") or 0.0)


def level_gain_db(waveform: Waveform) -> float:
    """Return the gain that brings a restoration, itself without an offset, to the level of its input."""
    return ModelInput(waveform, Identity()).fit([SPEECH.scale(0.5)], restores_level=False).level_gain_db


def added_level_db(step: Degradation) -> Measure:
    """Return what measures the level of what ``step`` adds to the speech."""

    def measure(waveform: Waveform) -> float:
        added = step.damage(Scene(waveform, waveform), pool_of()).degraded.samples - waveform.samples
        return to_db(audible_rms(added, RATE))

    return measure


NOISE_REF, VOICES = pool_of().refs("noise")[0], pool_of().refs("speech")
LEVELS: Mapping[str, Measure] = {
    "rms": lambda wave: to_db(audible_rms(wave.samples, RATE)),
    "ratio": lambda wave: audible_ratio_db(wave.samples, NOISE.samples, RATE),
    "ratio, of the other side": lambda wave: audible_ratio_db(NOISE.samples, wave.samples, RATE),
    "active level": lambda wave: active_level_db(wave.samples, RATE),
    "active level in the probe": lambda wave: probe(wave, 1).active_level_db,
    "loudness": lambda wave: loudness_lufs(wave.samples, RATE),
    **{
        f"level by {definition}": lambda wave, by=definition: to_db(level_of(wave, by))
        for definition in get_args(SnrDefinition)
    },
    **{
        f"SNR by {definition}": lambda wave, by=definition: measured_snr_db(wave, NOISE, by)
        for definition in get_args(SnrDefinition)
    },
    **{
        f"SNR by {definition}, of the noise": lambda wave, by=definition: measured_snr_db(SPEECH, wave, by)
        for definition in get_args(SnrDefinition)
    },
    "change of level by a step": change_of_level_db,
    "gain of a restoration": level_gain_db,
    "hiss by its level": fact_of(Hiss(level_dbfs=-40.0, seed=1), "snr_db"),
    "hiss by its SNR": added_level_db(Hiss(snr_db=10.0, seed=1)),
    "noise": added_level_db(Noise(noise=NOISE_REF, offset_fraction=0.0, snr_db=5.0)),
    "noises": added_level_db(Noises(noises=(NOISE_REF,), seed=1, snr_db=5.0)),
    "babble": added_level_db(Babble(voices=VOICES, seed=1, snr_db=5.0)),
    "musical noise": fact_of(
        MusicalNoise(snr_db=5.0, oversubtraction=2.0, seed=1, frame_ms=32.0), "left_fraction"
    ),
    "wind": fact_of(Wind(seed=1, snr_db=5.0), "noise_gain_db"),
    "lowest gain of the control": fact_of(AgcPumping(target_db=-9.0, most_gain_db=12.0), "lowest_gain_db"),
    "highest gain of the control": fact_of(AgcPumping(target_db=-9.0, most_gain_db=12.0), "highest_gain_db"),
    "mean of a compressor": fact_of(Compression(threshold_db=-35.0, ratio=6.0), "mean_reduction_db"),
    "most of a compressor": fact_of(Compression(threshold_db=-35.0, ratio=6.0), "most_reduction_db"),
    "threshold of punch": fact_of(Punch(), "threshold_db"),
}

COUNT_EVERY_SAMPLE: Mapping[str, str] = {
    "stages/restore/first_start.py": "of speech that is made there, and of what a model gives for it",
    "stages/audio/audible.py": "defines what can be heard with them",
    "stages/audio/loudness.py": "of what can be heard, which is made there",
    "stages/audio/__init__.py": "hands them on",
    "stages/degrade/stage.py": "rounding follows what is there, and a sample that is not finite shows",
    "stages/degradations/griffin_lim.py": "of magnitudes of a spectrum",
    "stages/degradations/microphone_response.py": "a response of nothing at all",
    "stages/degradations/reverb.py": "a response of nothing at all",
    "stages/degradations/wind.py": "parts of a noise that is made there, before its level is set",
    "stages/dsp/impulse_response.py": "speech is heard through all of a response",
    "stages/dsp/noise.py": "made there without an offset, and levelled where it is mixed",
    "stages/ingest/stage.py": "after the mean has been taken away",
    "stages/metrics/common/speaker_similarity.py": "parts of nothing at all; the mean has been taken away",
    "stages/metrics/distill_mos.py": "parts of nothing at all; the mean has been taken away",
    "stages/metrics/ge2e_speaker_similarity.py": "as its package levels; the mean has been taken away",
    "stages/metrics/pesq.py": "parts of nothing at all; the mean has been taken away",
    "stages/operators/metric_bases.py": "parts of nothing at all",
    "stages/restorers/conceal.py": "what is missing is exactly zero, an offset too",
}
FORMULAS = {"energy", "rms", "mean_root", "ratio_db", "is_silent", "exceeds"}


def test_what_counts_every_sample_says_why() -> None:
    """A module that measures a level either means what can be heard, or is listed with its reason."""
    found = {
        str(path)
        for room in ("stages", "pipeline")
        for path in Path(room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "stages.audio.level"
        if FORMULAS & {alias.name for alias in node.names}
    }

    assert found == set(COUNT_EVERY_SAMPLE)


@pytest.mark.parametrize(("offset", "drift"), [(0.05, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.3), (0.3, 0.3)])
@pytest.mark.parametrize("name", LEVELS)
def test_an_offset_moves_no_level(name: str, offset: float, drift: float) -> None:
    """Neither a constant nor a slow wave is part of how loud anything is."""
    measure = LEVELS[name]

    moved = measure(with_drift(SPEECH, offset, drift)) - measure(SPEECH)

    assert abs(moved) <= TOLERANCE_DB


@given(
    offset=st.floats(-0.5, 0.5),
    drift=st.floats(0.0, 0.3),
    turn=st.floats(0.0, 1.0),
    seconds=st.floats(1.0, 3.0),
    definition=st.sampled_from(get_args(SnrDefinition)),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_whatever_the_offset(
    offset: float, drift: float, turn: float, seconds: float, definition: SnrDefinition
) -> None:
    """Any offset, any drift from any phase on, in recordings of any length."""
    speech = SPEECH.with_samples(SPEECH.samples[: round(seconds * RATE)])

    moved = level_of(with_drift(speech, offset, drift, turn), definition) / level_of(speech, definition)

    assert abs(to_db(moved)) <= TOLERANCE_DB


@pytest.mark.parametrize("where", get_args(Where))
@pytest.mark.parametrize("definition", get_args(SnrDefinition))
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 5.0, 20.0])
def test_what_is_asked_is_what_is_heard(snr_db: float, definition: SnrDefinition, where: Where) -> None:
    """The SNR that was asked for is that of what can be heard, and the one that is recorded."""
    speech = with_drift(SPEECH, 0.3, 0.1) if where != "noise" else SPEECH
    held = pool_of(with_drift(NOISE, 0.3) if where != "speech" else NOISE)
    noise = Noise(noise=held.refs("noise")[0], offset_fraction=0.0, snr_db=snr_db, snr_definition=definition)

    scene = noise.damage(Scene(speech, speech), held)

    added = speech.with_samples(scene.degraded.samples - speech.samples)
    sides = heard(speech), heard(added)
    assert scene.facts["snr_db"] == pytest.approx(snr_db, abs=0.01)
    assert measured_snr_db(*sides, definition) == pytest.approx(snr_db, abs=TOLERANCE_DB)
    if definition == "rms_full":
        speech_db, noise_db = (to_db(_rms(side.samples)) for side in sides)
        assert speech_db - noise_db == pytest.approx(snr_db, abs=TOLERANCE_DB)


@pytest.mark.parametrize("offset", [-0.5, 0.05, 0.5])
def test_a_restoration_with_an_offset_is_as_loud_as_its_input(offset: float) -> None:
    """An offset that comes in, or that a model makes, moves no level of what is published."""
    given_there, made_there = with_drift(SPEECH, offset), with_drift(SPEECH.scale(0.25), offset)
    for waveform, output in ((given_there, SPEECH.scale(0.25)), (SPEECH, made_there)):
        fitted = ModelInput(waveform, Identity()).fit([output], restores_level=False)

        apart_db = to_db(_rms(heard(fitted.waveform).samples) / _rms(heard(SPEECH).samples))
        assert abs(apart_db) <= TOLERANCE_DB


@pytest.mark.parametrize("metric", [SiSdr(), Sdr()], ids=lambda metric: metric.kind)
def test_a_score_that_removes_means_has_no_offset(metric: SiSdr | Sdr) -> None:
    """What it removes is the mean, as its paper says, so that an offset on either side is nothing."""
    noisy = SPEECH.with_samples(SPEECH.samples + from_db(-5.0) * NOISE.samples)
    scores = [
        metric.measure(Comparison(without_dc(ours), without_dc(clean)))[""]
        for ours, clean in (
            (noisy, SPEECH),
            (with_drift(noisy, 0.5), SPEECH),
            (noisy, with_drift(SPEECH, 0.5)),
        )
    ]

    assert scores[1:] == pytest.approx([scores[0]] * 2, abs=TOLERANCE_DB)


@pytest.mark.parametrize(("offset", "drift"), [(0.5, 0.0), (0.3, 0.3)])
def test_an_offset_moves_no_place(offset: float, drift: float) -> None:
    """Bandwidth, pauses, the loudest second and a lag are where they were."""
    loud_then_quiet = SPEECH.with_samples(np.r_[SPEECH.samples, np.zeros(RATE), OTHER.scale(0.3).samples])
    loud_then_quiet = loud_then_quiet.with_samples(loud_then_quiet.samples.astype(np.float32))
    late = loud_then_quiet.with_samples(np.pad(loud_then_quiet.samples, (137, 0))[:-137])
    there = with_drift(loud_then_quiet, offset, drift)

    assert bandwidth_hz(there.samples, RATE) == bandwidth_hz(loud_then_quiet.samples, RATE)
    assert find_loudest(there, RATE, 800) == find_loudest(loud_then_quiet, RATE, 800)
    assert residual_lag_samples(with_drift(late, offset, drift), there) == 137
    cuts, expected = (split_at_pauses(each.samples, RATE, 4.0) for each in (there, loud_then_quiet))
    assert len(cuts) == len(expected)
    np.testing.assert_allclose(cuts, expected, atol=0.05 * RATE)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
