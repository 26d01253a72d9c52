"""SepFormer: attention within and across short chunks of a learned representation, by SpeechBrain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from schemas import MissingWeightsError
from stages.audio.waveform import Samples, Waveform
from stages.networks.loading import read_checkpoint, tensors_of, with_state
from stages.networks.speechbrain_lobes import import_lobe
from stages.operators.restorer import RESTORERS, MixedPrecision
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import KnownFiles, weights_of_revision

_RECIPES: Mapping[str, int] = {"wham16k": 16_000, "dns4-16k": 16_000, "wham": 8_000, "whamr": 8_000}
"""The rates in Hz of what SpeechBrain published."""
_PARTS = ("encoder", "masknet", "decoder")
States = Mapping[str, Mapping[str, Any]]


@RESTORERS.register
class SepFormer(HasWeights, MixedPrecision, UnbatchedRestorer):
    """Subakan et al. (ICASSP 2021) for one speaker, against noise; ``whamr`` against reverberation too.

    ``path`` is a folder with ``encoder.ckpt``, ``masknet.ckpt`` and ``decoder.ckpt``: states of networks of
    any width and depth, read as tensors alone. The recipe's hyperparams.yaml can name any code to run, so
    it is not read: what shapes do not tell is said by ``heads`` and ``chunk_frames``. The network
    normalises over a whole recording, so it is given one at a time.
    """

    kind: ClassVar[str] = "sepformer"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "speechbrain/sepformer-wham16k-enhancement and its like"
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    paradigm: ClassVar[str] = "predictive"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "speechbrain")

    loaded_by: ClassVar[frozenset[str]] = frozenset({"recipe", "heads", "chunk_frames"})

    recipe: Literal["wham16k", "dns4-16k", "wham", "whamr"] = "wham16k"
    """What it was trained on; it decides the rate."""
    heads: int = Field(default=8, ge=1)
    chunk_frames: int = Field(default=250, ge=2)

    _networks: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def sample_rate(self) -> int:
        """16 kHz or 8 kHz, as the recipe has it."""
        return _RECIPES[self.recipe]

    @property
    def chunk_s(self) -> float:
        """10 s: attention takes memory by the square."""
        return 10.0

    @property
    def published(self) -> Weights:
        """The three files of the recipe; which revision is the user's to pin, by SHA-256."""
        name = f"sepformer-{self.recipe}"
        files: KnownFiles = {f"{part}.ckpt": (None, None) for part in _PARTS}
        return weights_of_revision(name, f"speechbrain/{name}-enhancement", "main", "Apache-2.0", files)

    def load(self, device: str) -> None:
        """Build the networks; raises ``MissingWeightsError`` if a file holds another one's state, or code."""
        import torch  # noqa: PLC0415

        folder = self.require_place()
        files = {part: folder / f"{part}.ckpt" for part in _PARTS}
        states = {part: tensors_of(read_checkpoint(file), file) for part, file in files.items()}
        with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
            networks = self._build(states, folder)
        self._networks = {
            part: with_state(networks[part], states[part], files[part], device) for part in _PARTS
        }

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the one source that is found in the input, of about the same length."""
        import torch  # noqa: PLC0415

        encoder, masknet, decoder = (self._networks[part] for part in _PARTS)
        device = next(encoder.parameters()).device
        with torch.inference_mode():
            features = encoder(torch.from_numpy(waveform.samples.copy())[None].to(device))
            source = decoder(features * masknet(features)[0])
        return np.asarray(source.reshape(-1).float().cpu().numpy())

    def _build(self, states: States, folder: Path) -> Mapping[str, Any]:
        dual_path = import_lobe("models.dual_path")
        sizes = _sizes(states, folder, self.heads)
        intra, inter = (
            dual_path.SBTransformerBlock(
                num_layers=sizes["layers"], d_model=sizes["width"], nhead=self.heads,
                d_ffn=sizes["feed_forward"], dropout=0.0, use_positional_encoding=True, norm_before=True,
            )
            for _ in range(2)
        )  # fmt: skip
        masknet = dual_path.Dual_Path_Model(
            in_channels=sizes["channels"], out_channels=sizes["width"], intra_model=intra, inter_model=inter,
            num_layers=sizes["blocks"], norm="ln", K=self.chunk_frames, num_spks=1, skip_around_intra=True,
            linear_layer_after_inter_intra=False,
        )  # fmt: skip
        taps = sizes["taps"]
        return {
            "encoder": dual_path.Encoder(kernel_size=taps, out_channels=sizes["channels"]),
            "masknet": masknet,
            "decoder": dual_path.Decoder(
                sizes["channels"], 1, kernel_size=taps, stride=taps // 2, bias=False
            ),
        }


def _sizes(states: States, folder: Path, heads: int) -> Mapping[str, int]:
    """Return what the shapes of the states tell; raises ``MissingWeightsError`` if they tell of others."""
    encoder, masknet = states["encoder"], states["masknet"]
    layer = "dual_mdl.0.intra_mdl.mdl.layers.0.pos_ffn.ffn.0.weight"
    try:
        channels, _, taps = encoder["conv1d.weight"].shape
        feed_forward, width = masknet[layer].shape
    except (KeyError, ValueError) as error:
        raise MissingWeightsError(f"{folder} is no SepFormer of SpeechBrain: {error}") from error
    if width % heads:
        raise MissingWeightsError(f"{folder} has {width} features, which {heads} heads cannot share evenly")
    return {
        "channels": channels,
        "taps": taps,
        "width": width,
        "feed_forward": feed_forward,
        "blocks": _count(masknet, 1, "dual_mdl."),
        "layers": _count(masknet, 5, "dual_mdl.0.intra_mdl.mdl.layers."),
    }


def _count(state: Mapping[str, Any], place: int, beginning: str) -> int:
    """Return how many numbers there are at ``place`` of the dotted names that have this beginning."""
    return len({name.split(".")[place] for name in state if name.startswith(beginning)})
