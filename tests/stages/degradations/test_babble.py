"""Babble and interfering speakers."""

import numpy as np
import pytest

from schemas import UnfitError
from stages.audio.audible import audible_rms
from stages.audio.level import rms, to_db
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.degradations.babble import Babble
from stages.degradations.interfering_speaker import InterferingSpeaker
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.mixing import level_of
from stages.operators.degradation import Scene
from tests.support.speech_like import speech_like

RATE = 16_000
SPEECH = speech_like(3.0)


def held(count: int = 4) -> MemoryAudioSource:
    """Return voices of different people at very different levels, the last one with a long pause."""
    sources = MemoryAudioSource()
    for n in range(count):
        voice = speech_like(2.0 + n, pitch_hz=90.0 + 40.0 * n, tract=1.0 + 0.05 * n)
        sources.add("speech", f"voice {n}", voice.scale(10.0 ** (-n / 2)))
    return sources


def test_all_voices_are_heard_alike() -> None:
    """A recording 30 dB quieter than the others still takes its part."""
    sources = held()
    babble = Babble(voices=sources.refs("speech"), seed=1, level_spread_db=0.0, snr_db=0.0)

    sound, facts = babble.sound_for(SPEECH, sources)

    assert facts["voices_heard"] == 4.0
    for ref in sources.refs("speech"):
        others = tuple(other for other in sources.refs("speech") if other != ref)
        without, _ = Babble(voices=others, seed=1, level_spread_db=0.0, snr_db=0.0).sound_for(SPEECH, sources)
        assert 0.7 < rms(without) / rms(sound) * np.sqrt(4 / 3) < 1.3


def test_says_which_stretch_of_each_voice_is_heard() -> None:
    """Where they start is enough to make the babble of two voices again from their recordings."""
    sources = held(2)
    voices = sources.refs("speech")
    babble = Babble(voices=voices, seed=3, level_spread_db=0.0, snr_db=0.0)

    sound, facts = babble.sound_for(SPEECH.with_samples(SPEECH.samples[:RATE]), sources)

    starts = facts["start_samples"]
    assert isinstance(starts, tuple)
    stretches = [
        sources.read(ref, RATE).samples[int(start) :][:RATE]
        for ref, start in zip(voices, starts, strict=True)
    ]
    levels = [level_of(Waveform(stretch, RATE), "rms_active") for stretch in stretches]
    again = sum(stretch / level for stretch, level in zip(stretches, levels, strict=True))
    np.testing.assert_allclose(sound, again, atol=1e-4)


def test_babble_stands_at_its_snr_by_p56() -> None:
    """Active speech level over the RMS of the babble."""
    sources = held()
    babble = Babble(voices=sources.refs("speech"), seed=1, snr_db=5.0, snr_definition="p56")

    scene = babble.damage(Scene(SPEECH, SPEECH), sources)

    added = (scene.degraded.samples - SPEECH.samples).astype(np.float64)
    measured = active_level_db(SPEECH.samples, RATE) - to_db(audible_rms(added, RATE))
    assert measured == pytest.approx(5.0, abs=0.01)


def test_silent_voices_are_left_out_and_nothing_else_is_babble() -> None:
    """One that says nothing is not counted; if nobody speaks there is no babble."""
    sources = held(2)
    silent = [sources.add("speech", f"mute {n}", Waveform(np.zeros(RATE, np.float32), RATE)) for n in (1, 2)]

    _, facts = Babble(voices=(*sources.refs("speech"),), seed=0, snr_db=0.0).sound_for(SPEECH, sources)

    assert facts["voices_heard"] == 2.0
    with pytest.raises(UnfitError, match="no voice can be heard"):
        Babble(voices=tuple(silent), seed=0, snr_db=0.0).apply(SPEECH, sources)


@pytest.mark.parametrize("sir_db", [-5.0, 0.0, 20.0])
def test_one_voice_against_the_other_by_their_active_levels(sir_db: float) -> None:
    """By default both are measured while they speak, so pauses of either do not count."""
    sources = held()
    speaker = InterferingSpeaker(voice=sources.refs("speech")[3], offset_fraction=0.4, snr_db=sir_db)

    scene = speaker.damage(Scene(SPEECH, SPEECH), sources)

    added = scene.degraded.samples - SPEECH.samples
    measured = active_level_db(SPEECH.samples, RATE) - active_level_db(added, RATE)
    assert measured == pytest.approx(sir_db, abs=0.01)
    assert scene.facts["snr_db"] == pytest.approx(sir_db, abs=0.01)
    assert scene.reference is SPEECH
