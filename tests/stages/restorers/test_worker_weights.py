"""Weights in workers: what is read of a checkpoint, what is refused, and what proves that they are run on."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from schemas import RunError
from stages.restorers import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.restorers.llase_g1 import LlaseG1
from stages.restorers.unise import UniSE
from stages.runtime.external_model import LIBRARY, WeightsProof
from stages.weights.files import file_digest
from tests.support.stand_ins import STAND_INS
from tests.support.worker_weights import linear, save_with_omegaconf, write_weights


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return what workers read weights with, as a worker imports it."""
    monkeypatch.syspath_prepend(str(LIBRARY))
    names = ("unanimous_worker", "unanimous_weights")
    yield importlib.import_module("unanimous_weights")
    for name in names:
        sys.modules.pop(name)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    """Return the state of a small layer."""
    return linear(torch.Generator().manual_seed(1))


def _allow(weights: ModuleType, path: Path, classes: tuple[str, ...]) -> None:
    weights.HARMLESS[path.name] = {"sha256": file_digest(path), "classes": classes}


def test_settings_of_omegaconf_are_read_over(
    weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """X-Codec2's checkpoint has its training's settings in it: tensors come back, the settings as shells."""
    path = tmp_path / "codec.ckpt"
    save_with_omegaconf(state, path)
    _allow(weights, path, next(iter(LlaseG1.harmless.values())))

    read = weights.read_checkpoint(path)

    assert all(torch.equal(read["state_dict"][name], value) for name, value in state.items())
    assert not vars(read["hyper_parameters"]["cfg"])
    assert read["loops"] == {"epochs": [4]}
    assert "omegaconf" not in sys.modules


def test_a_path_in_settings_is_read_over(
    weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """UniSE's checkpoint names the class of paths of its machine."""
    path = tmp_path / "unise.ckpt"
    torch.save({"state_dict": state, "log_dir": path}, path)
    _allow(weights, path, UniSE.harmless["unise.ckpt"])

    assert set(weights.read_checkpoint(path)["state_dict"]) == set(state)


def test_classes_are_allowed_in_the_pinned_file_alone(
    weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """Another file of that name names the same, and is refused."""
    path = tmp_path / "unise.ckpt"
    torch.save({"state_dict": state, "log_dir": path}, path)
    _allow(weights, path, UniSE.harmless["unise.ckpt"])
    torch.save({"state_dict": {}, "log_dir": path}, path)

    with pytest.raises(Exception, match=r"unise\.ckpt would run code of its own \(pathlib.* is not read"):
        weights.read_checkpoint(path)


class _Harm:
    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._target),)


def test_what_is_harmful_is_refused_whatever_is_allowed(weights: ModuleType, tmp_path: Path) -> None:
    """Beside the classes that are known to be harmless; it is named, and nothing of it has run."""
    path, target = tmp_path / "unise.ckpt", tmp_path / "made"
    torch.save({"state_dict": {}, "log_dir": path, "more": _Harm(target)}, path)
    _allow(weights, path, UniSE.harmless["unise.ckpt"])

    with pytest.raises(
        Exception, match=r"would run code of its own .*mkdir.*, and is not read; harmless in it"
    ):
        weights.read_checkpoint(path)

    assert not target.exists()


def test_no_function_runs_even_if_it_is_listed(weights: ModuleType, tmp_path: Path) -> None:
    """A list that names too much makes shells of it."""
    path, target = tmp_path / "unise.ckpt", tmp_path / "made"
    torch.save({"state_dict": {}, "more": _Harm(target)}, path, pickle_protocol=2)
    _allow(weights, path, ("pathlib.PosixPath", "posix.mkdir"))

    with pytest.raises(Exception, match="is not read"):
        weights.read_checkpoint(path)

    assert not target.exists()


def test_a_model_that_holds_its_file_is_proved(
    weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """By content, under other names, from half precision, with what training alone needs beside it."""
    path = tmp_path / "model.pt"
    stored = {f"module.{name}": value.half() for name, value in state.items()}
    torch.save({"model": stored, "optimizer": torch.ones(99)}, path)
    network = torch.nn.Linear(2, 2)
    network.load_state_dict(state)
    network.half().float()

    proof = weights.prove_weights({"net": network}, {path: torch.load(path)}, unused=("optimizer",))

    assert proof == {"files": {str(path): file_digest(path)}, "tensors": 2, "numbers": 6, "left": []}


def test_products_of_weight_normalisation_are_known(weights: ModuleType, tmp_path: Path) -> None:
    """A network whose normalisation was taken out after loading holds what its file says."""
    network = torch.nn.utils.parametrizations.weight_norm(torch.nn.ConvTranspose1d(3, 2, 5))
    path = tmp_path / "model.pt"
    torch.save(network.state_dict(), path)
    torch.nn.utils.parametrize.remove_parametrizations(network, "weight")

    assert weights.prove_weights({"net": network}, {path: torch.load(path)})["tensors"] == 2


@pytest.mark.parametrize("place", ["weight", "bias"])
def test_a_model_with_a_tensor_of_its_own_is_refused(
    place: str, weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """One tensor that is in no file is one too many."""
    path = tmp_path / "model.pt"
    torch.save(state, path)
    network = torch.nn.Linear(2, 2)
    network.load_state_dict(state)
    getattr(network, place).data += 1e-6

    with pytest.raises(
        Exception, match=rf"1 of 2 tensors .* net\.{place} among them: it would run on random"
    ):
        weights.prove_weights({"net": network}, {path: state})


def test_a_file_that_is_hardly_used_is_refused(
    weights: ModuleType, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """A larger model's file, of which a part fits by chance; a little that is left over is said."""
    path = tmp_path / "model.pt"
    torch.save(state, path)
    network = torch.nn.Linear(2, 2)
    network.load_state_dict(state)

    with pytest.raises(Exception, match=r"1 of 3 tensors .* are in no part of the model, more among them"):
        weights.prove_weights({"net": network}, {path: {**state, "more": torch.rand(99)}})

    little = weights.prove_weights({"net": network}, {path: {**state, "more": torch.rand(1)}})
    assert little["left"] == ["model.pt: more"]


def test_a_published_model_that_ignores_its_weights_is_not_run(tmp_path: Path) -> None:
    """Its code says nothing, its worker does, and loading ends."""
    for name, source in STAND_INS["voicefixer"].items():
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.replace("self._model.load_state_dict(analysis, strict=False)", "pass"))
    model = _voicefixer(tmp_path, repository_path=tmp_path / "repository")

    with pytest.raises(RunError, match=r"voicefixer: UnprovenError: .* it would run on random weights"):
        model.with_digests().load("cpu")


def test_a_worker_without_a_proof_is_not_run(tmp_path: Path) -> None:
    """Of the files of weights, every one is to be in it, with its digest."""
    model = _voicefixer(tmp_path)
    files = [path for path in (tmp_path / "weights").rglob("*") if path.is_file()]
    digests = {str(path): file_digest(path) for path in files}

    with pytest.raises(RunError, match="does not say which weights its model runs on"):
        model.check_proof(None, tmp_path / "weights")
    for lacking in digests:
        seen = {**digests, lacking: "0" * 64}
        with pytest.raises(RunError, match=f"does not run on {lacking}"):
            model.check_proof(_proof(seen), tmp_path / "weights")
    model.check_proof(_proof(digests), tmp_path / "weights")


def _voicefixer(folder: Path, **fields: Path) -> PublishedWorker:
    write_weights("voicefixer", folder / "weights")
    places = {"interpreter_path": sys.executable, "path": folder / "weights"}
    model = RESTORERS["voicefixer"].model_validate({**places, **fields})
    assert isinstance(model, PublishedWorker)
    return model


def _proof(files: dict[str, str]) -> WeightsProof:
    return WeightsProof(files=files, tensors=1, numbers=1, left=())
