"""Distill-MOS: the network of the checkpoint, the windows of its package, and other checkpoints refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from schemas import MissingWeightsError, Outcome
from stages.audio.waveform import Samples, Waveform
from stages.metrics.distill_mos import DistillMos, window_starts
from stages.operators.metric import Comparison
from tests.support.fetched_weights import require_fetched
from tests.support.perceptual_networks import write_distill_mos
from tests.support.speech_like import noisy, speech_like

WINDOW = 122_880


def scores_of(metric: DistillMos, *candidates: Waveform) -> list[float]:
    """Return the scores, which must be there."""
    results = metric.score([Comparison(candidate, candidate) for candidate in candidates])
    return [result[""] for result in results if not isinstance(result, Outcome)]


def loaded(path: Path, **settings: Any) -> DistillMos:
    """Return the metric with the weights in ``path``."""
    metric = DistillMos(path=path, **settings)
    metric.load("cpu")
    return metric


def by_hand(path: Path, samples: Samples) -> float:
    """Return the score of one window by numpy's transform, all of its frames and each layer by its name."""
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    state = torch.load(path, weights_only=True)["model"]
    filled = np.pad(samples / np.abs(samples).max(), (0, WINDOW - samples.size)).astype(np.float64)
    framed = np.lib.stride_tricks.sliding_window_view(np.pad(filled, 80, mode="reflect"), 320)[::160]
    spectra = np.fft.rfft(framed * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(320) / 320)))
    compressed = spectra * np.maximum(np.abs(spectra), 1e-12) ** -0.7
    features = torch.from_numpy(np.stack([compressed.real.T, compressed.imag.T])[None]).float()
    for layer in range(6):
        stride = (2 if layer else 1, 2 if layer == 5 else 1)
        weights = [state[f"cnn.cnn.{2 * layer}.{part}"] for part in ("weight", "bias")]
        features = functional.leaky_relu(functional.conv2d(features, *weights, stride, (0, 1)), 0.1)
    inner = "transformer_pool_attn"
    tokens = normal(features.flatten(1, 2), state, f"{inner}.norm_input")
    tokens = linear(
        normal(tokens, state, f"{inner}.transformer.norm").mT, state, f"{inner}.transformer.linear_proj"
    )
    tokens = tokens + state[f"{inner}.transformer.position_encoding.pe"]
    encoder = torch.nn.TransformerEncoderLayer(16, 8, 32, dropout=0.0, batch_first=True).requires_grad_(
        requires_grad=False
    )
    begins = f"{inner}.transformer.transformer_encoder.layers.0."
    encoder.load_state_dict({key.removeprefix(begins): state[key] for key in state if key.startswith(begins)})
    heard = normal(encoder(tokens).mT, state, f"{inner}.norm_trans").mT
    asked = linear(torch.relu(linear(heard, state, f"{inner}.pool.linear1")), state, f"{inner}.pool.linear2")
    pooled = (torch.softmax(asked, dim=1) * heard).sum(dim=1)
    return 1.0 + 4.0 * float(torch.sigmoid(linear(pooled, state, f"{inner}.pool.linear3")))


def linear(values: Any, state: Any, name: str) -> Any:
    """Return what a linear layer of the checkpoint makes of ``values``."""
    return values @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def normal(values: Any, state: Any, name: str) -> Any:
    """Return ``values`` (batch, features, time) by the statistics of the checkpoint."""
    parts = (state[f"{name}.{part}"][:, None] for part in ("running_mean", "running_var", "weight", "bias"))
    mean, variance, weight, bias = parts
    return (values - mean) / (variance + 1e-5).sqrt() * weight + bias


@pytest.mark.parametrize("size", [1_600, 47_213, 118_000, 121_000, WINDOW - 1, WINDOW])
def test_is_the_network_of_the_checkpoint(tmp_path: Path, size: int) -> None:
    """Short or whole, a window scores what it scores with all its silence computed."""
    path = write_distill_mos(tmp_path)
    speech = noisy(speech_like(8.0), 10.0)
    window = speech.with_samples(speech.samples[:size])

    assert scores_of(loaded(path), window) == pytest.approx([by_hand(path, window.samples)], abs=1e-5)


