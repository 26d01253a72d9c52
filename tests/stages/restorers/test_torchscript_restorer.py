"""A model from a TorchScript file: shapes, delay, batches, takes, and what is refused."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from schemas import MissingWeightsError, RunError
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.torchscript import TorchScript
from stages.runtime.seeding import seeded_from
from tests.support.speech_like import white_noise


class Halves(torch.nn.Module):
    """Half of what comes in."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return half of it."""
        return 0.5 * waveform


class Late(torch.nn.Module):
    """Sixteen samples late; of three axes it takes nothing but (batch, 1, samples)."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return it sixteen samples late."""
        assert waveform.dim() == 3
        assert waveform.shape[-1] % 64 == 0
        return torch.nn.functional.pad(waveform, (16, 0))[:, :, : waveform.shape[-1]]


class Longer(torch.nn.Module):
    """A hundred samples more."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return it, followed by silence."""
        return torch.nn.functional.pad(waveform, (0, 100))


class Draws(torch.nn.Module):
    """Noise from torch's generator."""

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return it in noise."""
        return waveform + torch.rand_like(waveform)


class Filters(torch.nn.Module):
    """A convolution with trained-like weights: what lies beyond the end would be heard."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = torch.nn.Conv1d(1, 1, 9, padding=4)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Return it filtered."""
        filtered: torch.Tensor = self.drop(self.filter(waveform[:, None]))[:, 0]
        return filtered


def _file(folder: Path, module: torch.nn.Module) -> Path:
    path = folder / f"{type(module).__name__}.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(module), str(path))
    return path


def _loaded(path: Path, **fields: Any) -> TorchScript:
    model = TorchScript.model_validate({"path": path, **fields}).with_digests()
    model.load("cpu")
    return model


def _restored(model: TorchScript, *given: Waveform) -> list[np.ndarray]:
    return [w.samples for w in model.restore(given, [rng_for(0, "unused")] * len(given))]


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_samples_that_the_model_adds_are_not_cut_off_with_the_padding(
    tmp_path: Path, strength: float
) -> None:
    """How long the output was is the stage's business."""
    model = _loaded(_file(tmp_path, Longer()), pad_multiple=64, strength=strength)
    short, long = Waveform(white_noise(5_000), 16_000), Waveform(white_noise(6_000), 16_000)

    assert [made.size for made in _restored(model, short, long)] == [5_100, 6_100]
    assert [made.size for made in _restored(model, short)] == [5_100]


def test_a_waveform_goes_through(tmp_path: Path) -> None:
    """As (batch, samples), at its length."""
    given = Waveform(white_noise(), 16_000)

    (restored,) = _restored(_loaded(_file(tmp_path, Halves())), given)

    assert np.array_equal(restored, given.samples / 2)


@pytest.mark.parametrize("length", [1, 64, 5_000])
def test_delay_and_padding_are_taken_back(tmp_path: Path, length: int) -> None:
    """A module that needs a multiple of 64 and is 16 samples late is the identity at any length."""
    model = _loaded(_file(tmp_path, Late()), layout="batch_1_samples", delay_samples=16, pad_multiple=64)
    given = Waveform(white_noise(length), 16_000)

    (restored,) = _restored(model, given)

    assert np.array_equal(restored, given.samples)


def test_company_is_not_heard(tmp_path: Path) -> None:
    """Inputs of different lengths share a call, each with its own length and within the tolerance."""
    model = _loaded(_file(tmp_path, Filters()), batch_seconds=10.0)
    short, long = Waveform(white_noise(3_000), 16_000), Waveform(white_noise(5_000), 16_000)

    together = _restored(model, short, long)
    (alone,) = _restored(model, short)

    assert [row.size for row in together] == [3_000, 5_000]
    # the convolution reaches four samples into the padding's zeros, as it does at the end of any input
    assert together[0] == pytest.approx(alone, abs=model.tolerance * float(np.abs(alone).max()))


def test_runs_in_evaluation_mode(tmp_path: Path) -> None:
    """Dropout drops nothing, so that the same input gives the same output."""
    model = _loaded(_file(tmp_path, Filters().train()))

    first, second = (_restored(model, Waveform(white_noise(), 16_000))[0] for _ in range(2))

    assert np.array_equal(first, second)


def test_a_sampling_module_asks_for_torchs_generator(tmp_path: Path) -> None:
    """It is set from the stream around the call, with one input per call."""
    path = _file(tmp_path, Draws())
    model = _loaded(path, model_sampling=True)
    takes = []
    for take in (0, 0, 1):
        with seeded_from(rng_for(0, "take", take)):
            takes += _restored(model, Waveform(white_noise(), 16_000))

    assert model.sampling
    assert model.global_randomness
    assert np.array_equal(takes[0], takes[1])
    assert not np.array_equal(takes[0], takes[2])
    with pytest.raises(ValidationError, match="one input per call"):
        _loaded(path, model_sampling=True, batch_seconds=10.0)


def test_strength_leaves_some_of_the_input(tmp_path: Path) -> None:
    """Half of a module that halves takes a quarter away."""
    model = _loaded(_file(tmp_path, Halves())).with_settings({"strength": 0.5})
    given = Waveform(white_noise(), 16_000)

    assert _restored(model, given)[0] == pytest.approx(0.75 * given.samples, abs=1e-7)


def test_what_is_no_torchscript_is_refused(tmp_path: Path) -> None:
    """A pickled checkpoint could run code: it is named and not opened."""
    state, page = tmp_path / "state.pt", tmp_path / "page.pt"
    torch.save(Filters().state_dict(), state)
    page.write_text("<html>not found</html>")

    for path in (state, page):
        with pytest.raises(MissingWeightsError, match=rf"{path.name} is no TorchScript"):
            TorchScript(path=path).load("cpu")


def test_another_file_than_pinned_is_refused(tmp_path: Path) -> None:
    """The message names the file and both digests."""
    pinned = TorchScript(path=_file(tmp_path, Halves())).with_digests()
    _file(tmp_path, Halves()).write_bytes(_file(tmp_path, Draws()).read_bytes())

    with pytest.raises(MissingWeightsError, match=str(pinned.sha256)):
        pinned.load("cpu")


def test_a_device_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    """Nothing is computed elsewhere in silence."""
    if torch.cuda.is_available():
        pytest.skip("this torch sees a GPU")
    with pytest.raises(RunError, match="sees no GPU"):
        TorchScript(path=_file(tmp_path, Halves())).load("cuda")


def test_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    """A loaded module is pickled without its weights, and is known by content, not by place."""
    model = _loaded(_file(tmp_path, Halves()))

    assert pickle.loads(pickle.dumps(model)).spec == model.spec
    assert str(tmp_path) not in str(model.fingerprint_params)
