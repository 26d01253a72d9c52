"""Noise."""

from typing import get_args

import numpy as np
import pytest

from schemas import OperatorSpec, UnfitError
from stages.audio.audible import audible_energies, audible_rms, remove_infrasound
from stages.audio.level import peak, ratio_db, rms, to_db
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.degradations import DEGRADATIONS
from stages.degradations.noise import Noise
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.mixing import SnrDefinition, active_hops, level_of, measured_snr_db, stretch_of
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.support.speech_like import speech_like

RATE = 16_000


def speech_with_pauses() -> Waveform:
    """Return two seconds of which one is silent."""
    samples = 0.2 * rng_for(0, "speech").standard_normal(2 * RATE)
    samples[RATE // 2 : 3 * RATE // 2] = 0.0
    return Waveform(samples.astype(np.float32), RATE)


def noises() -> dict[str, Waveform]:
    """Return steady, impulsive, intermittent and short noise, and speech that is not speech."""
    rng = rng_for(0, "noise")
    steady = 0.1 * rng.standard_normal(5 * RATE)
    clicks = np.zeros(5 * RATE)
    clicks[::1_000] = 0.9
    gated = steady * (np.arange(steady.size) // 4_000 % 2)
    babble = sum(np.roll(speech_like(5.0, pitch_hz=100.0 + 17.0 * k).samples, 7_001 * k) for k in range(5))
    kinds = {
        "steady": steady,
        "clicks": clicks,
        "gated": gated,
        "short": steady[:3_000],
        "babble": np.asarray(babble),
    }
    return {name: Waveform(samples.astype(np.float32), RATE) for name, samples in kinds.items()}


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
@pytest.mark.parametrize("definition", get_args(SnrDefinition))
@pytest.mark.parametrize("name", ["steady", "clicks", "gated", "short", "babble"])
def test_mixes_at_the_requested_snr(name: str, definition: SnrDefinition, snr_db: float) -> None:
    """The noise that was added sits ``snr_db`` under the speech, by the stated definition."""
    speech, sources = speech_with_pauses(), MemoryAudioSource()
    ref = sources.add("noise", name, noises()[name])
    noise = Noise(noise=ref, offset_fraction=0.3, snr_db=snr_db, snr_definition=definition)

    scene = noise.damage(Scene(speech, speech), sources)

    assert scene.facts["snr_db"] == pytest.approx(snr_db, abs=0.01)
    added = speech.with_samples(scene.degraded.samples - speech.samples)
    assert measured_snr_db(speech, added, definition) == pytest.approx(snr_db, abs=0.01)
    assert scene.facts["noise_peak"] == pytest.approx(peak(added.samples), rel=1e-4)
    assert scene.reference is speech


def test_full_and_active_levels_differ_by_the_pauses() -> None:
    """Speech that is silent half of the time is 3 dB louder while it is not."""
    speech = speech_with_pauses()
    hiss = speech.with_samples(noises()["steady"].samples[: speech.samples.size])

    difference = measured_snr_db(speech, hiss, "rms_active") - measured_snr_db(speech, hiss, "rms_full")

    assert difference == pytest.approx(3.0, abs=0.3)
    assert np.mean(active_hops(audible_energies(speech.samples, RATE, 512))) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("length", [1_024, 1_025, 1_536, 5_000, 32_000])
def test_active_level_is_of_frames_above_a_hundredth_of_the_mean_power(
    length: int,
) -> None:
    """Frame by frame, as URGENT's ``detect_non_silence`` marks samples, from the energies of hops."""
    samples = (speech_with_pauses().samples + 1e-3)[max(0, 8_000 - length // 2) :][:length]
    heard = remove_infrasound(samples, RATE)
    padded = np.pad(heard.astype(np.float64), (0, -length % 512))
    starts = range(0, padded.size - 512, 512)
    powers = np.array([np.mean(padded[start : start + 1_024] ** 2) for start in starts])
    marks = np.repeat(powers > 0.01 * powers.mean(), 512)[:length]
    marks = np.pad(marks, (0, length - marks.size), mode="edge")

    measured = level_of(Waveform(samples, RATE), "rms_active")

    assert measured == pytest.approx(rms(heard[marks]), rel=1e-3)  # a hop more or less is 1 %


def test_full_snr_is_the_plain_power_ratio() -> None:
    """``rms_full`` is the ratio over all samples that everybody knows, of what can be heard."""
    speech = speech_with_pauses()
    hiss = speech.with_samples(noises()["steady"].samples[: 2 * RATE])

    level, other = (remove_infrasound(side.samples, RATE) for side in (speech, hiss))
    assert measured_snr_db(speech, hiss, "rms_full") == pytest.approx(ratio_db(level, other), abs=0.002)


def test_p56_measures_the_speech_while_it_speaks_and_all_of_the_noise() -> None:
    """Pauses but for their first 200 ms do not lower the speech; gaps in the noise do lower the noise."""
    speech = speech_with_pauses()
    paused = speech.with_samples(noises()["gated"].samples[: 2 * RATE])

    snr_db = measured_snr_db(speech, paused, "p56")

    active_db = active_level_db(speech.samples, RATE)
    assert snr_db == pytest.approx(active_db - to_db(audible_rms(paused.samples, RATE)), abs=1e-6)
    assert snr_db - measured_snr_db(speech, paused, "rms_full") == pytest.approx(
        10.0 * np.log10(2.0 / 1.2), abs=0.3
    )


def test_lufs_hears_less_of_what_is_low() -> None:
    """Rumble at the level of the speech is quieter than it, because ears do not hear it as well."""
    speech = speech_with_pauses()
    rumble = np.sin(2 * np.pi * 30.0 * np.arange(2 * RATE) / RATE).astype(np.float32)

    difference = measured_snr_db(speech, speech.with_samples(rumble), "lufs") - measured_snr_db(
        speech, speech.with_samples(rumble), "rms_full"
    )

    assert difference > 6.0


@pytest.mark.parametrize("definition", get_args(SnrDefinition))
def test_a_tenth_of_a_second_has_an_snr(definition: SnrDefinition) -> None:
    """Also where the definition's own window is longer than that."""
    hiss, sources = noises()["steady"], MemoryAudioSource()
    speech = hiss.with_samples(hiss.samples[20_000:21_600])
    noise = Noise(noise=sources.add("noise", "n", hiss), offset_fraction=0.0, snr_db=5.0)

    scene = noise.model_copy(update={"snr_definition": definition}).damage(Scene(speech, speech), sources)

    assert scene.facts["snr_db"] == pytest.approx(5.0, abs=0.01)


def test_specs_of_before_still_build_the_same_noise() -> None:
    """A record with the two first definitions is read, and its fields are the same ones."""
    ref = MemoryAudioSource().add("noise", "n", noises()["steady"])
    params = {"noise": ref.model_dump(mode="json"), "offset_fraction": 0.3, "snr_db": 5.0}

    built = DEGRADATIONS.build(OperatorSpec(kind="noise", version=Noise.version, params=params))

    assert built == Noise(noise=ref, offset_fraction=0.3, snr_db=5.0, snr_definition="rms_active")
    assert built.spec.params.keys() == {*params, "snr_definition"}


def test_loops_without_a_click() -> None:
    """At the seam of a looped tone, no sample steps further than the tone itself does."""
    hum = np.sin(2 * np.pi * 50.3 * np.arange(5_001) / RATE).astype(np.float32)

    stretch, _ = stretch_of(hum, 0.9, 40_000, RATE)

    assert np.max(np.abs(np.diff(stretch))) < 1.5 * np.max(np.abs(np.diff(hum)))


def test_looped_noise_keeps_its_level_at_the_seam() -> None:
    """The crossfade of unrelated ends is as loud as what is around it."""
    hiss = noises()["steady"].samples[:8_000]
    seams = [stretch_of(np.roll(hiss, 97 * k), 0.0, 9_000, RATE)[0][:160] for k in range(80)]

    assert ratio_db(np.concatenate(seams), hiss) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize(("offset_fraction", "start"), [(0.0, 0), (0.5, 24_000), (0.999999, 48_000)])
def test_cuts_long_noise_where_it_was_told(offset_fraction: float, start: int) -> None:
    """A recording that is long enough is never looped, whatever the offset."""
    speech, long, sources = speech_with_pauses(), noises()["steady"], MemoryAudioSource()
    ref = sources.add("noise", "steady", long)
    noise = Noise(noise=ref, offset_fraction=offset_fraction, snr_db=0.0)

    scene = noise.damage(Scene(speech, speech), sources)

    assert scene.facts["start_sample"] == start
    added = scene.degraded.samples - speech.samples
    likeness = np.corrcoef(added, long.samples[start : start + added.size])[0, 1]
    assert likeness == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("silent", ["speech", "noise"])
def test_silence_is_a_reason_and_no_division_by_zero(silent: str) -> None:
    """No SNR is defined against silence, and the row says which side it was."""
    nothing, something = Waveform(np.zeros(RATE, np.float32), RATE), noises()["steady"]
    sources = MemoryAudioSource()
    ref = sources.add("noise", "n", nothing if silent == "noise" else something)
    speech = nothing if silent == "speech" else something

    with pytest.raises(UnfitError, match=f"silent: the (stretch of )?{silent} is silent"):
        Noise(noise=ref, offset_fraction=0.0, snr_db=0.0).apply(speech, sources)


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_loops_even_the_shortest_noise(length: int) -> None:
    """A recording of a few samples still fills the stretch."""
    stretch, _ = stretch_of(np.ones(length, np.float32), 0.5, 1_000, RATE)

    assert stretch.size == 1_000
    assert np.all(stretch > 0.9)
