"""SpeechBERTScore: whether a speech model finds the same sounds in the candidate and in the clean."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, model_validator

from schemas import BrokenError, ConfigError, Reason
from stages.audio.waveform import Samples
from stages.networks.loading import require_device
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import EmbeddingMetric, heard_by_length
from stages.weights.checkpoints import load_pretrained
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import weights_of_revision

_SAMPLE_RATE = 16_000
LONGEST = 30 * _SAMPLE_RATE
"""Memory grows with the square of the length."""

_PUBLISHED = {
    "hubert-base-ls960": weights_of_revision(
        "hubert-base-ls960",
        "facebook/hubert-base-ls960",
        "dba3bb02fda4248b6e082697eee756de8fe8aa8a",
        "Apache-2.0",
        {
            "config.json": (1_385, "56be398848bbd9cbc720172b0d45b2f01cac7652f2968f0f31f5faf9f2986acc"),
            "pytorch_model.bin": (
                377_569_754,
                "062249fffb353eab67547a2fbc129f7c31a2f459faf641b19e8fb007cc5c48ad",
            ),
        },
    )
}
"""Bytes and SHA-256 as several projects that pin them have them."""

_Frames = Any
"""A tensor (frames, channels)."""


def _similarity(note: str) -> Output:
    return Output(
        aspect=Aspect.CONTENT_CONSISTENCY,
        better=Better.HIGHER,
        low=-1.0,
        high=1.0,
        noise_floor=0.01,
        votes=False,
        note=f"{note}; no vote by default while not run with its published weights",
    )


@METRICS.register
class SpeechBertScore(HasWeights, EmbeddingMetric):
    """SpeechBERTScore (Saeki et al., Interspeech 2024): cosine of best-matching frames of a speech model.

    Precision looks for each frame of the candidate in the clean reference, recall the other way round, F1
    is their harmonic mean. Model and layer make the number, so both are part of its name. Frames are the
    hidden states after that layer (0 is before the first). Over 30 s both sides are cut alike into the
    fewest equal parts, and frames are looked for in their own part.
    """

    kind: ClassVar[str] = "speech_bert_score"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "facebook/hubert-base-ls960"
    packages: ClassVar[tuple[str, ...]] = ("transformers",)
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    model: str = Field(default="hubert-base-ls960", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the scores are called after: of one's own choice with ``path``, a folder of a HuBERT or WavLM."""
    layer: int = Field(default=8, ge=0)

    _network: Any = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _own_weights_have_a_name(self) -> Self:
        if self.path is not None and "model" not in self.model_fields_set:
            raise ValueError("with 'path', say 'model' too: the scores carry its name")
        return self

    @property
    def outputs(self) -> Mapping[str, Output]:  # type: ignore[override]  # other metrics give the same always
        """Precision, recall and F1, by names that hold model and layer."""
        name = f"{self.model.lower().replace('-', '_').replace('.', '_')}_l{self.layer}"
        return {
            f"{name}_precision": _similarity("how much of the candidate is in the clean reference"),
            f"{name}_recall": _similarity("how much of the clean reference is in the candidate"),
            f"{name}_f1": _similarity("both ways"),
        }

    @property
    def published(self) -> Weights | None:
        """The weights that ``model`` names, if they are known here."""
        return _PUBLISHED.get(self.model)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Bring in the network; raises ``ConfigError`` if it has no such layer."""
        network = load_pretrained("AutoModel", self.require_place())
        layers = network.config.num_hidden_layers
        if self.layer > layers:
            raise ConfigError(f"{self.model} has {layers} layers: there is no layer {self.layer}")
        self._network = network.float().to(require_device(device))

    def compare(self, candidate: Sequence[_Frames], clean: Sequence[_Frames]) -> Measured:
        """Return precision, recall and F1."""
        values = precision_recall_f1(
            [frame_similarities(*part) for part in zip(candidate, clean, strict=True)]
        )
        return dict(zip(self.outputs, values, strict=True))

    def hear(self, samples: Samples, longest: int = LONGEST) -> list[_Frames]:
        """Return the frames of each part, of which none has more samples than ``longest``."""
        return [self._hidden(part[None])[0] for part in _parts_of(samples, longest)]

    def hear_together(self, sides: Sequence[Samples]) -> Sequence[list[_Frames]]:
        """Return the same with parts of one length in a batch."""
        cut = [_parts_of(side, LONGEST) for side in sides]
        frames = iter(heard_by_length([part for parts in cut for part in parts], self._hidden))
        return [[next(frames) for _ in parts] for parts in cut]

    def _hidden(self, samples: NDArray[np.float32]) -> _Frames:
        """Return ``(recordings, frames, channels)`` of ``(recordings, samples)``."""
        import torch  # noqa: PLC0415

        with torch.inference_mode():
            shown = torch.from_numpy(samples.copy()).to(self._network.device)
            return self._network(shown, output_hidden_states=True).hidden_states[self.layer]


def _parts_of(samples: Samples, longest: int) -> list[Samples]:
    return np.array_split(samples, -(-samples.size // longest))


def frame_similarities(candidate: _Frames, clean: _Frames) -> _Frames:
    """Return the cosine of every frame of the candidate (rows) with every frame of the clean (columns)."""
    rows, columns = (frames / frames.norm(dim=1, keepdim=True) for frames in (candidate, clean))
    return (rows @ columns.T).clamp(-1.0, 1.0)  # rounding goes a little beyond


def precision_recall_f1(parts: Sequence[_Frames]) -> tuple[float, float, float]:
    """Return the mean best cosine of rows, of columns, and their harmonic mean, over all parts.

    Raises ``BrokenError`` where they have no such mean: where frames are opposite, it leaves its range.
    """
    precision, recall = (
        float(np.concatenate([part.amax(dim=along).cpu().numpy() for part in parts]).mean())
        for along in (1, 0)
    )
    if min(precision, recall) <= 0.0:
        raise BrokenError(Reason.NOT_FINITE, "precision or recall is not above 0: F1 has no value")
    return precision, recall, 2 * precision * recall / (precision + recall)
