"""A model of the user's own, as a Python class that the config names: twenty lines, and no registration."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from pydantic import Field, JsonValue, PrivateAttr

from schemas import ConfigError, Digest, MissingWeightsError, RunError
from stages.audio.waveform import ConfidentWaveform, Samples, Waveform
from stages.operators import user_modules
from stages.operators.restorer import RESTORERS
from stages.operators.user_modules import USERS_MISTAKES
from stages.restorers.common.user_model import UserModel


class Model(Protocol):
    """What the class has to have. Its constructor is given ``settings`` as arguments.

    It may declare ``version``, to be raised when it gives other results; without one, it is known by its
    source. Takes of drawn settings are models of their own, built and loaded one after the other, unless it
    has ``with_settings``, which is given the same arguments and returns a model that shares what is loaded.
    """

    def load(self, device: str, weights: Path | None) -> None:
        """Bring what is in ``weights``, as ``path`` names it, to ``device`` (``cpu``, ``cuda``)."""

    def restore(
        self, samples: Samples, sample_rate: int, stream: np.random.Generator
    ) -> Samples | tuple[Samples, float]:
        """Return as many samples as are given, drawing from ``stream`` if it draws at all.

        A tensor will do, too, on any device; axes of length one do not matter. With a number beside them, as
        a pair, the take has that as its ``confidence``.
        """
        ...


@RESTORERS.register
class Python(UserModel):
    """A class with ``load`` and ``restore``, in a file that ``operators`` lists or in an installed module.

    A full operator, as the built-in ones are, can declare more: parameters with bounds, batches.
    """

    kind: ClassVar[str] = "python"
    weights: ClassVar[str] = "the file or folder that the config names, if it names one"
    loaded_by: ClassVar[frozenset[str]] = frozenset({"target", "code", "draws_globally"})

    target: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """``module:Class``; for a file of ``operators``, the module is its name without ``.py``."""
    code: str | None = None
    """The version that the class declares, or the fingerprint of its module; ``with_digests`` fills it in."""
    settings: Mapping[str, JsonValue] = {}
    """What the class is built with."""
    draws_globally: bool = False
    """Whether it draws from the generators of ``random``, numpy or torch instead."""

    _model: Any = PrivateAttr(default=None)
    _device: str = PrivateAttr(default="cpu")

    @property
    def global_randomness(self) -> bool:
        """What the settings say."""
        return self.draws_globally

    def with_digests(self) -> Self:
        """Return the settings with what the class and its weights are known by.

        Raises ``MissingWeightsError`` if one of them is not there.
        """
        sha256: Digest | None = self._digest() if self.path is not None else None
        return self.model_copy(update={"code": self._code(), "sha256": self.sha256 or sha256})

    def load(self, device: str) -> None:
        """Build the model and let it load itself.

        Raises ``MissingWeightsError`` if class or weights are not there, ``RunError`` if they are others
        than pinned or loading fails, and ``ConfigError`` if the class cannot be built with the settings.
        """
        code = self._code()
        if self.code not in {None, code}:
            raise RunError(f"{self.target} is {code} here, but {self.code} was asked for")
        self._device = device
        self._model = self._build()

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return what the model makes of each input."""
        return [
            _waveform(
                self._model.restore(waveform.samples.copy(), waveform.sample_rate, stream),
                waveform.sample_rate,
            )
            for waveform, stream in zip(batch, streams, strict=True)
        ]

    def with_settings(self, settings: Mapping[str, Any]) -> Self:
        """Return the model under other settings; if those are the class's own, it may be built anew for them.

        Raises ``ConfigError`` if the class does not take them.
        """
        changed = super().with_settings(settings)
        if changed.settings == self.settings:
            return changed
        other = type(self).model_validate(changed.model_dump())
        if self._model is not None:
            other.follow(self._model, self._device)
        return other

    def follow(self, model: Any, device: str) -> None:
        """Do what loading does, with what ``model`` has loaded if it can be had under these settings."""
        if not hasattr(model, "with_settings"):
            self.load(device)
            return
        self._device = device
        self._model = self._call_with_settings(model.with_settings)

    def _build(self) -> Model:
        model = self._call_with_settings(self._class())
        place = self.require_place() if self.path is not None else None
        try:
            model.load(self._device, place)
        except USERS_MISTAKES as error:
            raise RunError(f"{self.target} cannot be loaded: {type(error).__name__}: {error}") from error
        return model

    def _call_with_settings(self, make: Callable[..., Model]) -> Model:
        """Return what ``make`` makes of the class's own settings."""
        try:
            return make(**self.settings)
        except USERS_MISTAKES as error:
            said = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{self.target} cannot be built with these settings: {said}") from error

    def _class(self) -> Any:
        module, _, name = self.target.partition(":")
        try:
            found = getattr(_module(module), name, None)
        except ImportError as error:
            raise MissingWeightsError(f"{self.target} cannot be imported: {error}") from error
        if not inspect.isclass(found):
            raise MissingWeightsError(f"{module} has no class {name!r}, which {self.target} names")
        return found

    def _code(self) -> str:
        found = self._class()
        declared = getattr(found, "version", None)
        if declared is not None:
            return f"version {declared}"
        return f"source {hashlib.sha256(_source(found.__module__)).hexdigest()[:16]}"


def _waveform(made: Any, sample_rate: int) -> Waveform:
    """Return what a model made, with its confidence if it gives one."""
    if isinstance(made, tuple) and len(made) == 2:  # noqa: PLR2004 - samples and a number
        samples, confidence = made
        return ConfidentWaveform(_contiguous(samples), sample_rate, float(confidence))
    return Waveform(_contiguous(made), sample_rate)


def _contiguous(made: Any) -> Samples:
    return np.ascontiguousarray(_one_row(made), dtype=np.float32)


def _one_row(made: Any) -> Samples:
    """Return the samples of an array or tensor in which all axes but one are of length one."""
    array = made.detach().cpu().float().numpy() if hasattr(made, "detach") else np.asarray(made, np.float32)
    if array.size != max(array.shape, default=0):
        raise ValueError(f"the model gave an array of shape {array.shape}, not one waveform")
    return array.reshape(-1)


def _module(name: str) -> Any:
    """Return a file of ``operators`` by its name, or else a module that can be imported."""
    for module in user_modules.loaded_modules():
        if Path(module.path).stem == name:
            return sys.modules[module.name]
    return importlib.import_module(name)


def _source(module: str) -> bytes:
    for own in user_modules.loaded_modules():
        if own.name == module:
            return own.source.encode()
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise MissingWeightsError(f"{module} has no source to be known by: let its class declare a version")
    return Path(spec.origin).read_bytes()
