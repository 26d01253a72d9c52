"""What every restoration model is that runs in an environment of its own, by a worker."""

import logging
import os
import shutil
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, PrivateAttr

from schemas import ConfigError, MissingWeightsError, Params, RunError
from stages.audio.waveform import ConfidentWaveform, Samples, Waveform
from stages.operators.operator import Resources
from stages.operators.restorer import Restorer
from stages.runtime.external_model import (
    LIBRARY,
    Environment,
    ExternalModel,
    HarmlessClasses,
    WeightsProof,
)
from stages.weights.files import file_digest
from stages.weights.has_weights import HasWeights

ENVIRONMENTS_VARIABLE = "UNANIMOUS_ENVIRONMENTS"
"""Names the folder of environments; without it, they lie in ~/.cache/unanimous/environments."""
LONGEST_TIMEOUT_S = 86_400.0
LARGEST_SEED = 2**63 - 1
TENSOR_SUFFIXES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".safetensors", ".tar"})
_LEFT_SHOWN = 3
log = logging.getLogger("unanimous")


class WorkerRestorer(HasWeights, Restorer):
    """A model that a worker process of another interpreter loads and runs.

    An environment is a folder ``<environments>/<kind>`` with ``bin/python`` and, for models that are no
    package, a checkout of theirs in ``repository``; ``stages/restorers/workers/README.md`` tells how to make
    one.
    """

    loaded_by: ClassVar[frozenset[str]] = frozenset({"interpreter_path", "repository_path", "timeout_s"})

    interpreter_path: Path | None = None
    """Another interpreter than that of the environment."""
    repository_path: Path | None = None
    """Another checkout of the model's code than that of the environment."""
    timeout_s: float = Field(default=300.0, gt=0, le=LONGEST_TIMEOUT_S)
    """For one input; a worker that takes longer is replaced."""

    _model: ExternalModel | None = PrivateAttr(default=None)
    _output_rate: int | None = PrivateAttr(default=None)

    @property
    @abstractmethod
    def script(self) -> Path:
        """The worker."""

    @property
    def called(self) -> str:
        """What messages and the log call it."""
        return self.kind

    @property
    def needs_repository(self) -> bool:
        """Whether the model's code is a checkout rather than an installed package."""
        return False

    @property
    def environment(self) -> str:
        """The class of worker that holds it: nobody else shares its process."""
        return self.kind

    @property
    def interpreter(self) -> Path:
        """What runs the worker."""
        return self.interpreter_path or self.environment_folder / "bin" / "python"

    @property
    def repository(self) -> Path | None:
        """The model's code; None for an installed package."""
        return self.repository_path or (
            self.environment_folder / "repository" if self.needs_repository else None
        )

    @property
    def variables(self) -> Mapping[str, str]:
        """What the worker is started with beside this process's own environment variables."""
        return {}

    @property
    def may_sample(self) -> bool:
        """Whether the worker draws under some settings, if not under these."""
        return self.sampling

    @property
    def settings_of_model(self) -> Params:
        """What the worker is told with every input: the settings that are the model's own."""
        return self.model_dump(mode="json", exclude=set(WorkerRestorer.model_fields))

    @property
    def fingerprint_params(self) -> Params:
        """The settings without places and patience."""
        places = {"interpreter_path", "repository_path", "timeout_s"}
        return {name: value for name, value in super().fingerprint_params.items() if name not in places}

    @property
    def environment_folder(self) -> Path:
        """Where its interpreter and its checkout are, unless the settings say otherwise."""
        folder = os.environ.get(ENVIRONMENTS_VARIABLE) or "~/.cache/unanimous/environments"
        return Path(folder).expanduser() / self.kind

    @property
    def has_weights(self) -> bool:
        """Whether there are files of weights to pin; some workers need none."""
        return True

    def with_digests(self) -> Self:
        """Return the settings with the weights' SHA-256.

        Raises ``MissingWeightsError`` for all that is not there, weights and environment.
        """
        lacking = list(self._lacking_environment())
        pinned = self
        try:
            pinned = super().with_digests() if self.has_weights else self
        except MissingWeightsError as error:
            lacking.append(str(error))
        if lacking:
            raise MissingWeightsError("; ".join(lacking))
        return pinned

    def load(self, device: str) -> None:
        """Start the worker and let it load the model.

        Raises ``MissingWeightsError`` for what is not there, ``ConfigError`` if the worker's model is
        another than these settings say, and ``RunError`` if it cannot be loaded.
        """
        if lacking := "; ".join(self._lacking_environment()):
            raise MissingWeightsError(lacking)
        weights = self.require_place() if self.has_weights else None
        environment = Environment(self.interpreter, self.script, self.repository, self.variables)
        model = ExternalModel(self.called, environment, self.timeout_s)
        stated = model.load(device, weights, self.harmless_in(weights))
        said: dict[str, tuple[object, object]] = {
            "sample rate": (self.sample_rate, stated.sample_rate),
            "sampling": (self.may_sample, stated.sampling),
        }
        if self.path is None and self.model_licence and stated.licence:  # else they speak of other weights
            said["licence"] = self.model_licence, stated.licence
        for what, (ours, theirs) in said.items():
            if ours != theirs:
                model.close()
                raise ConfigError(
                    f"{self.called}: its worker says {what} {theirs}, and the settings say {ours}"
                )
        try:
            self.check_proof(stated.proof, weights)
        except RunError:
            model.close()
            raise
        self._model, self._output_rate = model, stated.output_rate

    def harmless_in(self, weights: Path | None) -> Mapping[str, HarmlessClasses]:  # noqa: ARG002
        """Return what the files of ``weights`` may name beside tensors; nothing, if nobody has looked."""
        return {}

    def check_proof(self, proof: WeightsProof | None, weights: Path | None) -> None:
        """Raise ``RunError`` unless the worker's model runs on ``weights``, where it has to say so."""

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return what the worker makes of each input: of all at once, if it takes several.

        Raises ``BrokenError`` if that is nothing, and ``MissingWeightsError`` for what it lacks to try.
        """
        if len(batch) > 1 and not self.batch_s:
            pairs = zip(batch, streams, strict=True)
            return [self.restore([waveform], [stream])[0] for waveform, stream in pairs]
        assert self._model is not None, "load comes first"
        sample_rate, seeds = batch[0].sample_rate, [_seed(stream) for stream in streams]
        inputs = [waveform.samples for waveform in batch]
        outputs = self._model.restore(inputs, sample_rate, seeds, self.settings_of_model)
        return [waveform_of(*output, self._output_rate or sample_rate) for output in outputs]

    def close(self) -> None:
        """End the worker, if there is one; ``load`` starts another."""
        if self._model is not None:
            self._model.close()

    def _lacking_environment(self) -> Sequence[str]:
        """Return what the environment lacks, as one sentence or none."""
        places = {
            "interpreter": self.interpreter,
            "checkout of its code": self.repository,
            "worker": self.script,
        }
        lacking = [
            f"{what} at {place}" for what, place in places.items() if place is not None and not place.exists()
        ]
        if not lacking:
            return ()
        return (f"the environment of {self.kind} has no {' and no '.join(lacking)}: {self._how_made}",)

    @property
    def _how_made(self) -> str:
        return f"{LIBRARY / 'README.md'} tells how it is made"


def waveform_of(samples: Samples, confidence: float | None, sample_rate: int) -> Waveform:
    """Return what a model made, with its confidence if it has one."""
    if confidence is None:
        return Waveform(samples, sample_rate)
    return ConfidentWaveform(samples, sample_rate, confidence)


def _seed(stream: np.random.Generator) -> int:
    """Return the seed of one input; its place in the stream is all that it depends on."""
    return int(stream.integers(LARGEST_SEED))


class PublishedWorker(WorkerRestorer):
    """A model that others have published; its worker comes with Unanimous, by the name of its kind."""

    unverified: ClassVar[str] = "not run with its published weights, only with random ones"
    resources: ClassVar[Resources] = Resources(gpus=1.0)

    harmless: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """By file of weights, the classes that it may name beside tensors. The worker makes nothing of them."""
    by_hand: ClassVar[Mapping[str, str]] = {}
    """Files of its weights that no address gives: by place among them, where people get each."""
    tools_on_gpu: ClassVar[Mapping[str, str]] = {}
    """Programs that it needs on a GPU, and what brings each."""
    gpu_memory: ClassVar[str] = "unknown"
    """What it takes of a GPU, with who has measured or stated it."""
    is_tried_first: ClassVar[bool] = True

    @property
    def script(self) -> Path:
        """The worker."""
        return LIBRARY / f"{self.kind}_worker.py"

    @property
    def lock(self) -> Path:
        """What its environment is made of."""
        return LIBRARY / f"{self.kind}.lock"

    @property
    def lacking_by_hand(self) -> Mapping[Path, str]:
        """Return the files of weights that somebody has to put there, and where each is to be had."""
        if self.published is None:
            return {}
        folder = self.path or self.published.folder
        return {folder / name: way for name, way in self.by_hand.items() if not (folder / name).is_file()}

    @property
    def lacking_tools(self) -> Mapping[str, str]:
        """Return the programs that it would lack on a GPU, on the path that its worker has."""
        path = os.pathsep.join([str(self.interpreter.parent), os.environ.get("PATH", os.defpath)])
        return {name: way for name, way in self.tools_on_gpu.items() if shutil.which(name, path=path) is None}

    @property
    def _how_made(self) -> str:
        return f"'python -m pipeline environments make {self.kind}' makes it; {super()._how_made}"

    def harmless_in(self, weights: Path | None) -> Mapping[str, HarmlessClasses]:
        """Return the listed classes for the very files that are there, once they are pinned by SHA-256."""
        if weights is None or self.sha256 is None:
            return {}
        return {
            name: {"sha256": file_digest(weights / name), "classes": classes}
            for name, classes in self.harmless.items()
            if (weights / name).is_file()
        }

    def check_proof(self, proof: WeightsProof | None, weights: Path | None) -> None:
        """Raise ``RunError`` unless the model runs on every file of tensors; say what it left over."""
        if proof is None:
            raise RunError(f"{self.called}: its worker does not say which weights its model runs on")
        seen = {Path(path).resolve(): digest for path, digest in proof.files.items()}
        for file in self.published.files if self.published else ():
            assert weights is not None, "a published model has weights"
            place = (weights / file.name if weights.is_dir() else weights).resolve()
            if place.suffix in TENSOR_SUFFIXES and seen.get(place) != file_digest(place):
                raise RunError(f"{self.called}: its worker's model does not run on {place}")
        if proof.left:
            shown = ", ".join(proof.left[:_LEFT_SHOWN])
            log.warning(
                "%s: its model has no use for %d tensors of its files: %s",
                self.called,
                len(proof.left),
                shown,
            )