@pytest.mark.parametrize(
    ("size", "all_starts", "once"),
    [
        (WINDOW, [0], [0]),
        (WINDOW + 1, [0, 1], [0, 1]),
        (WINDOW + 16_000, [0, 16_000], [0, 16_000]),
        (WINDOW + 40_001, [0, 13_333, 26_667, 40_001], [0, 40_001]),
        (
            2 * WINDOW + 1,
            [0, *[int(WINDOW * n / 8 + n / 8) for n in range(1, 8)], WINDOW + 1],
            [0, 61_440, 122_881],
        ),
    ],
)
def test_windows_reach_from_start_to_end(size: int, all_starts: list[int], once: list[int]) -> None:
    """By default one starts at least every second; or as few as leave out nothing."""
    assert window_starts(size, "all") == all_starts
    assert window_starts(size, "once") == once


def test_long_speech_is_the_mean_of_its_windows(tmp_path: Path) -> None:
    """Windows of silence are no speech, and do not count."""
    metric = loaded(write_distill_mos(tmp_path))
    speech = noisy(speech_like(9.0), 10.0)
    starts = window_starts(speech.samples.size, "all")
    parts = [speech.with_samples(speech.samples[start : start + WINDOW]) for start in starts]
    paused = speech.with_samples(np.append(speech.samples[:WINDOW], np.zeros(WINDOW, np.float32)))

    assert scores_of(metric, speech) == pytest.approx([np.mean(scores_of(metric, *parts))], abs=1e-12)
    assert scores_of(loaded(metric.place, windows="once"), paused) == scores_of(metric, parts[0])


def test_windows_heard_together_score_the_same(tmp_path: Path) -> None:
    """As on a GPU: those of all takes in one call, the short ones filled with silence, within 1e-5."""
    metric = loaded(write_distill_mos(tmp_path))
    takes = [noisy(speech_like(seconds), 10.0) for seconds in (1.0, 8.5, 3.0)]
    together = metric.score_together([Comparison(take, take) for take in takes])

    assert [each[""] for each in together if not isinstance(each, Outcome)] == pytest.approx(
        scores_of(metric, *takes), abs=1e-5
    )


@pytest.mark.parametrize(
    "missing", ["cnn.cnn.6.bias", "cnn.cnn.2.weight", "transformer_pool_attn.pool.linear2.bias"]
)
def test_refuses_weights_that_lack_a_tensor(tmp_path: Path, missing: str) -> None:
    """Nothing is left random."""
    import torch  # noqa: PLC0415

    path = write_distill_mos(tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["model"][missing]
    torch.save(checkpoint, path)

    with pytest.raises(MissingWeightsError, match=r"distill_mos\.pt is (no Distill-MOS|another network)"):
        DistillMos(path=path).load("cpu")


def test_refuses_what_is_no_checkpoint_of_it(tmp_path: Path) -> None:
    """A state without the layer around it is another file."""
    import torch  # noqa: PLC0415

    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")

    with pytest.raises(MissingWeightsError, match="no checkpoint of Distill-MOS: it has no 'model'"):
        DistillMos(path=tmp_path / "other.pt").load("cpu")


@pytest.mark.shared_data
def test_agrees_with_its_package(shared_data: Path) -> None:
    """Real recordings, one beyond 7.68 s, score what ``distillmos`` 0.9.1 gave for them, within 1e-4."""
    metric = DistillMos()
    require_fetched(metric.published)
    metric.load("cpu")
    package = {
        "golden/voicebank_demand/noisy/p257_011.flac": 3.805048942565918,
        "golden/voicebank_demand/clean/p257_011.flac": 4.1616315841674805,
        "golden/voicebank_demand/noisy/p232_023.flac": 3.0106558799743652,
    }
    recordings = [Waveform(*soundfile.read(shared_data / name, dtype="float32")) for name in package]

    scores = scores_of(metric, *recordings)

    assert dict(zip(package, scores, strict=True)) == pytest.approx(package, abs=1e-4)
