"""What ladders promise: each step is worse than the last, and every utterance meets the same ones again."""

import numpy as np
import pytest

from stages.audio.level import ratio_db
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.calibration.ladders import LADDERS, Foot, Ladder, Spoken, splice_speakers, split_by_speaker
from tests.support.speech_like import speech_like

BY_NAME = {ladder.name: ladder for ladder in LADDERS}


def spoken(name: str, speaker: str | None, pitch_hz: float) -> Spoken:
    """Return six seconds of somebody's speech: 300 packets, of which two percent can be lost."""
    return Spoken(name, speech_like(6.0, pitch_hz=pitch_hz), speaker)


@pytest.fixture(scope="module")
def foot() -> Foot:
    """Return an utterance with others by the same speaker and by another one."""
    same, other = (speech_like(6.0, pitch_hz=hertz) for hertz in (200.0, 110.0))
    return Foot(spoken("a", "ann", 210.0), same_speaker=same, other_speaker=other)


@pytest.mark.parametrize("ladder", LADDERS, ids=list(BY_NAME))
def test_every_step_is_worse(ladder: Ladder, foot: Foot) -> None:
    """There are five steps at least, as long as the utterance, each farther from it than the one before."""
    clean = foot.spoken.waveform

    climbed = ladder.versions_of(foot)

    assert len(climbed) == len(ladder.steps) >= 5
    assert {step.samples.size for step in climbed} == {clean.samples.size}
    distances = [ratio_db(clean.samples, step.samples - clean.samples) for step in climbed]
    assert all(np.diff(distances) < 0.0), distances


@pytest.mark.parametrize("ladder", LADDERS, ids=list(BY_NAME))
def test_a_ladder_is_the_same_every_time(ladder: Ladder, foot: Foot) -> None:
    """Nothing is drawn that the utterance and the ladder do not name."""
    first, second = ladder.versions_of(foot), ladder.versions_of(foot)

    assert [step.samples.tobytes() for step in first] == [step.samples.tobytes() for step in second]


@pytest.mark.parametrize(
    ("place", "same", "others"), [(0, [2], [1, 4]), (1, [], [2, 4, 0]), (2, [0], [4, 1]), (3, [], [])]
)
def test_words_and_voices_come_from_whom_they_should(place: int, same: list[int], others: list[int]) -> None:
    """The next ones come first; of who is not known nobody can say whether it is another one."""
    speakers = ["ann", "bob", "ann", None, "eve"]

    assert split_by_speaker(place, speakers) == (same, others)


def test_nobody_to_replace_with_is_no_ladder() -> None:
    """Who is alone cannot be replaced; other damage goes on."""
    alone = Foot(spoken("a", "ann", 210.0), same_speaker=None, other_speaker=None)

    assert BY_NAME["other speaker"].versions_of(alone) == []
    assert BY_NAME["other words"].versions_of(alone) == []
    assert len(BY_NAME["clipping"].versions_of(alone)) == 5


def test_a_splice_replaces_the_middle_at_the_same_level() -> None:
    """Half of it is the other recording, as loud as the speech, and the rest is untouched."""
    speech = speech_like(2.0)
    other = speech_like(3.0, pitch_hz=210.0).scale(0.05)

    half = splice_speakers(speech, other, 50.0).samples
    whole = splice_speakers(speech, other, 100.0)

    rest = np.r_[0:7_000, 25_000:32_000]
    assert half[rest].tolist() == speech.samples[rest].tolist()
    assert np.abs(half[9_000:23_000] - speech.samples[9_000:23_000]).max() > 0.01
    assert active_level_db(whole.samples, whole.sample_rate) == pytest.approx(
        active_level_db(speech.samples, speech.sample_rate), abs=1.5
    )


def test_recordings_of_other_rates_fit() -> None:
    """Whoever is spliced in may have been recorded at another rate."""
    speech = speech_like(1.0, sample_rate=24_000)

    assert isinstance(splice_speakers(speech, speech_like(1.0), 50.0), Waveform)
    assert splice_speakers(speech, speech_like(1.0), 50.0).sample_rate == 24_000
