"""Wind."""

import numpy as np
import pytest

from schemas import OperatorSpec
from stages.audio.audible import remove_infrasound
from stages.audio.level import peak, ratio_db
from stages.degradations import DEGRADATIONS
from stages.degradations.wind import Wind
from stages.dsp.mixing import measured_snr_db
from tests.support.measured_response import RATE, damaged, density_db
from tests.support.speech_like import speech_like

SPEECH = speech_like(6.0, sample_rate=RATE)


def wind_of(**settings: float | bool) -> Wind:
    """Return wind that turns nothing down and clips nothing, unless told to."""
    return Wind.model_validate({"seed": 4, "snr_db": 0.0, "ratio": 1.0, **settings})


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 15.0])
def test_stands_at_its_snr(snr_db: float) -> None:
    """Without ducking and clipping, what was added is ``snr_db`` under the speech."""
    scene = damaged(wind_of(snr_db=snr_db), SPEECH)

    added = SPEECH.with_samples(scene.degraded.samples - SPEECH.samples)
    assert measured_snr_db(SPEECH, added, "rms_active") == pytest.approx(snr_db, abs=0.01)
    assert scene.facts["snr_db"] == pytest.approx(snr_db, abs=0.01)


def test_is_low_and_comes_in_gusts() -> None:
    """The power falls steeply with frequency, and the level moves by several dB from second to second."""
    scene = damaged(wind_of(gusts_hz=0.5, gust_depth_db=12.0), SPEECH)
    added = SPEECH.with_samples(scene.degraded.samples - SPEECH.samples)

    levels_db = 10 * np.log10(np.mean(added.samples.reshape(12, -1) ** 2, axis=1))

    assert density_db(added, 50.0, 100.0) - density_db(added, 2_000.0, 4_000.0) > 25.0
    assert np.std(levels_db) > 2.0


def test_turns_the_speech_down_while_it_blows() -> None:
    """A wind heard above the threshold lowers the speech by its excess, but for what the ratio leaves."""
    loud = damaged(wind_of(snr_db=-10.0, threshold=0.1, ratio=4.0, attack_ms=5.0), SPEECH)
    spared = damaged(wind_of(snr_db=-10.0, threshold=0.1, ratio=1.0, attack_ms=5.0), SPEECH)

    heard = remove_infrasound(spared.degraded.samples - SPEECH.samples, SPEECH.sample_rate)
    excess_db = 20.0 * np.log10(peak(heard) / 0.1)
    assert loud.facts["most_ducking_db"] == pytest.approx(0.75 * excess_db, abs=0.5)
    assert spared.facts["most_ducking_db"] == 0.0


def test_clips_if_told_to_and_only_then() -> None:
    """Clipping is a boolean: false is false, also after a journey through JSON and through text."""
    clipped = damaged(wind_of(clipping=True, clipping_threshold=0.5), SPEECH)
    whole = damaged(wind_of(clipping=False, clipping_threshold=0.5), SPEECH)
    again = OperatorSpec.model_validate_json(
        wind_of(clipping=False, clipping_threshold=0.5).spec.model_dump_json()
    )
    written = Wind.model_validate({**again.params, "clipping": "False"})

    assert clipped.facts["clipped_fraction"] > 0.0
    assert np.max(clipped.degraded.samples) == pytest.approx(0.5 * np.max(whole.degraded.samples))
    assert whole.facts["clipped_fraction"] == 0.0
    assert DEGRADATIONS.build(again) == written
    assert damaged(written, SPEECH).degraded.samples.tolist() == whole.degraded.samples.tolist()


def test_leaves_the_clean_speech_at_its_level() -> None:
    """The reference is the speech as it was: nothing is scaled behind its back."""
    before = SPEECH.samples.copy()

    scene = damaged(wind_of(snr_db=-10.0, clipping=True, clipping_threshold=0.85), SPEECH)

    np.testing.assert_array_equal(scene.reference.samples, before)
    assert ratio_db(scene.reference.samples, before) == 0.0
    assert peak(scene.degraded.samples) > peak(before)
