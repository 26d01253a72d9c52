"""NISQA: its features are librosa's, its network is the published one, and it refuses other checkpoints."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import MissingWeightsError, Outcome, Reason
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics.nisqa import Nisqa, mel_segments
from stages.operators.metric import Comparison, Measured
from tests.support.perceptual_networks import NISQA_SETTINGS, write_nisqa
from tests.support.speech_like import noisy, speech_like


def scored(metric: Nisqa, candidate: Waveform) -> Measured:
    """Return the scores, which must be there."""
    (values,) = metric.score([Comparison(candidate, candidate)])
    assert not isinstance(values, Outcome), values
    return values


def loaded(path: Path) -> Nisqa:
    """Return the metric with the weights in ``path``."""
    metric = Nisqa(path=path)
    metric.load("cpu")
    return metric


@pytest.mark.parametrize("seconds", [0.14, 1.0, 11.5])
def test_features_are_those_of_librosa(seconds: float) -> None:
    """Mel bands in dB agree with librosa to a thousandth of a decibel, and so do their number and order."""
    import librosa  # noqa: PLC0415

    speech = speech_like(seconds, sample_rate=48_000).samples

    segments = mel_segments(speech, NISQA_SETTINGS)

    magnitudes = librosa.feature.melspectrogram(
        y=speech,
        sr=48_000,
        n_fft=4096,
        hop_length=480,
        win_length=960,
        pad_mode="reflect",
        power=1.0,
        n_mels=48,
        fmax=20_000.0,
    )
    decibels = librosa.amplitude_to_db(magnitudes, ref=1.0, amin=1e-4, top_db=80.0)
    starts = range(0, decibels.shape[1] - 14, 4)
    expected = np.stack([decibels[:, start : start + 15] for start in starts])
    np.testing.assert_allclose(segments, expected, atol=1e-3)


def test_a_clip_without_a_segment_is_too_short(tmp_path: Path) -> None:
    """Under 0.14 s there is nothing to hear, at 0.14 s there is one segment."""
    metric = loaded(write_nisqa(tmp_path))
    short, enough = (speech_like(seconds, sample_rate=48_000) for seconds in (0.139, 0.14))

    first, second = metric.score([Comparison(short, short), Comparison(enough, enough)])

    assert isinstance(first, Outcome)
    assert first.reason is Reason.TOO_SHORT
    assert not isinstance(second, Outcome)


def test_long_speech_is_the_mean_of_its_parts(tmp_path: Path) -> None:
    """Ten minutes are twelve parts of the length that the network was made for, and have a score."""
    metric = loaded(write_nisqa(tmp_path))
    long = Waveform(np.tile(speech_like(20.0, sample_rate=48_000).samples, 30), 48_000)

    values = scored(metric, long)

    twenty_seconds = scored(metric, long.with_samples(long.samples[: 20 * 48_000]))
    assert values["mos"] == pytest.approx(twenty_seconds["mos"], abs=0.1)


@pytest.mark.shared_data
def test_agrees_with_torchmetrics(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the published weights, all five scores of real recordings are torchmetrics' within 1e-4."""
    import torch  # noqa: PLC0415
    from torchmetrics.functional.audio import nisqa  # noqa: PLC0415

    shutil.copy(shared_data / "metrics" / "nisqa" / "nisqa.tar", tmp_path)
    monkeypatch.setattr(nisqa, "NISQA_DIR", str(tmp_path))
    metric = loaded(tmp_path / "nisqa.tar")
    for path in sorted((shared_data / "golden" / "voicebank_demand" / "noisy").glob("*.flac"))[:5]:
        speech = resample(Waveform(*soundfile.read(path, dtype="float32")), 48_000)
        values = scored(metric, speech)

        samples = torch.from_numpy(speech.samples.copy())
        with warnings.catch_warnings(action="ignore"):
            theirs = nisqa.non_intrusive_speech_quality_assessment(samples, 48_000).tolist()

        names = ("mos", "noisiness", "discontinuity", "coloration", "loudness")
        assert values == pytest.approx(dict(zip(names, theirs, strict=True)), abs=1e-4)
    nisqa._load_nisqa_model.cache_clear()  # noqa: SLF001 - weights of a folder that is gone


@pytest.mark.shared_data
def test_knows_the_published_weights(shared_data: Path) -> None:
    """What the operator says of its weights is what they are."""
    path = shared_data / "metrics" / "nisqa" / "nisqa.tar"
    (file,) = Nisqa().published.files

    assert Nisqa(path=path).with_digests().sha256 == file.sha256
    assert path.stat().st_size == file.size_bytes


@pytest.mark.shared_data
def test_refuses_the_variant_with_one_score(shared_data: Path) -> None:
    """NISQA-TTS is a checkpoint of another network, and is said to be."""
    metric = Nisqa(path=shared_data / "metrics" / "nisqa" / "nisqa_tts.tar")

    with pytest.raises(MissingWeightsError, match="not the NISQA_DIM"):
        metric.load("cpu")


def test_refuses_weights_that_lack_a_tensor(tmp_path: Path) -> None:
    """A checkpoint is put in key by key or not at all."""
    import torch  # noqa: PLC0415

    path = write_nisqa(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["model_state_dict"]["cnn.model.conv3.bias"]
    torch.save(checkpoint, path)

    with pytest.raises(MissingWeightsError, match=r"lacks 1 tensors, as cnn\.model\.conv3\.bias"):
        Nisqa(path=path).load("cpu")


def test_runs_no_code_of_a_checkpoint(tmp_path: Path) -> None:
    """A pickle that would call something is refused unopened."""
    import torch  # noqa: PLC0415

    path = tmp_path / "nisqa.tar"
    torch.save({"args": Path.cwd, "model_state_dict": {}}, path)

    with pytest.raises(MissingWeightsError, match="run code of its own"):
        Nisqa(path=path).load("cpu")


@pytest.mark.shared_data
def test_the_published_weights_hear_noise(shared_data: Path) -> None:
    """Why overall quality may vote: on real speech it falls by more than its noise floor with every 10 dB."""
    metric = loaded(shared_data / "metrics" / "nisqa" / "nisqa.tar")
    floor = metric.outputs["mos"].noise_floor
    for speaker in ("p225_007", "p238_069", "p245_029"):
        path = shared_data / "speech" / "vctk16k" / f"{speaker}.flac"
        clean = Waveform(*soundfile.read(path, dtype="float32"))

        candidates = [clean, *(noisy(clean, snr_db) for snr_db in (25.0, 15.0, 5.0))]
        scores = [scored(metric, resample(candidate, 48_000))["mos"] for candidate in candidates]

        assert np.diff(scores).max() < -floor, scores
