"""VQScore: the cosine that the paper means, a network that starts from clean speech, and its files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas import MissingWeightsError, Outcome
from stages.audio.waveform import Samples, Waveform
from stages.metrics.vqscore import VqScore
from stages.networks.vqscore_training import VqScoreTrainer, VqScoreTraining
from stages.operators.metric import Comparison, Measured
from tests.support.perceptual_networks import write_vqscore
from tests.support.speech_like import noisy, speech_like

TINY = {"codes": 32, "code_width": 8, "outer_width": 16, "inner_width": 16}
TRAINING = VqScoreTraining.model_validate(
    {"batch_size": 4, "stretch_s": 1.0, "learning_rate": 3e-3, "network": TINY}
)


def drawn(rng: np.random.Generator, num_samples: int) -> Samples:
    """Return a stretch of one of many voices."""
    speech = speech_like(3.0, pitch_hz=float(rng.uniform(90.0, 220.0)), tract=float(rng.uniform(0.9, 1.1)))
    start = int(rng.integers(speech.samples.size - num_samples))
    return speech.samples[start : start + num_samples].copy()


def scored(metric: VqScore, candidate: Waveform) -> Measured:
    """Return the score, which must be there."""
    (values,) = metric.score([Comparison(candidate, candidate)])
    assert not isinstance(values, Outcome), values
    return values


def test_is_the_mean_cosine_to_the_nearest_code(tmp_path: Path) -> None:
    """By hand: each frame of the encoder, its cosine to every code, the largest of them, and their mean."""
    import torch  # noqa: PLC0415

    from stages.networks.vqscore import VqScoreNetwork, load_network, magnitudes_of  # noqa: PLC0415

    path = write_vqscore(tmp_path)
    settings, state = load_network(path)
    network = VqScoreNetwork(settings)
    network.load_state_dict(dict(state))
    speech = speech_like(2.0)
    metric = VqScore(path=path)
    metric.load("cpu")

    with torch.inference_mode():
        waveform = torch.from_numpy(speech.samples.copy())[None]
        frames = network.encode(magnitudes_of(waveform))[0].numpy()
    codes = network.codes.vectors.numpy()
    cosines = frames @ codes.T / np.linalg.norm(frames, axis=1)[:, None]
    assert scored(metric, speech)[""] == pytest.approx(cosines.max(axis=1).mean(), abs=1e-4)


def test_spectra_are_those_of_the_paper() -> None:
    """Magnitudes of 32 ms every 16 ms under a Hann window, centred, floored at a power of 1e-7."""
    import torch  # noqa: PLC0415

    from stages.networks.vqscore import magnitudes_of  # noqa: PLC0415

    speech = np.concatenate([speech_like(0.5).samples, np.zeros(4_096, np.float32)])

    magnitudes = magnitudes_of(torch.from_numpy(speech)[None])[0].numpy()

    padded = np.pad(speech.astype(float), 256, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = [padded[start : start + 512] * window for start in range(0, padded.size - 511, 256)]
    power = np.abs(np.fft.rfft(frames)) ** 2
    np.testing.assert_allclose(magnitudes, np.sqrt(np.maximum(power, 1e-7)), atol=1e-5)


def test_training_makes_the_loss_fall_and_hears_noise(tmp_path: Path) -> None:
    """After some hundred steps on clean speech alone, noisier speech is farther from the codes."""
    from stages.networks.vqscore import save_network  # noqa: PLC0415

    trainer = VqScoreTrainer(TRAINING, drawn, "cpu")

    losses = [trainer.step().total for _ in range(150)]

    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    save_network(trainer.network, TRAINING.network, tmp_path / "weights")
    metric = VqScore(path=tmp_path / "weights")
    metric.load("cpu")
    clean = speech_like(4.0, pitch_hz=150.0)
    scores = [scored(metric, clean)[""], *(scored(metric, noisy(clean, snr))[""] for snr in (10.0, 0.0))]
    assert scores == sorted(scores, reverse=True)


def test_training_that_stops_goes_on_as_if_it_had_not() -> None:
    """Six steps, and three, a restored state and three more, end in the same bits."""
    import torch  # noqa: PLC0415

    whole = VqScoreTrainer(TRAINING, drawn, "cpu")
    whole_losses = [whole.step() for _ in range(6)]
    first = VqScoreTrainer(TRAINING, drawn, "cpu")
    first_losses = [first.step() for _ in range(3)]

    second = VqScoreTrainer(TRAINING, drawn, "cpu")
    second.restore(first.state)
    losses = first_losses + [second.step() for _ in range(3)]

    assert losses == whole_losses
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name


def test_another_seed_is_another_training() -> None:
    """Weights and stretches both come from the seed."""
    other = VqScoreTrainer(TRAINING.model_copy(update={"seed": 1}), drawn, "cpu")

    assert other.step() != VqScoreTrainer(TRAINING, drawn, "cpu").step()


def test_codes_are_directions_of_the_first_batch() -> None:
    """K-means leaves every code at length 1, and no frame far from all of them."""
    import torch  # noqa: PLC0415

    from stages.networks.vqscore import Codebook  # noqa: PLC0415

    generator = torch.Generator().manual_seed(0)
    centres = torch.nn.functional.normalize(torch.randn(4, 8, generator=generator), dim=1)
    frames = (centres[:, None] + 0.01 * torch.randn(4, 50, 8, generator=generator)) * 3.0
    codes = Codebook(16, 8)

    codes.start(frames, generator)

    assert torch.allclose(codes.vectors.norm(dim=1), torch.ones(16), atol=1e-5)
    cosine = torch.nn.functional.cosine_similarity(frames, codes.find_nearest(frames), dim=2)
    assert cosine.min() > 0.99


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_says_which_file_is_missing(tmp_path: Path, file: str) -> None:
    """Half a folder is refused by the name of the other half."""
    path = write_vqscore(tmp_path)
    (path / file).unlink()

    with pytest.raises(MissingWeightsError, match=file):
        VqScore(path=path).load("cpu")


def _in_names_of_the_authors(path: Path, **changes: Any) -> Path:
    """Write the network of a folder as its authors' training does: state, optimizer and schedule."""
    import torch  # noqa: PLC0415

    from stages.networks.vqscore import load_network  # noqa: PLC0415

    _, state = load_network(path)
    theirs: dict[str, Any] = {"quantizer.quantizer._codebook.initted": torch.ones(1)}
    for name, tensor in state.items():
        part, *rest = name.split(".")
        if part == "codes":
            called = {"vectors": "embed", "counts": "cluster_size", "sums": "embed_avg"}[rest[0]]
            theirs[f"quantizer.quantizer._codebook.{called}"] = tensor[None]
        else:
            layer = f"conv_{part[:3]}{int(rest[0]) + 1}"
            theirs[f"CNN_1D_{part}.{layer}.{rest[1]}"] = tensor
    kept = {"optimizer": {"VQVAE": {"state": {}}}, "steps": 7, "model": {"VQVAE": {**theirs, **changes}}}
    torch.save(kept, path / "checkpoint-dnsmos_ovr_CC=0.835.pkl")
    return path / "checkpoint-dnsmos_ovr_CC=0.835.pkl"


def test_a_checkpoint_in_the_names_of_the_authors_is_the_same_network(tmp_path: Path) -> None:
    """Their names, codebooks of one head, sizes found in the shapes: the same score to the bit."""
    path = write_vqscore(tmp_path)
    speech = speech_like(1.0)
    ours, theirs = VqScore(path=path), VqScore(path=_in_names_of_the_authors(path))
    for metric in (ours, theirs):
        metric.load("cpu")

    assert scored(theirs, speech) == scored(ours, speech)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("CNN_1D_encoder.transformer_encoder.weight", "transformer_encoder"),
        ("quantizer.quantizer._codebook.initted", "trained: False"),
    ],
)
def test_a_checkpoint_of_another_network_of_theirs_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """Loading is strict: a tensor without a place is said, and codes that were never learned are none."""
    import torch  # noqa: PLC0415

    path = _in_names_of_the_authors(write_vqscore(tmp_path), **{name: torch.zeros(1)})

    with pytest.raises(MissingWeightsError, match=why):
        VqScore(path=path).load("cpu")
