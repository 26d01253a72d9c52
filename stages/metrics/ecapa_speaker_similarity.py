"""ECAPA: speaker similarity by SpeechBrain's network for VoxCeleb."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import MissingWeightsError
from stages.audio.waveform import Samples
from stages.metrics.common.speaker_similarity import Embedding, SpeakerSimilarity
from stages.networks.loading import read_checkpoint, run_batch, run_network, tensors_of, with_state
from stages.networks.speechbrain_lobes import import_lobe
from stages.operators.metric import METRICS
from stages.operators.metric_bases import heard_by_length
from stages.weights.files import WeightFile, Weights

_REVISION = "0f99f2d0ebe89ac095bcc5903c4dd8f72b367286"
_REPOSITORY = "https://huggingface.co/speechbrain/spkrec-ecapa-voxceleb"
_PUBLISHED = Weights(
    name="ecapa-voxceleb",
    source=_REPOSITORY,
    revision=_REVISION,
    licence="Apache-2.0",
    files=(
        WeightFile(
            name="embedding_model.ckpt",
            url=f"{_REPOSITORY}/resolve/{_REVISION}/embedding_model.ckpt",
            sha256="0575cb64845e6b9a10db9bcb74d5ac32b326b8dc90352671d345e2ee3d0126a2",
            size_bytes=83_316_686,
        ),
    ),
)
KERNEL_SIZES = [5, 3, 3, 3, 1]
DILATIONS = [1, 2, 3, 4, 1]
MEL_BANDS = 80


@METRICS.register
class EcapaSpeakerSimilarity(SpeakerSimilarity):
    """Cosine of ECAPA-TDNN embeddings (Desplanques et al., Interspeech 2020), by SpeechBrain.

    ``path`` is an ``embedding_model.ckpt``: a state of SpeechBrain's ECAPA_TDNN with any widths, read as
    tensors alone. 80 log mel bands, each without its mean over the recording, as its authors have it.
    """

    kind: ClassVar[str] = "ecapa_speaker_similarity"
    version: ClassVar[int] = 3
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "speechbrain/spkrec-ecapa-voxceleb"
    packages: ClassVar[tuple[str, ...]] = ("speechbrain",)
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The one file that embeddings need."""
        return _PUBLISHED

    def load(self, device: str) -> None:
        """Build the network of this state; raises ``MissingWeightsError`` if it is of another one."""
        place = self.require_place()
        self._network = _build_network(tensors_of(read_checkpoint(place), place), place, device)

    def embed(self, samples: Samples) -> Embedding:
        """Return 192 numbers, or as many as the network has."""
        embedding: Embedding = run_network(self._network, samples).squeeze().float().cpu().numpy()
        return np.atleast_1d(embedding)

    def embed_together(self, parts: Sequence[Samples]) -> Sequence[Embedding]:
        """Return the same with parts of one length in a batch."""
        return heard_by_length(parts, lambda alike: list(run_batch(self._network, alike)[:, 0].cpu().numpy()))


def _build_network(state: Mapping[str, Any], place: Path, device: str) -> Any:
    """Return features, their normalisation and the embedding as one network."""
    import torch  # noqa: PLC0415

    class Centred(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        def forward(self, bands: Any) -> Any:
            return bands - bands.mean(dim=1, keepdim=True)

    with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
        embedding = import_lobe("models.ECAPA_TDNN").ECAPA_TDNN(**_sizes(state, place))
    network = torch.nn.Sequential(
        import_lobe("features").Fbank(n_mels=MEL_BANDS),
        Centred(),
        with_state(embedding, state, place, device),
    )
    return network.eval().to(device)


def _sizes(state: Mapping[str, Any], place: Path) -> Mapping[str, Any]:
    """Return the widths that the shapes of ``state`` tell."""
    try:
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        blocks = [shapes[f"blocks.{n}.tdnn2.conv.conv.weight"][0] for n in (1, 2, 3)]
        return {
            "input_size": shapes["blocks.0.conv.conv.weight"][1],
            "channels": [shapes["blocks.0.conv.conv.weight"][0], *blocks, shapes["mfa.conv.conv.weight"][0]],
            "kernel_sizes": KERNEL_SIZES,
            "dilations": DILATIONS,
            "attention_channels": shapes["asp.tdnn.conv.conv.weight"][0],
            "se_channels": shapes["blocks.1.se_block.conv1.conv.weight"][0],
            "lin_neurons": shapes["fc.conv.weight"][0],
        }
    except (KeyError, IndexError) as error:
        raise MissingWeightsError(f"{place} is no ECAPA_TDNN of SpeechBrain: it lacks {error}") from error
