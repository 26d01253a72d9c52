"""PLCMOS: its features and its score are those of the reference code."""

import numpy as np
import pytest

from schemas import Outcome
from stages.metrics.plcmos import RATER_SEED, RATERS, Plcmos, log_power
from stages.networks.dnsmos import find_speechmos_model
from stages.operators.metric import Comparison
from stages.weights.onnx import open_session
from tests.support.speech_like import speech_like


def reference_score(samples: np.ndarray) -> float:
    """Return what the function of the package speechmos gives with the raters of its README."""
    from speechmos import plcmos  # noqa: PLC0415

    np.random.seed(RATER_SEED)  # noqa: NPY002 - the generator that it draws its raters from
    return float(plcmos.run(samples, 16_000)["plcmos"])


@pytest.mark.filterwarnings("ignore:Conversion of an array with ndim > 0:DeprecationWarning")
@pytest.mark.parametrize("seconds", [0.1, 2.0, 4.003])
def test_agrees_with_speechmos(seconds: float) -> None:
    """Score for score, whatever is left of the last window."""
    speech = speech_like(seconds)
    metric = Plcmos()
    metric.load("cpu")

    (values,) = metric.score([Comparison(speech, speech)])

    assert not isinstance(values, Outcome)
    assert values[""] == pytest.approx(reference_score(speech.samples.copy()), abs=1e-5)


def test_raters_share_what_was_heard() -> None:
    """Asked one by one after one hearing, they say bit for bit what the whole network says to each."""
    speech = speech_like(2.0).samples
    metric = Plcmos()
    metric.load("cpu")
    whole = open_session(find_speechmos_model("plcmos_models/plcmos_v2.onnx"), "cpu")
    features = log_power(speech)[None, None]
    raters = np.random.RandomState(RATER_SEED).normal(size=(RATERS, 64)).astype(np.float32)

    scores = metric.hear(speech)

    alone = [whole.run(None, {"degraded_audio": features, "rater_embed": rater[None]})[0] for rater in raters]
    assert scores[""] == np.mean([float(score.item()) for score in alone])


def test_digital_silence_inside_is_far_below_the_rest() -> None:
    """Bins without any power count as 12 bel under the least that has some."""
    samples = np.concatenate([speech_like(0.2).samples, np.zeros(4_800, np.float32)])

    features = log_power(samples)

    natural = features[features > features.min()]
    assert natural.min() - features.min() == pytest.approx(12.0 * np.log(10.0) / 20.0, abs=1e-5)
