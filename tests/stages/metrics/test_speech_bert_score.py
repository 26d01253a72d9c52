"""What SpeechBERTScore promises: the paper's definition, in names that hold model and layer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from schemas import BrokenError, ConfigError, MissingWeightsError, Outcome
from stages.audio.waveform import Samples, Waveform
from stages.metrics.speech_bert_score import SpeechBertScore, precision_recall_f1
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like
from tests.support.speech_networks import write_hubert, write_wavlm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a narrow random HuBERT."""
    return write_hubert(tmp_path_factory.mktemp("hubert"))


def loaded(path: Path, **settings: int | str) -> SpeechBertScore:
    """Return the metric with these weights."""
    metric = SpeechBertScore.model_validate({"path": path, "model": "narrow-hubert", **settings})
    metric.load("cpu")
    return metric


def values_of(metric: SpeechBertScore, candidate: Waveform, clean: Waveform) -> list[float]:
    """Return precision, recall and F1, which must be there."""
    (result,) = metric.score([Comparison(candidate, clean)])
    assert not isinstance(result, Outcome)
    return list(result.values())


def by_definition(path: Path, layer: int, candidate: Samples, clean: Samples) -> tuple[float, float, float]:
    """Return the same by the formulas of the paper, frame by frame."""
    from transformers import HubertModel  # noqa: PLC0415 - after the guard of torchaudio

    network = HubertModel.from_pretrained(path).eval()
    with torch.no_grad():
        ours, theirs = (
            network(torch.tensor(x)[None], output_hidden_states=True).hidden_states[layer][0].double().numpy()
            for x in (candidate, clean)
        )

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    precision = np.mean([max(cosine(frame, other) for other in theirs) for frame in ours])
    recall = np.mean([max(cosine(frame, other) for other in ours) for frame in theirs])
    return float(precision), float(recall), float(2 / (1 / precision + 1 / recall))


@pytest.mark.parametrize("layer", [0, 8, 9])
def test_is_the_paper_s_definition(folder: Path, layer: int) -> None:
    """Mean best cosine of the candidate's frames, of the clean's frames, and their harmonic mean."""
    clean = speech_like(1.0)
    candidate = noisy(clean, 5.0)

    values = values_of(loaded(folder, layer=layer), candidate, clean)

    assert values == pytest.approx(by_definition(folder, layer, candidate.samples, clean.samples), abs=1e-6)


def test_a_copy_is_perfect(folder: Path) -> None:
    """Every frame finds itself."""
    clean = speech_like(1.0)

    assert values_of(loaded(folder), clean, clean) == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)


def test_what_is_missing_costs_recall(folder: Path) -> None:
    """A candidate of one repeated sound is all in the clean speech, but most of the clean is not in it."""
    clean = speech_like(2.0)
    stuck = clean.with_samples(np.resize(clean.samples[:4_000], clean.samples.size))

    precision, recall, _ = values_of(loaded(folder), stuck, clean)

    assert recall < precision


@pytest.mark.parametrize("cosines", [[[0.5], [-0.7]], [[-0.1, -0.2]], [[0.0]]])
def test_opposite_frames_have_no_harmonic_mean(cosines: list[list[float]]) -> None:
    """Of 0.5 and −0.1 it would be −0.25, of 0.3 and −0.29 −17: no number instead of one beyond its range."""
    with pytest.raises(BrokenError, match="F1 has no value"):
        precision_recall_f1([torch.tensor(cosines)])


def test_names_hold_model_and_layer(folder: Path) -> None:
    """Numbers of two models or layers never share a column."""
    names = [
        set(SpeechBertScore(path=folder, model=model, layer=layer).outputs)
        for model, layer in (("hubert-base-ls960", 8), ("hubert-base-ls960", 9), ("wavlm-large", 8))
    ]

    assert "hubert_base_ls960_l8_precision" in names[0]
    assert len(set.union(*names)) == 9


def test_wavlm_serves_as_well(tmp_path: Path) -> None:
    """The folder says which network it is."""
    metric = loaded(write_wavlm(tmp_path), model="narrow-wavlm", layer=2)
    clean = speech_like(1.0)

    precision, recall, f1 = values_of(metric, noisy(clean, 0.0), clean)

    assert min(precision, recall) <= f1 <= max(precision, recall) < 1.0


def test_long_audio_is_heard_in_parts(folder: Path) -> None:
    """Parts are as short as said, and all their frames count."""
    clean = speech_like(3.0)
    candidate = noisy(clean, 5.0)
    metric = loaded(folder)

    heard = [metric.hear(side.samples, longest=24_000) for side in (candidate, clean)]
    precision, recall, _ = metric.compare(*heard).values()

    parts = zip(np.split(candidate.samples, 2), np.split(clean.samples, 2), strict=True)
    halves = [by_definition(folder, 8, *part) for part in parts]
    assert precision == pytest.approx(np.mean([half[0] for half in halves]), abs=1e-6)
    assert recall == pytest.approx(np.mean([half[1] for half in halves]), abs=1e-6)


def test_a_layer_that_is_not_there_is_refused(folder: Path) -> None:
    """Asked for layer 10 of nine, it says how many there are."""
    with pytest.raises(ConfigError, match="9 layers"):
        loaded(folder, layer=10)


def test_own_weights_need_a_name(folder: Path) -> None:
    """Scores of what lies in a folder are called after the published HuBERT only if somebody says so."""
    with pytest.raises(ValidationError, match="say 'model' too"):
        SpeechBertScore(path=folder)

    assert "hubert_base_ls960_l8_f1" in SpeechBertScore(path=folder, model="hubert-base-ls960").outputs


def test_an_unknown_model_needs_a_path() -> None:
    """Without published weights somebody has to say where they are."""
    with pytest.raises(MissingWeightsError, match="path"):
        SpeechBertScore(model="mine").load("cpu")
