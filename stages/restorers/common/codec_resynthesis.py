"""Resynthesis: speech as the tokens of a neural codec say it, which noise is not always part of."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from schemas import ConfigError
from stages.audio.resampling import fit_length
from stages.audio.waveform import Waveform
from stages.networks import codecs
from stages.networks.codecs import PUBLISHED_CODECS, BackEnd
from stages.operators.restorer import Restorer
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights

SILENCE_S = 1.0
"""What follows each input: networks look ahead by more than a sample, and must not see what pads a batch."""
BATCH_S = 60.0


class CodecResynthesis(HasWeights, Restorer):
    """Encoding and decoding by a network of transformers', at its rate."""

    licence: ClassVar[str] = "as the weights"
    paradigm: ClassVar[str] = "codec resynthesis"
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    loaded_by: ClassVar[frozenset[str]] = frozenset({"model_sample_rate"})

    model_sample_rate: int = Field(ge=8_000, le=96_000)
    """The rate of the network in Hz; loading refuses another one's."""

    _codec: Any = PrivateAttr(default=None)

    @property
    @abstractmethod
    def back_end(self) -> BackEnd:
        """Which library runs the network."""

    @property
    @abstractmethod
    def setting(self) -> float:
        """What the network is asked for: codebooks or kbit/s."""

    @property
    def sample_rate(self) -> int:
        """The rate of the network in Hz."""
        return self.model_sample_rate

    @property
    def batch_s(self) -> float:
        """A minute at once."""
        return BATCH_S

    @property
    def tolerance(self) -> float:
        """Sums in other company round otherwise."""
        return 1e-3

    @property
    def published(self) -> Weights:
        """What is on the hub."""
        return PUBLISHED_CODECS[self.back_end]

    def load(self, device: str) -> None:
        """Load the network.

        Raises ``MissingWeightsError`` if its weights are not there or others than pinned, ``ConfigError`` if
        it works at another rate, and ``RunError`` if there is no such device.
        """
        codec = codecs.load_codec(self.back_end, self.require_place(), device)
        if codec.sample_rate != self.model_sample_rate:
            raise ConfigError(
                f"{self.place} is a network for {codec.sample_rate} Hz, not {self.model_sample_rate}: "
                f"say 'model_sample_rate: {codec.sample_rate}'"
            )
        self._codec = codec

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return what the network makes of its own tokens for each input, of the same length."""
        import torch  # noqa: PLC0415 - seconds

        hop = self._codec.hop_samples
        longest = max(waveform.samples.size for waveform in batch) + round(SILENCE_S * self.model_sample_rate)
        rows = [fit_length(waveform.samples, -(-longest // hop) * hop) for waveform in batch]
        given = torch.from_numpy(np.stack(rows))[:, np.newaxis].to(self._codec.device)
        with torch.inference_mode():
            heard = self._codec.through(given, self.setting).float().cpu().numpy()
        return [
            waveform.with_samples(fit_length(row.reshape(-1), waveform.samples.size))
            for waveform, row in zip(batch, heard, strict=True)
        ]
