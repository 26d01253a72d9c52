"""A model of the user's own, as a TorchScript file: no code needed."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from schemas import MissingWeightsError
from stages.audio.resampling import fit_length
from stages.audio.waveform import Samples, Waveform
from stages.operators.distributions import Uniform
from stages.operators.restorer import RESTORERS, MixedPrecision
from stages.operators.unbatched_restorer import Strength, blend
from stages.restorers.common.user_model import BatchedUserModel


@RESTORERS.register
class TorchScript(BatchedUserModel, MixedPrecision):
    """One module that takes a waveform and gives one. It is known by what is in its file.

    TorchScript is a program in a language of its own, without files or network: loading it runs no Python.
    """

    kind: ClassVar[str] = "torchscript"
    weights: ClassVar[str] = "the file that the config names"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    draws = {"strength": Uniform(low=0.5, high=1.0)}

    path: Path
    """The file that ``torch.jit.save`` wrote."""
    layout: Literal["batch_samples", "batch_1_samples"] = "batch_samples"
    """The shape that it takes: (batch, samples), or (batch, 1, samples)."""
    delay_samples: Annotated[int, Field(ge=0)] = 0
    """How much later than its input a sample comes out."""
    pad_multiple: Annotated[int, Field(gt=0)] = 1
    """What the length has to be a multiple of; zeros fill it up."""
    strength: Strength = 1.0
    """Under 1 the delay must be right: input and restoration are added up."""

    _module: Any = PrivateAttr(default=None)
    _device: str = PrivateAttr(default="cpu")

    @model_validator(mode="after")
    def _draws_alone(self) -> Self:
        if self.model_sampling and self.batch_seconds:
            raise ValueError("a module that samples is given one input per call: leave batch_seconds at 0")
        return self

    @property
    def global_randomness(self) -> bool:
        """A module has no generator but torch's."""
        return self.model_sampling

    def load(self, device: str) -> None:
        """Read the module on to ``device``.

        Raises ``MissingWeightsError`` if the file is not there, another than pinned or no TorchScript, and
        ``RunError`` if this torch sees no such device.
        """
        import torch  # noqa: PLC0415 - seconds

        from stages.networks.loading import require_device  # noqa: PLC0415

        place = self.require_place()
        require_device(device)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # what replaces it takes fixed lengths
                self._module = torch.jit.load(str(place), map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise MissingWeightsError(
                f"{place} is no TorchScript that this torch can read: {error}"
            ) from error
        self._device = device

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002 - torch's generator is set around the call
    ) -> Sequence[Waveform]:
        """Return what the module makes of each input."""
        import torch  # noqa: PLC0415

        longest = max(waveform.samples.size for waveform in batch) + self.delay_samples
        length = -(-longest // self.pad_multiple) * self.pad_multiple
        stacked = torch.from_numpy(np.stack([fit_length(w.samples, length) for w in batch]))
        given = stacked[:, None] if self.layout == "batch_1_samples" else stacked
        with torch.inference_mode():
            made = self._module(given.to(self._device))
        rows = made.float().cpu().numpy().reshape(len(batch), -1)
        return [self._own_part(waveform, row, length) for waveform, row in zip(batch, rows, strict=True)]

    def _own_part(self, waveform: Waveform, row: Samples, given: int) -> Waveform:
        """Return a row without delay and padding; samples that it lost or won are for the stage to see."""
        won = max(0, row.size - self.delay_samples - given)
        made = row[self.delay_samples : self.delay_samples + waveform.samples.size + won]
        return blend(waveform, made, self.strength)
