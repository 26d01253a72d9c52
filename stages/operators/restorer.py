"""What every restoration model is: degraded speech in, restored speech out.

A model says how it wants to be called and leaves the rest to the stage around it, which resamples, cuts
long audio into chunks, groups inputs of about one length, calls under ``torch.inference_mode``, halves a
group that does not fit into memory, takes delay back, and restores length and level. What a model says of
itself is a property below; where it does not depend on settings, a class variable of the same name will do.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np

from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution
from stages.operators.operator import Operator, Registry

Precision = Literal["float32", "bfloat16", "float16"]

CHUNK_S = 30.0
OVERLAP_S = 1.0


class Restorer(Operator):
    """A restoration model. Fields are its settings; weights arrive in ``load``, never before."""

    paradigm: ClassVar[str] = "signal processing"
    draws: ClassVar[Mapping[str, Distribution]] = {}
    """How settings are drawn for takes after the first, where the config does not say it."""
    loaded_by: ClassVar[frozenset[str]] = frozenset()
    """Settings that decide what ``load`` brings in, or how the stage calls it, beside those of its bases."""

    @classmethod
    def undrawable(cls) -> frozenset[str]:
        """Return the settings that are one for all takes, for the model is loaded once for all of them."""
        return frozenset().union(*(vars(base).get("loaded_by", ()) for base in cls.__mro__))

    @property
    def sample_rate(self) -> int | None:
        """The rate it works at in Hz; None if any rate will do."""
        return None

    @property
    def sampling(self) -> bool:
        """Whether it draws from its stream; if not, several takes need drawn settings."""
        return False

    @property
    def global_randomness(self) -> bool:
        """Whether it draws from the generators of ``random``, numpy or torch, whatever stream it is given.

        They are then set from the stream around the call, with one input per call.
        """
        return False

    @property
    def restores_level(self) -> bool:
        """Whether its output level is meant; if not, the stage matches it to the input's."""
        return False

    @property
    def chunk_s(self) -> float | None:
        """The longest input in seconds; longer ones come in overlapping chunks.

        None for a model that streams: one whose memory does not grow with the length of its input.
        """
        return CHUNK_S

    @property
    def overlap_s(self) -> float:
        """What neighbouring chunks share: the cross-fade is its middle half, the rest is context."""
        return OVERLAP_S

    @property
    def batch_s(self) -> float:
        """How many seconds of audio to give at once, counting each input as long as the longest.

        0 for a model without a batch dimension: it is given one input per call.
        """
        return 0.0

    @property
    def tolerance(self) -> float:
        """By how much a sample may differ, relative to the peak, when the input had other company.

        0 promises the same bits on the CPU. Inputs of one call differ in length: whoever pads them has
        to keep what was padded from being heard.
        """
        return 0.0

    @property
    def environment(self) -> str:
        """The name of an environment of its own, whose worker process nobody else is to share; or nothing."""
        return ""

    @property
    def is_tried_first(self) -> bool:
        """Whether clean speech goes through it before anything else when it first starts on a machine."""
        return False

    def load(self, device: str) -> None:
        """Bring weights to ``device`` (``cpu``, ``cuda``); models without weights have nothing to do.

        Raises ``MissingWeightsError`` when they are not there.
        """

    @abstractmethod
    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return one restoration per input, each drawing from its own stream only.

        Inputs are mono, at ``sample_rate``, not silent, and must not be written to. Outputs may be at
        another rate, a frame longer or shorter, or up to 0.25 s late; a ``ConfidentWaveform`` has a number
        with it, such as the mean log-probability of its tokens, which is kept with the take. Raising
        ``UnfitError`` or ``BrokenError`` gives the reason why there is no restoration; in company, each input
        is then tried again alone.
        """

    def with_settings(self, settings: Mapping[str, Any]) -> Self:
        """Return the same loaded model under other settings, validated."""
        if not settings:
            return self
        changed = type(self).model_validate({**self.model_dump(), **settings})
        object.__setattr__(changed, "__pydantic_private__", self.__pydantic_private__)
        return changed

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings alone: what was loaded is loaded again where it arrives."""
        return type(self).model_validate, (self.model_dump(),)


class MixedPrecision(Restorer):
    """A torch model that may compute in 16 bits where torch holds that to be safe.

    The stage enters ``torch.autocast`` around the call; the model returns float32 all the same. Whether a
    device has what that takes is tried once, when the model is loaded.
    """

    loaded_by: ClassVar[frozenset[str]] = frozenset({"precision"})

    precision: Precision = "float32"


RESTORERS: Registry[Restorer] = Registry("restorer")
