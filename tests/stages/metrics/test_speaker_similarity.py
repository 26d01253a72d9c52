"""Speaker similarity: the networks as their libraries run them, and what their weights may be."""

from pathlib import Path

import numpy as np
import pytest

from schemas import MissingWeightsError, Outcome
from stages.audio.waveform import Samples
from stages.metrics.common.speaker_similarity import SpeakerSimilarity
from stages.metrics.ecapa_speaker_similarity import EcapaSpeakerSimilarity
from stages.metrics.wavlm_speaker_similarity import WavlmSpeakerSimilarity
from stages.operators.metric import Comparison
from tests.support.speaker_networks import write_ecapa, write_wavlm_speakers
from tests.support.speech_like import noisy, speech_like


def cosine(metric: SpeakerSimilarity, *sides: Samples) -> float:
    """Return the cosine of two embeddings."""
    left, right = (metric.embed(side) for side in sides)
    return float(np.dot(left, right) / np.linalg.norm(left) / np.linalg.norm(right))


def scored(metric: SpeakerSimilarity, comparison: Comparison) -> float:
    """Return the one value."""
    (result,) = metric.score([comparison])
    assert not isinstance(result, Outcome), result
    return result[""]


@pytest.fixture(params=["ecapa", "wavlm"])
def metric(request: pytest.FixtureRequest, tmp_path: Path) -> SpeakerSimilarity:
    """Return each of them, with small random weights."""
    found: SpeakerSimilarity = (
        EcapaSpeakerSimilarity(path=write_ecapa(tmp_path))
        if request.param == "ecapa"
        else WavlmSpeakerSimilarity(path=write_wavlm_speakers(tmp_path))
    )
    found.load("cpu")
    return found


def test_ecapa_embeds_as_speechbrain_does(tmp_path: Path) -> None:
    """Features, normalisation and network chained as in SpeechBrain's own recipe give the same numbers."""
    metric = EcapaSpeakerSimilarity(path=write_ecapa(tmp_path))
    metric.load("cpu")
    import torch  # noqa: PLC0415
    from speechbrain.lobes.features import Fbank  # noqa: PLC0415
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN  # noqa: PLC0415
    from speechbrain.processing.features import InputNormalization  # noqa: PLC0415

    speech = speech_like(2.0).samples
    network = ECAPA_TDNN(
        80, lin_neurons=12, channels=[16, 16, 16, 16, 48], attention_channels=8, se_channels=8
    ).eval()
    network.load_state_dict(torch.load(tmp_path / "embedding_model.ckpt", weights_only=True))
    whole = torch.ones(1)
    with torch.inference_mode():
        bands = Fbank(n_mels=80)(torch.from_numpy(speech.copy())[None])
        centred = InputNormalization(norm_type="sentence", std_norm=False)(bands, whole)
        expected = network(centred, whole)[0, 0].numpy()

    np.testing.assert_allclose(metric.embed(speech), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("safe", [True, False])
def test_wavlm_embeds_as_transformers_does(tmp_path: Path, *, safe: bool) -> None:
    """From safetensors or from a file of tensors alone, with samples normalised as the folder says."""
    metric = WavlmSpeakerSimilarity(path=write_wavlm_speakers(tmp_path, safe=safe))
    metric.load("cpu")
    import torch  # noqa: PLC0415
    from transformers import WavLMForXVector  # noqa: PLC0415

    write_wavlm_speakers(tmp_path)
    speech = speech_like(2.0).samples
    normalised = (speech - speech.mean()) / np.sqrt(speech.var() + 1e-7)
    with torch.inference_mode():
        network = WavLMForXVector.from_pretrained(tmp_path).eval()
        expected = network(torch.from_numpy(normalised)[None]).embeddings[0].numpy()

    np.testing.assert_allclose(metric.embed(speech), expected, rtol=1e-4, atol=1e-6)


def test_the_score_is_the_cosine(metric: SpeakerSimilarity) -> None:
    """Of both embeddings; a copy has 1."""
    clean = speech_like(2.0)
    candidate = noisy(clean, 0.0)

    value = scored(metric, Comparison(candidate, clean))

    assert value == pytest.approx(cosine(metric, candidate.samples, clean.samples), abs=1e-6)
    assert scored(metric, Comparison(clean, clean)) == pytest.approx(1.0, abs=1e-12)


def test_long_recordings_are_heard_in_parts(metric: SpeakerSimilarity) -> None:
    """40 s are the sum of the directions of twice 20 s."""
    clean = speech_like(40.0)
    halves = np.array_split(clean.samples, 2)
    directions = [metric.embed(half) / np.linalg.norm(metric.embed(half)) for half in halves]
    whole = np.sum(directions, axis=0) / np.linalg.norm(np.sum(directions, axis=0))
    copies = clean.with_samples(np.tile(halves[0], 2))

    value = scored(metric, Comparison(clean, copies))

    assert value == pytest.approx(float(np.dot(whole, directions[0])), abs=1e-6)


def test_what_is_no_ecapa_is_refused(tmp_path: Path) -> None:
    """A state of another network says what it lacks, before the run."""
    import torch  # noqa: PLC0415

    path = tmp_path / "other.ckpt"
    torch.save({"weight": torch.zeros(3)}, path)

    with pytest.raises(MissingWeightsError, match=r"no ECAPA_TDNN of SpeechBrain: it lacks 'blocks"):
        EcapaSpeakerSimilarity(path=path).load("cpu")


def test_a_folder_without_preprocessor_is_refused(tmp_path: Path) -> None:
    """Whether samples are normalised is not guessed."""
    folder = write_wavlm_speakers(tmp_path)
    (folder / "preprocessor_config.json").unlink()

    with pytest.raises(MissingWeightsError, match=r"lacks preprocessor_config\.json"):
        WavlmSpeakerSimilarity(path=folder).load("cpu")
