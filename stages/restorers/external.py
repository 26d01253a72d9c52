"""A model of the user's own in an environment of its own: no code here needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import JsonValue, model_validator

from schemas import Digest, MissingWeightsError, Params
from stages.operators.restorer import RESTORERS
from stages.restorers.common.user_model import BatchedUserModel
from stages.restorers.common.worker import WorkerRestorer
from stages.weights.files import file_digest


@RESTORERS.register
class External(BatchedUserModel, WorkerRestorer):
    """A worker script of the user's own, run by an interpreter of its own.

    The script is a dozen lines around ``unanimous_worker.py``, which lies in ``stages/restorers/workers``;
    the README there shows one.
    It is known by what is in it; say so with ``revision`` when something else changes, such as a package.
    """

    kind: ClassVar[str] = "external"
    weights: ClassVar[str] = "whatever the worker loads; those that 'path' names are pinned"
    loaded_by: ClassVar[frozenset[str]] = frozenset(
        {"script_path", "script_sha256", "revision", "environment_variables"}
    )

    interpreter_path: Path
    """The interpreter of the model's environment, such as ``env/bin/python``."""
    script_path: Path
    """The worker."""
    script_sha256: Digest | None = None
    """What the script must be; filled in by ``with_digests``."""
    revision: str = ""
    """Anything that tells this environment from an earlier one."""
    settings: Mapping[str, JsonValue] = {}
    """What the worker is told with every input."""
    environment_variables: Mapping[str, str] = {}
    """What the worker is started with beside this process's own."""

    @model_validator(mode="after")
    def _company_is_of_one_rate(self) -> Self:
        if self.batch_seconds and self.model_sample_rate is None:
            raise ValueError("inputs of one call have one rate: batch_seconds needs model_sample_rate")
        return self

    @property
    def script(self) -> Path:
        """The user's."""
        return self.script_path

    @property
    def called(self) -> str:
        """One of several is told by its script."""
        return f"{self.kind} {self.script_path.name}"

    @property
    def has_weights(self) -> bool:
        """Whether the config names some; the worker may bring its own."""
        return self.path is not None

    @property
    def variables(self) -> Mapping[str, str]:
        """The user's."""
        return self.environment_variables

    @property
    def environment(self) -> str:
        """One for each name of a script: whoever shares it takes turns with the same kind of worker."""
        return f"external {self.script_path.stem}"

    @property
    def settings_of_model(self) -> Params:
        """The user's."""
        return dict(self.settings)

    @property
    def fingerprint_params(self) -> Params:
        """The settings without the place of the script, which is known by its digest."""
        return {name: value for name, value in super().fingerprint_params.items() if name != "script_path"}

    def with_digests(self) -> Self:
        """Return the settings with the digests of script and weights; raises ``MissingWeightsError``."""
        pinned = super().with_digests()
        return pinned.model_copy(update={"script_sha256": self._check_script()})

    def load(self, device: str) -> None:
        """Start the worker, if its script is the one that was pinned."""
        if self.script_path.exists():
            self._check_script()
        super().load(device)

    def _check_script(self) -> Digest:
        found = file_digest(self.script_path)
        if self.script_sha256 not in {None, found}:
            raise MissingWeightsError(
                f"{self.script_path} has SHA-256 {found}, but {self.script_sha256} was asked for"
            )
        return found
