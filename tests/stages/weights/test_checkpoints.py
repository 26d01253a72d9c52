"""Checkpoints that hold data are read; those that hold code are refused, and none of it runs."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from schemas import MissingWeightsError
from stages.weights.checkpoints import read_checkpoint


class Malicious:
    """Makes a folder as soon as it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Say what unpickling calls."""
        return os.mkdir, (str(self._trace),)


def test_the_trap_works(tmp_path: Path) -> None:
    """An ordinary unpickler runs it, or the tests below would show nothing."""
    pickle.loads(pickle.dumps(Malicious(tmp_path / "trace")))

    assert (tmp_path / "trace").exists()


@pytest.mark.parametrize("archive", [True, False])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, archive: bool) -> None:  # noqa: FBT001
    """In archives of torch, new and old; what it wanted is named where that can be told."""
    import torch  # noqa: PLC0415

    path = tmp_path / "model.pt"
    state = {"weight": torch.zeros(2), "trap": Malicious(tmp_path / "trace")}
    torch.save(state, path, _use_new_zipfile_serialization=archive)

    with pytest.raises(MissingWeightsError, match=r"code of its own.*convert it to safetensors") as refused:
        read_checkpoint(path)

    assert not (tmp_path / "trace").exists()
    assert ("mkdir" in str(refused.value)) is archive


def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    """Whatever its name says."""
    for name in ("model.pt", "model.safetensors"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps({"trap": Malicious(tmp_path / "trace")}, protocol=2))

        with pytest.raises(MissingWeightsError, match=name):
            read_checkpoint(path)

    assert not (tmp_path / "trace").exists()


def test_data_is_read(tmp_path: Path) -> None:
    """Tensors by their names, from both kinds of files; numbers and texts beside them."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    state = {"weight": torch.arange(4.0)}
    save_file(state, tmp_path / "model.safetensors")
    torch.save({"state_dict": state, "rate": 16_000, "name": "a"}, tmp_path / "model.pt")

    assert torch.equal(read_checkpoint(tmp_path / "model.safetensors")["weight"], state["weight"])
    read = read_checkpoint(tmp_path / "model.pt")
    assert (read["rate"], read["name"]) == (16_000, "a")
    assert torch.equal(read["state_dict"]["weight"], state["weight"])


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"not a model at all", b""])
def test_what_is_no_checkpoint_is_not_taken_for_code(tmp_path: Path, content: bytes) -> None:
    """An error page that was saved as weights is called what it is, with how it begins."""
    path = tmp_path / "model.pt"
    path.write_bytes(content)

    with pytest.raises(MissingWeightsError, match="is no checkpoint") as refused:
        read_checkpoint(path)

    assert "code" not in str(refused.value)
    assert repr(content[:8]) in str(refused.value) or "ends too early" in str(refused.value)


def test_what_is_cut_short_or_missing_is_said(tmp_path: Path) -> None:
    """With the file's name."""
    import torch  # noqa: PLC0415

    torch.save({"weight": torch.zeros(1000)}, tmp_path / "model.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:500])
    (tmp_path / "cut.safetensors").write_bytes(b"\0" * 20)

    for name in ("cut.pt", "cut.safetensors", "nowhere.pt", "nowhere.safetensors"):
        with pytest.raises(MissingWeightsError, match=name):
            read_checkpoint(tmp_path / name)
