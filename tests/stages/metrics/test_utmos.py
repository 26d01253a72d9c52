"""UTMOS: what is made of a checkpoint is the network that it was trained in."""

from pathlib import Path

import numpy as np
import pytest

from schemas import MissingWeightsError, Outcome
from stages.audio.waveform import Waveform
from stages.metrics.utmos import Utmos
from stages.operators.metric import Comparison, Measured
from tests.support.perceptual_networks import tiny_wav2vec2, write_utmos
from tests.support.speech_like import speech_like


def scored(path: Path, candidate: Waveform) -> Measured:
    """Return the score, which must be there."""
    metric = Utmos(path=path)
    metric.load("cpu")
    (values,) = metric.score([Comparison(candidate, candidate)])
    assert not isinstance(values, Outcome), values
    return values


def by_hand(path: Path, speech: Waveform) -> float:
    """Return the score by torchaudio's wav2vec 2.0 and the rest written out."""
    import torch  # noqa: PLC0415

    state = torch.load(path, weights_only=True)
    lstm = torch.nn.LSTM(72, 8, batch_first=True, bidirectional=True)
    lstm.load_state_dict({key[6:]: value for key, value in state.items() if key.startswith("blstm.")})
    with torch.inference_mode():
        (features, _) = tiny_wav2vec2()(torch.from_numpy(speech.samples.copy())[None])
        frames = features.shape[1]
        domain, judge = (state[f"{name}_emb"].repeat(frames, 1)[None] for name in ("domain", "judge"))
        hidden = lstm(torch.cat([features, domain, judge], dim=2))[0]
        first = torch.relu(hidden @ state["projection.0.weight"].T + state["projection.0.bias"])
        scores = first @ state["projection.2.weight"].T + state["projection.2.bias"]
    return float(scores.mean()) * 2.0 + 3.0


def test_is_the_network_of_the_checkpoint(tmp_path: Path) -> None:
    """Names of fairseq end where they belong: another implementation of the same network agrees."""
    path = write_utmos(tmp_path)
    speech = speech_like(2.0)

    assert scored(path, speech)[""] == pytest.approx(by_hand(path, speech), abs=1e-5)


def test_long_speech_is_the_mean_of_its_parts(tmp_path: Path) -> None:
    """A minute is heard as two halves, whose mean it is."""
    path = write_utmos(tmp_path)
    speech = speech_like(60.0)

    halves = [scored(path, speech.with_samples(half))[""] for half in np.split(speech.samples, 2)]

    assert scored(path, speech)[""] == pytest.approx(np.mean(halves), abs=1e-6)


@pytest.mark.parametrize("missing", ["domain_emb", "wav2vec2.encoder.layers.1.fc1.weight"])
def test_refuses_weights_that_lack_a_tensor(tmp_path: Path, missing: str) -> None:
    """Nothing is left random."""
    import torch  # noqa: PLC0415

    path = write_utmos(tmp_path)
    state = torch.load(path, weights_only=True)
    del state[missing]
    torch.save(state, path)

    with pytest.raises(MissingWeightsError, match=r"utmos\.pt is"):
        Utmos(path=path).load("cpu")
