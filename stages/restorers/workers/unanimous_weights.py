"""Weights in a worker: read as data, and proved to be what the model runs.

``read_checkpoint`` opens a file in which nothing but tensors and harmless containers are believed.
``prove_weights`` compares what the networks hold, tensor by tensor and by content, with what the files hold:
a model that ignores its weights, or is filled with those of another, is found whatever it printed. Any Python
from 3.8 on, and any torch from 1.13 on, in which one thing differs: classes beside tensors are allowed from
2.4 on.
"""

import hashlib
import pickle
import re
from contextlib import contextmanager
from pathlib import Path

from unanimous_worker import HARMLESS, MissingError

LARGEST_SHARE = 0.5
"""Of a file's numbers: what may be left over, and is said. Where more is, the file is another model's."""
NORMALISED = {"weight_g": "weight_v", "weight.original0": "weight.original1"}
"""What ends the names of lengths and of directions in weight normalisation."""
_SHOWN = 3
_BLOCK_BYTES = 1 << 24


class UnprovenError(Exception):
    """What runs is not what the weights are."""


def read_checkpoint(path):
    """Return what is in the file of tensors at ``path``, on the CPU; raises ``MissingError``.

    Of classes that the file names, those are allowed that the model's operator lists for the file of this
    name and digest, and nothing is made of them but an empty shell.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(str(path))
    return read_pickle(path, _harmless_in(path), str(path))


def read_pickle(file, classes, name):
    """Return what is in ``file`` of ``torch.save``, in which ``classes`` are allowed to be named."""
    import torch

    try:
        with _as_shells(classes):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        known = ", ".join(classes) or "none"
        raise MissingError(
            f"{name} would run code of its own ({_named_in(error)}), and is not read; harmless in it: {known}"
        ) from error


def prove_weights(networks, files, unused=(), computed=()):
    """Return what proves that ``networks`` run on ``files``; raises ``UnprovenError`` if they do not.

    ``networks`` are modules by name; ``files`` what was read, by path. ``unused`` are beginnings of names of
    tensors that training alone needs, ``computed`` of parameters and buffers that are in no file. Numbers of
    half precision are compared as single ones, and products of weight normalisation with what they are made
    of.
    """
    held = {
        f"{name}.{key}": (_mark(value), value.numel())
        for name, network in networks.items()
        for key, value in _state_of(network)
    }
    stored = {
        path: {name: value for name, value in _tensors_in(content) if not _begins(name, unused)}
        for path, content in files.items()
    }
    marks = {path: {name: _mark(value) for name, value in found.items()} for path, found in stored.items()}
    parts = {mark: {mark} for found in marks.values() for mark in found.values()}
    for path, found in stored.items():
        parts.update(_products_in(found, marks[path]))
    lacking = [name for name, (mark, _) in held.items() if mark not in parts and not _begins(name, computed)]
    if lacking:
        raise UnprovenError(
            f"{len(lacking)} of {len(held)} tensors of the model are in none of its files, {_some(lacking)} "
            "among them: it would run on random weights"
        )
    used = set().union(*(parts.get(mark, ()) for mark, _ in held.values()))
    left = [said for path, found in stored.items() for said in _left_over(path, found, marks[path], used)]
    return {
        "files": {str(Path(path).absolute()): digest_of(path) for path in files},
        "tensors": len(held),
        "numbers": sum(count for _, count in held.values()),
        "left": left,
    }


def load_by(load, module):
    """Let what is called ``torch.load`` in ``module``, of a checkout, be ``load``, and nowhere else."""
    import torch

    class Torch:
        def __getattr__(self, name):
            return load if name == "load" else getattr(torch, name)

    module.torch = Torch()


def digest_of(path):
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with open(str(path), "rb") as file:
        for block in iter(lambda: file.read(_BLOCK_BYTES), b""):
            found.update(block)
    return found.hexdigest()


def _harmless_in(path):
    """Return the classes that are allowed in the file at ``path``, by its name and digest."""
    for name, known in HARMLESS.items():
        if path.absolute().as_posix().endswith("/" + name) and known["sha256"] == digest_of(path):
            return known["classes"]
    return ()


@contextmanager
def _as_shells(classes):
    """Let torch take ``classes`` for shells of their names, of which no code can run."""
    import torch

    if not classes:
        yield
        return
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals([_shell(name) for name in classes])
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


class _Shell:
    """Stands for a class that a checkpoint names, and keeps nothing of it."""

    def __init__(self, *_):
        super().__init__()

    def __setstate__(self, state):
        pass


class _DictShell:
    """Stands for a kind of dict: torch fills none but plain ones."""

    def __new__(cls, *_):
        return {}


class _ListShell:
    """Stands for a kind of list."""

    def __new__(cls, *_):
        return []


def _shell(name):
    module, _, own = name.rpartition(".")
    kind = {"dict": _DictShell, "defaultdict": _DictShell, "list": _ListShell}.get(own, _Shell)
    return type(own, (kind,), {"__module__": module})


def _named_in(error):
    """Return what torch complains of, without its advice to trust the file."""
    name = re.search(r"GLOBAL ([\w.]+)", str(error))
    if name:
        return name.group(1)
    lines = [line for line in str(error).splitlines() if line.strip() and "Weights only" not in line]
    return (lines or ["a pickle that torch does not know"])[-1][:200]


def _state_of(network):
    """Yield names and values of parameters, and of buffers of real numbers that belong to a state."""
    yield from network.named_parameters()
    for place, module in network.named_modules():
        passing = getattr(module, "_non_persistent_buffers_set", ())
        for name, value in module._buffers.items():
            if value is not None and value.is_floating_point() and name not in passing:
                yield (place + "." if place else "") + name, value


def _tensors_in(content, name=""):
    """Yield names and values of all tensors, however deep."""
    if hasattr(content, "numel") and hasattr(content, "detach"):
        yield name, content
        return
    pairs = content.items() if isinstance(content, dict) else ()
    if isinstance(content, (list, tuple)):
        pairs = enumerate(content)
    for key, value in pairs:
        yield from _tensors_in(value, f"{name}.{key}" if name else str(key))


def _products_in(tensors, marks):
    """Yield the mark of each product of weight normalisation, and the marks of its two parts."""
    import torch

    for name, length in tensors.items():
        for ending, other in NORMALISED.items():
            partner = name[: -len(ending)] + other
            direction = tensors.get(partner) if name.endswith(ending) else None
            if direction is not None and direction.dim() == length.dim():
                kept = max(range(length.dim()), key=length.shape.__getitem__)  # the others are of length 1
                product = torch._weight_norm(direction.float(), length.float(), kept)
                yield _mark(product), {marks[name], marks[partner]}


def _left_over(path, tensors, marks, used):
    """Return, for people, what of a file is in no network; raises ``UnprovenError`` if that is much."""
    left = sorted(name for name in tensors if marks[name] not in used)
    whole = sum(value.numel() for value in tensors.values())
    if not tensors or sum(tensors[name].numel() for name in left) > LARGEST_SHARE * whole:
        raise UnprovenError(
            f"{len(left)} of {len(tensors)} tensors in {path} are in no part of the model, {_some(left)} "
            "among them: it is a file of another model, or not all of it is used"
        )
    return [f"{Path(path).name}: {name}" for name in left]


def _mark(value):
    """Return what tells the content of a tensor from others', whatever its shape and precision."""
    import torch

    plain = value.detach().cpu()
    plain = (torch.view_as_real(plain) if plain.is_complex() else plain).float().contiguous()
    return hashlib.blake2b(memoryview(plain.numpy().reshape(-1)).cast("B"), digest_size=16).digest()


def _begins(name, beginnings):
    return any(name.startswith(beginning) for beginning in beginnings)


def _some(names):
    return ", ".join(names[:_SHOWN])
