"""VQScore's network for enhancement: its codes, its authors' checkpoint, and how it is trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from pipeline.cli.commands.train import train_vq_enhance_command
from schemas import MissingWeightsError
from stages.networks.vq_enhancement import VqEnhancementSettings, VqEnhancer, load_vq_enhancer
from stages.networks.vq_enhancement_training import NOISE_RATIOS, VqEnhancementTrainer, VqEnhancementTraining
from stages.restorers.vq_enhance import VqEnhance
from tests.support.neural_weights import write_vq_enhancer
from tests.support.speech_like import speech_like

SMALL = {"codes": 16, "code_width": 16, "outer_width": 8, "inner_width": 8}
SETTINGS = {"batch_size": 2, "stretch_s": 0.4, "learning_rate": 3e-3, "clean_steps": 3, "network": SMALL}


def speech(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    """Return a stretch of a voice whose pitch is drawn."""
    voice = speech_like(num_samples / 16_000, pitch_hz=float(rng.uniform(90, 250)), sample_rate=16_000)
    return voice.samples[:num_samples]


def trainer(**changes: object) -> VqEnhancementTrainer:
    """Return a small training of half a second per step."""
    return VqEnhancementTrainer(VqEnhancementTraining.model_validate(SETTINGS | changes), speech, "cpu")


def their_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors as the authors call them."""
    found = {"quantizer.quantizer._codebook.initted": torch.tensor([True])}
    codes = {"vectors": "embed", "counts": "cluster_size", "sums": "embed_avg"}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        if part == "codes":
            found[f"quantizer.quantizer._codebook.{codes[rest]}"] = tensor[None]
        elif part.startswith("attend"):
            side = {"attend_in": "encoder", "attend_out": "decoder"}[part]
            found[f"CNN_1D_{side}.transformer_{side}.{rest}"] = tensor
        else:
            number, _, what = rest.partition(".")
            found[f"CNN_1D_{part}.conv_{part[:3]}{int(number) + 1}.{what}"] = tensor
    return found


def test_what_is_said_is_said_in_codes(tmp_path: Path) -> None:
    """Each frame is one of the code vectors, whatever came in; phases and length are those of the input."""
    settings, state = load_vq_enhancer(write_vq_enhancer(tmp_path))
    network = VqEnhancer(settings).eval()
    network.load_state_dict(dict(state))
    waveforms = torch.from_numpy(speech_like(0.7, sample_rate=16_000).samples.copy())[None]

    encoded = network.encode(torch.rand(1, 9, 257))
    spoken = network.codes(encoded)

    distances = torch.cdist(encoded[0], network.codes.vectors)
    assert torch.equal(network.codes.choose(encoded)[0], distances.argmin(dim=1))
    assert torch.equal(spoken[0], network.codes.vectors[distances.argmin(dim=1)])
    assert torch.equal(network.codes.logits(encoded), -distances)
    with torch.inference_mode():
        assert network(waveforms).shape == waveforms.shape


def test_the_authors_checkpoint_is_read_by_its_names(tmp_path: Path) -> None:
    """The same network gives the same audio from either file; their network for quality is told apart."""
    folder = write_vq_enhancer(tmp_path / "ours")
    _, state = load_vq_enhancer(folder)
    theirs = their_names(dict(state))
    torch.save({"model": {"VQVAE": theirs}}, tmp_path / "theirs.pkl")
    given = speech_like(0.5, sample_rate=16_000)

    outputs = []
    for path in (folder, tmp_path / "theirs.pkl"):
        restorer = VqEnhance(path=path).with_digests()
        restorer.load("cpu")
        outputs.append(restorer.restore_one(given).tobytes())

    assert outputs[0] == outputs[1]
    quality = {name: tensor for name, tensor in theirs.items() if "transformer" not in name}
    torch.save({"model": {"VQVAE": quality}}, tmp_path / "quality.pkl")
    with pytest.raises(MissingWeightsError, match="network for quality, not for enhancement"):
        load_vq_enhancer(tmp_path / "quality.pkl")
    torch.save({"model": {}}, tmp_path / "other.pkl")
    with pytest.raises(MissingWeightsError, match="no checkpoint of VQScore's authors"):
        load_vq_enhancer(tmp_path / "other.pkl")


def test_clean_speech_teaches_codes_and_then_the_network_itself() -> None:
    """The spectrum is said better and better; once the network is its own teacher, codes stay."""
    training = trainer(clean_steps=25)
    losses = [training.step() for _ in range(25)]
    assert losses[-1].spectrum < 0.8 * losses[0].spectrum
    codes = training.network.codes.vectors.clone()

    taught = [training.step() for _ in range(3)]

    assert torch.equal(training.network.codes.vectors, codes)
    assert all(np.isfinite(loss.total) for loss in taught)


def test_noise_leads_the_encoder_astray() -> None:
    """More than as much noise that is random does; its level is drawn from a range."""
    training = trainer()
    for _ in range(4):
        training.step()
    network: Any = training.network.eval()
    waveforms = training._batch()  # noqa: SLF001 - as a step draws it
    wanted = network.codes.choose(network.encode(_features(waveforms))).flatten()

    noisy = training._lead_astray(waveforms, wanted)  # noqa: SLF001 - what steps are made of

    added = noisy - waveforms
    ratios = added.norm(dim=1) / waveforms.norm(dim=1)
    assert ((ratios > NOISE_RATIOS[0]) & (ratios < NOISE_RATIOS[1])).all()
    random = torch.randn(added.shape, generator=torch.Generator().manual_seed(0))
    random *= added.norm(dim=1, keepdim=True) / random.norm(dim=1, keepdim=True)
    errors = [_error(network, each, wanted) for each in (waveforms, waveforms + random, noisy)]
    assert errors[0] < errors[2]
    assert errors[1] < errors[2]


def _features(waveforms: torch.Tensor) -> torch.Tensor:
    from stages.networks.vq_enhancement import log_magnitudes_of  # noqa: PLC0415

    return log_magnitudes_of(waveforms)


def _error(network: Any, waveforms: torch.Tensor, wanted: torch.Tensor) -> float:
    with torch.no_grad():
        logits = network.codes.logits(network.encode(_features(waveforms)))
    return float(torch.nn.functional.cross_entropy(logits, wanted))


def test_goes_on_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    """Before and after the network becomes its own teacher; the restorer opens what is written."""
    (tmp_path / "clean").mkdir()
    soundfile.write(tmp_path / "clean" / "a.flac", speech_like(1.0, sample_rate=16_000).samples, 16_000)
    for out, stops in (("whole", (6,)), ("parts", (2, 4, 6))):
        for steps in stops:
            place = tmp_path / out
            train_vq_enhance_command(tmp_path / "clean", place, SETTINGS, steps=steps, every=2, device="cpu")

    files = [tmp_path / out / "weights" / "model.safetensors" for out in ("whole", "parts")]
    assert files[0].read_bytes() == files[1].read_bytes()
    restorer = VqEnhance(path=tmp_path / "parts" / "weights").with_digests()
    restorer.load("cpu")
    given = speech_like(0.5, sample_rate=16_000)
    assert restorer.restore_one(given).size == given.samples.size


def test_the_sizes_are_the_authors() -> None:
    """As in their configuration: 4,096 codes of 128, and convolutions of 200 and 150."""
    network = VqEnhancer(VqEnhancementSettings())

    assert network.codes.vectors.shape == (4_096, 128)
    assert network.encoder[0].weight.shape == (200, 257, 7)
