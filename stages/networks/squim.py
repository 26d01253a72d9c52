"""SQUIM's two networks as torchaudio has them, of the size that a checkpoint has."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from schemas import MissingWeightsError
from stages import torchaudio_guard

HEADS = 4
CHUNK_SIZE = 71
"""Frames. What leaves no trace in a checkpoint is as published: these, and the next two, of wav2vec 2.0."""
_HEAD_WIDTH = 64
_STRIDES = (5, 2, 2, 2, 2, 2, 2)


def build_objective(state: Mapping[str, Tensor], path: Path) -> Any:
    """Return the network that estimates STOI, PESQ and SI-SDR, as large as the tensors say.

    Raises ``MissingWeightsError`` if they are another network's.
    """
    torchaudio_guard.install_guard()
    from torchaudio.models import squim_objective_model  # noqa: PLC0415

    try:
        width, _, window = state["encoder.conv1d.weight"].shape
        return squim_objective_model(
            feat_dim=width,
            win_len=window,
            d_model=state["dprnn.conv.0.weight"].shape[0],
            nhead=HEADS,
            hidden_dim=state["dprnn.row_rnn.0.rnn.weight_hh_l0"].shape[1],
            num_blocks=_count(state, r"dprnn\.row_rnn\.(\d+)\."),
            rnn_type="LSTM",
            chunk_size=CHUNK_SIZE,
        )
    except (KeyError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no SQUIM of objective measures: {error} is amiss") from error


def build_subjective(state: Mapping[str, Tensor], path: Path) -> Any:
    """Return the network that estimates opinions next to any clean speech, as large as the tensors say.

    Raises ``MissingWeightsError`` if they are another network's.
    """
    torchaudio_guard.install_guard()
    from torchaudio.models import SquimSubjective  # noqa: PLC0415
    from torchaudio.models.squim.subjective import Predictor  # noqa: PLC0415

    try:
        projected, width = state["projector.weight"].shape
        levels = state["predictor.att_pool_layer.linear2.weight"].shape[0]
        speech = _speech_model(state)
    except (KeyError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no SQUIM of opinions: {error} is amiss") from error
    return SquimSubjective(speech, nn.Linear(width, projected), Predictor(2 * projected, levels))


def _speech_model(state: Mapping[str, Tensor]) -> Any:
    from torchaudio.models import wav2vec2_model  # noqa: PLC0415

    encoder = "ssl_model.encoder.transformer"
    width = state[f"{encoder}.layer_norm.weight"].shape[0]
    positions = state[f"{encoder}.pos_conv_embed.conv.parametrizations.weight.original1"]
    return wav2vec2_model(
        extractor_mode="group_norm",
        extractor_conv_layer_config=_convolutions(state),
        extractor_conv_bias=False,
        encoder_embed_dim=width,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=positions.shape[2],
        encoder_pos_conv_groups=width // positions.shape[1],
        encoder_num_layers=_count(state, rf"{re.escape(encoder)}\.layers\.(\d+)\."),
        encoder_num_heads=width // _HEAD_WIDTH,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=state[f"{encoder}.layers.0.feed_forward.intermediate_dense.weight"].shape[
            0
        ],
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=False,
        encoder_layer_drop=0.0,
        aux_num_out=None,
    )


def _convolutions(state: Mapping[str, Tensor]) -> list[tuple[int, int, int]]:
    layers = "ssl_model.feature_extractor.conv_layers"
    kernels = [state[f"{layers}.{layer}.conv.weight"] for layer in range(len(_STRIDES))]
    return [
        (kernel.shape[0], kernel.shape[2], stride) for kernel, stride in zip(kernels, _STRIDES, strict=True)
    ]


def rename_squim_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under today's names: torch has called weight norm's otherwise since 2.0."""
    today = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    return {
        re.sub(r"weight_[gv]$", lambda found: today[found[0]], key): value for key, value in state.items()
    }


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    return len({found[1] for key in state if (found := re.match(pattern, key))})
