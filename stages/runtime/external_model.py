"""A model in an environment of its own: its worker process is started, asked, watched and replaced."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas import BrokenError, Digest, MissingWeightsError, Params, Reason, Record, RunError, SampleRate
from stages.audio.waveform import Samples
from stages.runtime.attempt import says_gpu_is_lost, says_out_of_memory
from stages.runtime.child_process import ChildProcess, DiedError, HungError
from stages.runtime.external_protocol import PROTOCOL, GarbledError, ask_worker

_LOAD_TIMEOUT_S = 600.0
"""Time to import a framework and to read weights from a slow disk."""
LIBRARY = Path(__file__).parents[1] / "restorers" / "workers"
"""Where ``unanimous_worker.py`` and the shipped workers are."""
OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"})
"""Variables that would lead another interpreter to our packages."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
SAFE = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
"""No checkpoint runs code, whatever the model's own loading asks for."""
HarmlessClasses = Mapping[str, Any]
"""``sha256`` of a file and ``classes``, the dotted names that it may hold beside tensors."""
log = logging.getLogger("unanimous")


class WeightsProof(Record):
    """What a worker has seen its model to run on: ``prove_weights`` of ``unanimous_weights.py`` writes it."""

    files: Mapping[str, Digest]
    """SHA-256 of the files, by path."""
    tensors: int
    numbers: int
    """In the model, all of them from the files."""
    left: tuple[str, ...]
    """Tensors of the files that the model has no use for."""


