"""The degrade stage: steps in order, one level for both sides, and what is recorded."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from schemas import EncodedAudio, OperatorSpec, Status, UnfitError
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.level import from_db, peak, ratio_db
from stages.audio.resampling import resample
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations import DEGRADATIONS, Degradation
from stages.degradations.bandwidth import Bandwidth
from stages.degradations.clipping import Clipping
from stages.degradations.low_pass import LowPass
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput, LevelRule
from stages.operators.degradation import Scene
from stages.operators.distributions import Distribution
from stages.operators.rng import rng_for
from tests.support.degrade_inputs import RATE, chain, recipe, stage_over
from tests.support.speech_like import speech_like


@pytest.fixture
def sources(hiss: Waveform) -> MemoryAudioSource:
    """Return pools of noise and of one room."""
    held = MemoryAudioSource()
    held.add("noise", "hiss", hiss)
    response = np.zeros(4_000, np.float32)
    response[[100, 400, 3_000]] = 0.5, 0.45, 0.1
    held.add("rir", "room", Waveform(response, RATE))
    return held


def test_applies_the_steps_in_order(clean: Waveform, sources: MemoryAudioSource) -> None:
    """The stored audio is what the steps give one after the other, and each step's facts are kept."""
    audio, steps = encode_flac(clean), chain(sources)

    (row,) = stage_over(sources).process([DegradeInput(recipe(*steps), audio)])

    scene = Scene(decode_flac(audio), decode_flac(audio))
    for step in steps:
        scene = DEGRADATIONS.build(step).damage(scene, sources)
    gain = from_db(row.joint_gain_db)
    np.testing.assert_allclose(decode_flac(row.degraded).samples, gain * scene.degraded.samples, atol=1e-6)
    np.testing.assert_allclose(decode_flac(row.clean).samples, gain * scene.reference.samples, atol=1e-6)
    assert [step.kind for step in row.applied] == ["reverb", "clipping", "bandwidth", "noise"]
    assert row.applied[3].facts["snr_db"] == pytest.approx(5.0, abs=0.01)
    assert all("level_change_db" in step.facts for step in row.applied)
    assert (row.id, row.status) == ("utt-1~0", Status.OK)


@pytest.mark.parametrize("level", [0.1, 30.0])
def test_guard_leaves_what_fits(clean: Waveform, sources: MemoryAudioSource, level: float) -> None:
    """Nothing is scaled while nothing exceeds 1, and an unchanged reference is what encoding it anew gives.

    Also if something had been applied to it before: that was then.
    """
    audio = encode_flac(clean.scale(level))

    (row,) = stage_over(sources).process([DegradeInput(recipe(Clipping(threshold=0.01).spec), audio)])

    assert row.joint_gain_db == 0.0
    assert row.clean == encode_flac(decode_flac(audio))
    assert (audio.gain_db == 0.0) == (level < 1.0)


def test_guard_takes_both_sides_down_together(clean: Waveform, sources: MemoryAudioSource) -> None:
    """Loud noise lowers speech and reference by one recorded gain; the encoder has nothing left to do."""
    (row,) = stage_over(sources).process(
        [DegradeInput(recipe(*chain(sources, -20.0)[3:]), encode_flac(clean))]
    )

    assert row.joint_gain_db < 0.0
    assert row.degraded.gain_db == row.clean.gain_db == 0.0
    assert peak(decode_flac(row.degraded).samples) == pytest.approx(1.0, abs=1e-6)
    assert ratio_db(decode_flac(row.clean).samples, clean.samples) == pytest.approx(
        row.joint_gain_db, abs=1e-3
    )


@pytest.mark.parametrize("snr_db", [-20.0, 40.0])
def test_joint_peak_levels_by_the_loudest(clean: Waveform, sources: MemoryAudioSource, snr_db: float) -> None:
    """The loudest of degraded speech, reference and noise reaches 1, upwards too, and nothing exceeds it."""
    quiet = encode_flac(clean.scale(0.2))

    (row,) = stage_over(sources, "joint_peak").process(
        [DegradeInput(recipe(*chain(sources, snr_db)[3:]), quiet)]
    )

    gain = from_db(row.joint_gain_db)
    peaks = [
        peak(decode_flac(row.degraded).samples),
        peak(decode_flac(row.clean).samples),
        gain * row.applied[0].facts["noise_peak"],
    ]
    assert max(peaks) == pytest.approx(1.0, abs=1e-5)
    assert row.degraded.gain_db == row.clean.gain_db == 0.0
    assert (row.joint_gain_db > 0.0) == (snr_db > 0.0)


