"""What every restoration model is: degraded speech in, restored speech out."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from stages.distributions import Distribution
from stages.operator import Operator, Registry
from stages.waveform import Waveform


class Restorer(Operator):
    """A restoration model. Fields are its settings; weights arrive in ``load``, never before."""

    paradigm: ClassVar[str] = "signal processing"
    sampling: ClassVar[bool] = False
    """Whether it draws from its stream; if not, several takes need drawn settings."""
    restores_level: ClassVar[bool] = False
    """Whether its output level is meant; if not, the stage matches it to the input's."""
    draws: ClassVar[Mapping[str, Distribution]] = {}
    """How settings are drawn for takes after the first, where the config does not say it."""

    @property
    def sample_rate(self) -> int | None:
        """The rate it works at in Hz; None if any rate will do."""
        return None

    def load(self, device: str) -> None:
        """Bring weights to ``device`` (``cpu``, ``cuda``); models without weights have nothing to do.

        Raises ``MissingWeightsError`` when they are not there.
        """

    @abstractmethod
    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return one restoration per input, each drawing from its own stream only.

        Inputs are at ``sample_rate``. Outputs may differ in length by a frame or be delayed:
        the stage around it restores length and alignment.
        """

    def with_settings(self, settings: Mapping[str, Any]) -> Self:
        """Return the same loaded model under other settings, validated."""
        if not settings:
            return self
        changed = type(self).model_validate({**self.model_dump(), **settings})
        object.__setattr__(changed, "__pydantic_private__", self.__pydantic_private__)
        return changed


RESTORERS: Registry[Restorer] = Registry("restorer")