class Introduction(Record):
    """What a worker says of its model once it is loaded."""

    protocol: int
    name: str
    sample_rate: SampleRate | None
    output_rate: SampleRate | None
    """The rate of what comes back; None if it is the input's."""
    sampling: bool
    licence: str | None
    proof: WeightsProof | None = None
    """Which weights it runs on, if it says so."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Which interpreter runs which worker, and where."""

    interpreter: Path
    script: Path
    folder: Path | None = None
    """The model's repository: the working directory, from which it can be imported."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> ChildProcess:
        """Return a new worker. Raises ``OSError`` if the interpreter cannot be run."""
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        paths = [str(path.absolute()) for path in (self.folder, LIBRARY) if path is not None]
        programs = os.pathsep.join([str(self.interpreter.absolute().parent), kept.get("PATH", os.defpath)])
        own = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}
        own["PATH"] = programs  # ninja, which some models compile with, is the environment's
        command = [str(self.interpreter.absolute()), str(self.script.absolute())]  # it works in the folder
        return ChildProcess(command, {**kept, **OFFLINE, **SAFE, **own, **self.variables}, self.folder)


class ExternalOutput(NamedTuple):
    """What a worker made of one input, and how sure its model is of it, if it says so."""

    samples: Samples
    confidence: float | None = None


class ExternalModel:
    """Restores like a model in this process, but in a worker that may die or hang.

    What the worker dies of is tried once more with a new one; if that dies too, the reason is ``CRASHED``.
    ``timeout_s`` seconds per input without an answer are ``TIMED_OUT``. What comes next gets a new worker
    either way. What a lost worker said last is in the log.
    """

    def __init__(self, name: str, environment: Environment, timeout_s: float) -> None:
        self._name = name
        self._environment = environment
        self._timeout_s = timeout_s
        self._loading: dict[str, Any] = {}
        self._worker: ChildProcess | None = None

    def load(
        self, device: str, weights: Path | None, harmless: Mapping[str, HarmlessClasses] | None = None
    ) -> Introduction:
        """Start the worker, load the model there and return what the worker says of it.

        ``harmless`` are classes that files of weights may name beside tensors, by name of the file.
        Raises ``MissingWeightsError`` for what is not there, and ``RunError`` if it cannot be loaded.
        """
        self.close()
        place = str(weights.absolute()) if weights else None
        self._loading = {"ask": "load", "device": device, "weights": place, "harmless": dict(harmless or {})}
        try:
            worker = self._worker = self._environment.start()
        except OSError as error:
            raise MissingWeightsError(f"{self._name}: {error}; see {LIBRARY}/README.md") from error
        try:
            header, _ = ask_worker(
                worker, {**self._loading, "timeout_s": _LOAD_TIMEOUT_S}, (), _LOAD_TIMEOUT_S
            )
            return self._introduce(header)
        except (DiedError, HungError, GarbledError, ValidationError) as error:
            lost = self._end_worker(error)
            raise RunError(f"{self._name}: while it loaded the model, its worker {lost}") from error

    def restore(
        self, inputs: Sequence[Samples], sample_rate: int, seeds: Sequence[int], settings: Params
    ) -> Sequence[ExternalOutput]:
        """Return what the model makes of all inputs, asked at once.

        Raises ``BrokenError`` if that is nothing, and ``MissingWeightsError`` for what it lacks to try.
        """
        timeout_s = self._timeout_s * len(inputs)
        question = {
            "ask": "restore",
            "sample_rate": sample_rate,
            "seeds": seeds,
            "settings": settings,
            "timeout_s": timeout_s,
        }
        for _ in range(2):
            worker = self._ready_worker()
            try:
                return self._read_restored(len(inputs), *ask_worker(worker, question, inputs, timeout_s))
            except DiedError as error:
                self._end_worker(error)
            except HungError as error:
                self._end_worker(error)
                detail = f"no answer within {timeout_s:g} s"
                raise BrokenError(Reason.TIMED_OUT, detail) from error
            except GarbledError as error:
                self._end_worker(error)
                raise BrokenError(Reason.ERROR, "the worker's answer is no frame") from error
        raise BrokenError(Reason.CRASHED, "its process died twice")

    def close(self) -> None:
        """End the worker, if there is one."""
        if self._worker is not None:
            self._worker.close()
        self._worker = None

    def _ready_worker(self) -> ChildProcess:
        if self._worker is None:
            place = self._loading["weights"]
            self.load(self._loading["device"], Path(place) if place else None, self._loading["harmless"])
        assert self._worker is not None
        return self._worker

    def _end_worker(self, error: Exception) -> str:
        """End the worker and return what became of it; what it said last goes to the log too."""
        worker, self._worker = self._worker, None
        if worker is None:
            return "was gone"
        what = _describe_failure(error, worker)
        worker.close()
        log.warning("%s: its worker %s; it said: %s", self._name, what, worker.last_words or "nothing")
        return f"{what}; it said: {(worker.last_words.splitlines() or ['nothing'])[-1]}"

    def _introduce(self, header: Mapping[str, Any]) -> Introduction:
        self._check_nothing_is_missing(header)
        if header["answer"] == "failed":
            self.close()
            raise RunError(f"{self._name}: {header.get('type')}: {header.get('message')}")
        stated = Introduction.model_validate({name: header.get(name) for name in Introduction.model_fields})
        if stated.protocol != PROTOCOL:
            self.close()
            raise RunError(
                f"{self._name}: its worker speaks protocol {stated.protocol}, and this is {PROTOCOL}: "
                f"use {LIBRARY}/unanimous_worker.py"
            )
        return stated

    def _check_nothing_is_missing(self, header: Mapping[str, Any]) -> None:
        """Raise ``MissingWeightsError`` for what the next input would miss too."""
        if header["answer"] == "missing":
            self.close()
            raise MissingWeightsError(f"{self._name}: {header.get('message')}; see {LIBRARY}/README.md")

    def _read_restored(
        self, count: int, header: Mapping[str, Any], arrays: Sequence[Samples]
    ) -> Sequence[ExternalOutput]:
        self._check_nothing_is_missing(header)
        if header["answer"] == "restored":
            if len(arrays) != count:
                raise BrokenError(Reason.WRONG_SHAPE, f"{len(arrays)} outputs, and inputs: {count}")
            return list(map(ExternalOutput, arrays, _confidences(header, count)))
        kind, message = str(header.get("type")), str(header.get("message"))
        log.warning("%s: %s: %s", self._name, kind, message)
        if says_out_of_memory(kind, message):
            raise BrokenError(Reason.OUT_OF_MEMORY, kind)
        lost = BrokenError(Reason.ERROR, kind)
        if says_gpu_is_lost(message):
            self._end_worker(lost)
        raise lost


def _confidences(header: Mapping[str, Any], count: int) -> Sequence[float | None]:
    """Return a number for each output, or None where the worker's answer has none of use."""
    said = header.get("confidences")
    if not isinstance(said, list) or len(said) != count:
        return [None] * count
    return [
        float(each) if isinstance(each, int | float) and not isinstance(each, bool) else None for each in said
    ]


def _describe_failure(error: Exception, worker: ChildProcess) -> str:
    match error:
        case DiedError():
            return f"died ({worker.ending or 'it closed its streams'})"
        case HungError():
            return "gave no answer in time"
        case GarbledError():
            return "gave an answer that is no frame"
        case ValidationError():
            wrong = error.errors()[0]
            return f"introduced its model with {wrong['loc'][0]} {wrong['input']!r}: {wrong['msg']}"
    return "has lost the GPU"
