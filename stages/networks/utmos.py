"""The network of UTMOS's strong learner: wav2vec 2.0, a bidirectional LSTM, and a number for each frame.

Saeki et al., Interspeech 2022, without the phonemes, which the published port leaves out as well. Domain and
judge of the training data are two constant vectors of the checkpoint.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from schemas import MissingWeightsError
from stages.weights.checkpoints import architecture

_STRIDES = (5, 2, 2, 2, 2, 2, 2)
"""Of wav2vec 2.0's convolutions: 20 ms at 16 kHz. Strides leave no trace in a checkpoint."""
_HEAD_WIDTH = 64
"""Of the attention, in wav2vec 2.0 of any size."""

RENAMED = (
    (r"^wav2vec2\.layer_norm\.", "wav2vec2.feature_projection.layer_norm."),
    (r"^wav2vec2\.post_extract_proj\.", "wav2vec2.feature_projection.projection."),
    (r"^wav2vec2\.mask_emb$", "wav2vec2.masked_spec_embed"),
    (r"(conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"(conv_layers\.0)\.2\.", r"\1.layer_norm."),
    (r"pos_conv\.0\.weight_g$", "pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"pos_conv\.0\.weight_v$", "pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"pos_conv\.0\.", "pos_conv_embed.conv."),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.self_attn\.", ".attention."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
)
"""From the names of fairseq, which the checkpoint has, to those of transformers."""


def rename_utmos_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint under the names that ``UtmosNetwork`` has for them."""
    return {_rename_key(key): value for key, value in state.items()}


def _rename_key(key: str) -> str:
    for pattern, replacement in RENAMED if key.startswith("wav2vec2.") else ():
        key = re.sub(pattern, replacement, key)
    return key


class UtmosNetwork(nn.Module):
    """Waveforms at 16 kHz to opinion scores; sizes are read off the renamed tensors of a checkpoint."""

    def __init__(self, state: Mapping[str, Tensor], path: Path) -> None:
        super().__init__()
        speech_model = architecture("Wav2Vec2Model")
        try:
            self.wav2vec2 = speech_model(_speech_settings(state))
            self.domain_emb = nn.Parameter(torch.empty_like(state["domain_emb"]))
            self.judge_emb = nn.Parameter(torch.empty_like(state["judge_emb"]))
            gates, features = state["blstm.weight_ih_l0"].shape
            hidden = state["projection.0.weight"].shape[0]
        except (KeyError, IndexError, ValueError) as error:
            raise MissingWeightsError(
                f"{path} is no UTMOS strong learner: {error} is not as it should be"
            ) from error
        width = gates // 4
        self.blstm = nn.LSTM(features, width, batch_first=True, bidirectional=True)
        self.projection = nn.Sequential(nn.Linear(2 * width, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return ``(batch,)`` scores of ``(batch, samples)``."""
        speech = self.wav2vec2(waveforms).last_hidden_state
        constants = [each.expand(*speech.shape[:2], -1) for each in (self.domain_emb, self.judge_emb)]
        recurrent, _ = self.blstm(torch.cat([speech, *constants], dim=2))
        per_frame: Tensor = self.projection(recurrent)
        return per_frame.mean(dim=(1, 2)) * 2.0 + 3.0


def _speech_settings(state: Mapping[str, Tensor]) -> Any:
    convolutions = [
        state[f"wav2vec2.feature_extractor.conv_layers.{layer}.conv.weight"] for layer in range(len(_STRIDES))
    ]
    layers = {key.split(".")[3] for key in state if key.startswith("wav2vec2.encoder.layers.")}
    width = state["wav2vec2.encoder.layer_norm.weight"].shape[0]
    positions = state["wav2vec2.encoder.pos_conv_embed.conv.parametrizations.weight.original1"]
    return architecture("Wav2Vec2Config")(
        hidden_size=width,
        num_hidden_layers=len(layers),
        num_attention_heads=width // _HEAD_WIDTH,
        intermediate_size=state["wav2vec2.encoder.layers.0.feed_forward.intermediate_dense.weight"].shape[0],
        conv_dim=[each.shape[0] for each in convolutions],
        conv_kernel=[each.shape[2] for each in convolutions],
        conv_stride=list(_STRIDES),
        num_conv_pos_embeddings=positions.shape[2],
        num_conv_pos_embedding_groups=width // positions.shape[1],
    )