@pytest.mark.parametrize("steps", [(), (Clipping(threshold=0.99).spec,)])
@pytest.mark.parametrize("level", ["guard", "joint_peak"])
def test_speech_that_no_step_damaged_is_unfit(
    clean: Waveform, sources: MemoryAudioSource, steps: tuple[OperatorSpec, ...], level: LevelRule
) -> None:
    """Nothing is there to restore: the clean speech would stand on both sides, and among the candidates."""
    record = DegradeInput(recipe(*steps), encode_flac(clean))

    with pytest.raises(UnfitError, match="undamaged: no drawn step changed a sample"):
        stage_over(sources, level).process([record])


def test_is_pure(clean: Waveform, sources: MemoryAudioSource) -> None:
    """The same record gives the same bytes from a fresh stage and from a used one."""
    record = DegradeInput(recipe(*chain(sources)), encode_flac(clean))
    other = DegradeInput(recipe(Clipping(threshold=0.06).spec, id="utt-2~0"), encode_flac(clean.scale(0.5)))
    used = stage_over(sources)
    used.process([other])

    assert used.process([record]) == stage_over(sources).process([record])
    assert isinstance(record.clean, EncodedAudio)


def test_a_step_that_changes_nothing_is_recorded_as_not_applied(
    clean: Waveform, sources: MemoryAudioSource
) -> None:
    """Limits that speech at this rate cannot exceed, and a threshold that no sample reaches."""
    loud = encode_flac(clean)
    threshold = min(1.0, 1.01 * peak(decode_flac(loud).samples))
    steps = [
        Bandwidth(sample_rate_hz=48_000).spec,
        Clipping(threshold=threshold).spec,
        Clipping(threshold=0.1).spec,
    ]

    (row,) = stage_over(sources).process([DegradeInput(recipe(*steps), loud)])

    assert [step.is_applied for step in row.applied] == [False, False, True]
    assert [step.facts["applied"] for step in row.applied] == [0.0, 0.0, 1.0]


def test_taking_what_the_speech_does_not_hold_is_not_applied(sources: MemoryAudioSource) -> None:
    """Speech of 8 kHz that was brought to 16 kHz holds nothing above 4 kHz, whatever its rate says."""
    speech = resample(speech_like(1.0, sample_rate=8_000), RATE)
    steps = [
        Bandwidth(sample_rate_hz=12_000).spec,
        LowPass(cutoff_hz=7_000.0, family="butter", order=8).spec,
        Bandwidth(sample_rate_hz=4_000).spec,
    ]

    (row,) = stage_over(sources).process([DegradeInput(recipe(*steps), encode_flac(speech))])

    assert [step.is_applied for step in row.applied] == [False, False, True]


class Late(Degradation):
    """What delays speech, as no degradation should; registered while these tests run."""

    kind: ClassVar[str] = "late"
    draws: ClassVar[Mapping[str, Distribution]] = {}
    delay_samples: int

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:  # noqa: ARG002
        """Return the speech, later."""
        moved = np.roll(speech.samples, self.delay_samples)
        return speech.with_samples(moved)


@pytest.fixture
def late() -> type[Degradation]:
    """Register the late degradation for this file."""
    return DEGRADATIONS.register(Late)


@pytest.mark.parametrize("delay", [-20, -1, 0, 1, 37, 1_105])
def test_the_lag_that_a_chain_leaves_is_recorded(
    delay: int, late: type[Degradation], sources: MemoryAudioSource
) -> None:
    """With its sign, as it is in the loudest second: a user can see that it is 0, or by how much not."""
    t = np.arange(3 * RATE) / RATE
    bursts = rng_for(0, "bursts").standard_normal(t.size) * np.sin(2 * np.pi * 1.1 * t) ** 8
    speech = Waveform((0.2 * bursts).astype(np.float32), RATE)
    steps = [late(delay_samples=delay).spec, *chain(sources, snr_db=10.0)]

    (row,) = stage_over(sources).process([DegradeInput(recipe(*steps), encode_flac(speech))])

    assert row.residual_lag_samples == delay
