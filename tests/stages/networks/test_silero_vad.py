"""Whether anybody speaks: real speech and real noise, as the published network hears them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from stages.audio.level import from_db
from stages.audio.loudness import active_level_db
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.networks.silero_vad import SILERO_VAD, VAD_SAMPLE_RATE, VAD_WINDOW, VoiceActivity
from stages.weights.files import file_digest
from tests.support.speech_networks import write_voice_activity


def heard(path: Path) -> Samples:
    """Return ten seconds of a recording as the recogniser would get them."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=480_000)
    mono = resample(Waveform(samples[:, 0], rate), VAD_SAMPLE_RATE).samples[: 10 * VAD_SAMPLE_RATE]
    mono = mono - mono.mean()
    return mono * np.float32(from_db(-26.0 - active_level_db(mono, VAD_SAMPLE_RATE)))


@pytest.mark.shared_data
def test_tells_speech_from_noise(shared_data: Path) -> None:
    """Speech of every group counts as speech; of 31 noises, next to none does."""
    network = shared_data / "metrics" / "silero_vad" / SILERO_VAD.name
    assert file_digest(network) == SILERO_VAD.sha256
    voice = VoiceActivity.load(network)

    speech = [voice.speaks(heard(path)) for path in sorted((shared_data / "speech").glob("*/*.flac"))[::5]]
    noise = [voice.speaks(heard(path)) for path in sorted((shared_data / "noise").iterdir())]

    assert all(speech)
    assert sum(noise) <= 2, "a crying baby may pass for speech"


def test_hears_the_end_and_forgets_the_recording_before(tmp_path: Path) -> None:
    """The last, unfinished window counts, and what was heard before changes nothing."""
    voice = VoiceActivity.load(write_voice_activity(tmp_path))
    late = np.zeros(10 * VAD_WINDOW + 100, np.float32)
    late[-100:] = 0.5

    first = voice.probabilities(late)
    voice.probabilities(np.full(VAD_WINDOW, 0.5, np.float32))

    assert first.shape == (11,)
    assert first[-1] > 0.5 > first[-2]
    assert voice.probabilities(late).tolist() == first.tolist()


@pytest.mark.parametrize(("seconds", "expected"), [(0.2, False), (0.3, True)])
def test_a_quarter_of_a_second_is_speech(tmp_path: Path, seconds: float, expected: bool) -> None:  # noqa: FBT001
    """Less than 0.25 s of voice is a click or a breath."""
    voice = VoiceActivity.load(write_voice_activity(tmp_path))
    samples = np.zeros(2 * VAD_SAMPLE_RATE, np.float32)
    samples[: round(seconds * VAD_SAMPLE_RATE)] = 0.1

    assert voice.speaks(samples) is expected


def test_long_pauses_part_stretches_and_short_ones_do_not(tmp_path: Path) -> None:
    """What is said before and after three seconds of silence is two stretches, with a little around each."""
    voice = VoiceActivity.load(write_voice_activity(tmp_path))
    said = np.zeros(10 * VAD_SAMPLE_RATE, np.float32)
    for start_s, end_s in ((1.0, 2.0), (3.0, 4.0), (7.0, 8.0)):
        said[round(start_s * VAD_SAMPLE_RATE) : round(end_s * VAD_SAMPLE_RATE)] = 0.5

    stretches = voice.stretches(said)

    expected = [(0.6, 4.4), (6.6, 8.4)]
    found = [(start / VAD_SAMPLE_RATE, end / VAD_SAMPLE_RATE) for start, end in stretches]
    assert np.array(found) == pytest.approx(np.array(expected), abs=2 * VAD_WINDOW / VAD_SAMPLE_RATE)
    assert voice.stretches(np.zeros(VAD_SAMPLE_RATE, np.float32)) == []
