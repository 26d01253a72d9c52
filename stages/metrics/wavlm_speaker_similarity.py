"""WavLM: speaker similarity by its x-vector network."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from schemas import MissingWeightsError
from stages.audio.waveform import Samples
from stages.metrics.common.speaker_similarity import SPEAKER_SAMPLE_RATE, Embedding, SpeakerSimilarity
from stages.networks.loading import require_device
from stages.operators.metric import METRICS
from stages.operators.metric_bases import heard_by_length
from stages.weights.checkpoints import architecture, load_pretrained
from stages.weights.files import WeightFile, Weights

_REVISION = "feb593a6c23c1cc3d9510425c29b0a14d2b07b1e"
_REPOSITORY = "https://huggingface.co/microsoft/wavlm-base-plus-sv"
_FILES = ("config.json", "preprocessor_config.json", "pytorch_model.bin")
_PUBLISHED = Weights(
    name="wavlm-base-plus-sv",
    source=_REPOSITORY,
    revision=_REVISION,
    licence="CC-BY-SA-3.0",
    files=tuple(WeightFile(name=name, url=f"{_REPOSITORY}/resolve/{_REVISION}/{name}") for name in _FILES),
)


@METRICS.register
class WavlmSpeakerSimilarity(SpeakerSimilarity):
    """Cosine of the x-vectors of a WavLM for speaker verification (Chen et al., JSTSP 2022), by transformers.

    ``path`` is a folder with the network, safetensors or a ``pytorch_model.bin`` that holds tensors alone,
    its ``config.json`` and its ``preprocessor_config.json``, which says whether samples are normalised.
    """

    kind: ClassVar[str] = "wavlm_speaker_similarity"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "CC-BY-SA-3.0"
    weights: ClassVar[str] = "microsoft/wavlm-base-plus-sv"
    packages: ClassVar[tuple[str, ...]] = ("transformers",)
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    _network: Any = PrivateAttr(default=None)
    _prepared: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The folder as its authors published it."""
        return _PUBLISHED

    def load(self, device: str) -> None:
        """Bring in the network; raises ``MissingWeightsError`` if the folder holds another."""
        place = self.require_place()
        try:
            self._prepared = architecture("Wav2Vec2FeatureExtractor").from_pretrained(
                place, local_files_only=True
            )
        except OSError as error:
            raise MissingWeightsError(f"{place} lacks preprocessor_config.json") from error
        self._network = load_pretrained("WavLMForXVector", place).float().to(require_device(device))

    def embed(self, samples: Samples) -> Embedding:
        """Return 512 numbers, or as many as the network has."""
        return self._embed_alike(samples[None])[0]

    def embed_together(self, parts: Sequence[Samples]) -> Sequence[Embedding]:
        """Return the same with parts of one length in a batch."""
        return heard_by_length(parts, self._embed_alike)

    def _embed_alike(self, samples: NDArray[np.float32]) -> list[Embedding]:
        import torch  # noqa: PLC0415

        heard = self._prepared(list(samples), sampling_rate=SPEAKER_SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            return list(self._network(**heard.to(self._network.device)).embeddings.cpu().numpy())
