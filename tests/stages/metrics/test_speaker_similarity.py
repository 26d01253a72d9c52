"""Speaker similarity: the networks as their libraries run them, and what their weights may be."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import MissingWeightsError, Outcome
from stages.audio.waveform import Samples, Waveform
from stages.metrics.common.speaker_similarity import SpeakerSimilarity
from stages.metrics.dvector_speaker_similarity import DvectorSpeakerSimilarity, log_mel_windows
from stages.metrics.ecapa_speaker_similarity import EcapaSpeakerSimilarity
from stages.metrics.ge2e_speaker_similarity import (
    Ge2eSpeakerSimilarity,
    ge2e_window_starts,
    mel_windows,
)
from stages.metrics.wavlm_speaker_similarity import WavlmSpeakerSimilarity
from stages.operators.metric import Comparison
from tests.support.fetched_weights import require_fetched
from tests.support.speaker_networks import write_dvectors, write_ecapa, write_ge2e, write_wavlm_speakers
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


MAKERS = {
    "dvector": lambda folder: DvectorSpeakerSimilarity(path=write_dvectors(folder)),
    "ecapa": lambda folder: EcapaSpeakerSimilarity(path=write_ecapa(folder)),
    "ge2e": lambda folder: Ge2eSpeakerSimilarity(path=write_ge2e(folder)),
    "wavlm": lambda folder: WavlmSpeakerSimilarity(path=write_wavlm_speakers(folder)),
}


@pytest.fixture(params=list(MAKERS))
def metric(request: pytest.FixtureRequest, tmp_path: Path) -> SpeakerSimilarity:
    """Return each of them, with small random weights."""
    found: SpeakerSimilarity = MAKERS[request.param](tmp_path)
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


@pytest.mark.parametrize(
    ("size", "starts"),
    [
        (8_000, [0]),
        (25_600, [0]),
        (31_519, [0]),
        (31_520, [0, 77]),  # three quarters of the second window
        (44_320, [0, 77, 154]),
    ],
)
def test_windows_of_ge2e_are_those_of_its_package(size: int, starts: list[int]) -> None:
    """1.6 s every 0.77 s; the last counts if three quarters of it are speech."""
    assert ge2e_window_starts(size) == starts


def test_ge2e_hears_what_librosa_gives() -> None:
    """Mel bands of power, with zeros before and behind, at −30 dBFS if the recording is quieter."""
    import librosa  # noqa: PLC0415

    quiet = speech_like(2.0).scale(0.01).samples
    louder = quiet * np.float32(10.0 ** (-30.0 / 20.0) / np.sqrt(np.mean(np.square(quiet, dtype=np.float64))))
    padded = np.pad(louder, (0, (77 + 160) * 160 - quiet.size))

    windows = mel_windows(quiet)

    bands = librosa.feature.melspectrogram(y=padded, sr=16_000, n_fft=400, hop_length=160, n_mels=40).T
    np.testing.assert_allclose(windows, np.stack([bands[:160], bands[77:237]]), rtol=1e-3, atol=1e-8)


def test_dvectors_hear_what_librosa_gives() -> None:
    """Logarithms of mel bands, in as many half overlapping windows as are whole."""
    import librosa  # noqa: PLC0415

    speech = speech_like(2.0).samples

    windows = log_mel_windows(speech)

    bands = librosa.feature.melspectrogram(
        y=speech, sr=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=40
    ).T
    expected = np.log10(bands + 1e-6)
    assert len(windows) == 4
    np.testing.assert_allclose(windows[1], expected[40:120], atol=1e-4)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Ge2eSpeakerSimilarity, 0.9743999242782593),  # Resemblyzer 0.1.4, without trimming
        (
            DvectorSpeakerSimilarity,
            0.9704127311706543,
        ),  # its graph by onnxruntime 1.31 on bands by librosa 0.11
    ],
)
def test_agrees_with_its_package_on_a_real_recording(
    kind: type[SpeakerSimilarity], expected: float, shared_data: Path
) -> None:
    """Noisy and clean speech are as similar as the published encoder says."""
    metric = kind()
    require_fetched(metric.published)
    metric.load("cpu")
    folder = shared_data / "golden" / "voicebank_demand"
    sides = [
        Waveform(*soundfile.read(folder / side / "p257_011.flac", dtype="float32"))
        for side in ("noisy", "clean")
    ]

    assert scored(metric, Comparison(*sides)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", [DvectorSpeakerSimilarity, Ge2eSpeakerSimilarity])
def test_knows_speakers_apart(kind: type[SpeakerSimilarity], shared_data: Path) -> None:
    """With the published weights, a sentence is nearest to the same of four speakers."""
    metric = kind()
    require_fetched(metric.published)
    metric.load("cpu")
    folder = shared_data / "speech" / "vctk16k"
    sentences = (
        ("p225_007", "p238_069", "p245_029", "p248_033"),
        ("p225_064", "p238_262", "p245_074", "p248_042"),
    )
    first, second = (
        [metric.hear(soundfile.read(folder / f"{name}.flac", dtype="float32")[0]) for name in names]
        for names in sentences
    )

    cosines = np.stack(first) @ np.stack(second).T

    assert cosines.argmax(axis=1).tolist() == [0, 1, 2, 3]
