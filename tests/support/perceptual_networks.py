"""Small random weights for the metrics of perceptual quality, as their published checkpoints hold them."""

from pathlib import Path

NISQA_SETTINGS = {
    "model": "NISQA_DIM",
    "ms_hop_length": 0.01,
    "ms_win_length": 0.02,
    "ms_n_fft": 4096,
    "ms_n_mels": 48,
    "ms_fmax": 20_000,
    "ms_seg_length": 15,
    "ms_seg_hop_length": 4,
    "ms_max_segments": 1300,
    "cnn_c_out_1": 4,
    "cnn_c_out_2": 4,
    "cnn_c_out_3": 8,
    "cnn_kernel_size": (3, 3),
    "cnn_pool_1": [24, 7],
    "cnn_pool_2": [12, 5],
    "cnn_pool_3": [6, 3],
    "td_sa_d_model": 8,
    "td_sa_nhead": 1,
    "td_sa_num_layers": 2,
    "td_sa_h": 8,
    "pool_att_h": 8,
}


def write_nisqa(folder: Path) -> Path:
    """Write a NISQA of some two thousand weights, with everything that a checkpoint has."""
    import torch  # noqa: PLC0415

    from stages.networks.nisqa import NisqaNetwork  # noqa: PLC0415

    torch.manual_seed(0)
    state = NisqaNetwork(NISQA_SETTINGS).state_dict()
    torch.save({"args": NISQA_SETTINGS, "model_state_dict": state}, folder / "nisqa.tar")
    return folder / "nisqa.tar"


def write_vqscore(folder: Path) -> Path:
    """Write a VQScore network with sixteen random codes."""
    import torch  # noqa: PLC0415

    from stages.networks.vqscore import VqScoreNetwork, VqScoreSettings, save_network  # noqa: PLC0415

    torch.manual_seed(0)
    settings = VqScoreSettings(codes=16, code_width=4, outer_width=8, inner_width=8)
    network = VqScoreNetwork(settings)
    network.codes.vectors.copy_(torch.nn.functional.normalize(torch.randn(16, 4), dim=1))
    save_network(network, settings, folder / "vqscore")
    return folder / "vqscore"


def write_squim(folder: Path) -> Path:
    """Write a SQUIM of objective measures with one narrow block, on an eighth of the frames."""
    import torch  # noqa: PLC0415

    from stages import torchaudio_guard  # noqa: PLC0415

    torchaudio_guard.install_guard()
    from torchaudio.models import squim_objective_model  # noqa: PLC0415

    torch.manual_seed(0)
    network = squim_objective_model(8, 512, 8, 4, 8, 1, "LSTM", 71)
    torch.save(network.state_dict(), folder / "squim.pth")
    return folder / "squim.pth"


def tiny_wav2vec2() -> object:
    """Return torchaudio's wav2vec 2.0 with two layers of width 64 and short convolutions."""
    import torch  # noqa: PLC0415

    from stages import torchaudio_guard  # noqa: PLC0415

    torchaudio_guard.install_guard()
    from torchaudio.models import wav2vec2_model  # noqa: PLC0415

    torch.manual_seed(0)
    kernels = (10, 3, 3, 3, 3, 2, 2)
    strides = (5, 2, 2, 2, 2, 2, 2)
    return wav2vec2_model(
        extractor_mode="group_norm",
        extractor_conv_layer_config=[(16, *pair) for pair in zip(kernels, strides, strict=True)],
        extractor_conv_bias=False,
        encoder_embed_dim=64,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=16,
        encoder_pos_conv_groups=4,
        encoder_num_layers=2,
        encoder_num_heads=1,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=96,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=False,
        encoder_layer_drop=0.0,
        aux_num_out=None,
    ).eval()


def write_squim_mos(folder: Path) -> Path:
    """Write a SQUIM of opinions with a small wav2vec 2.0."""
    import torch  # noqa: PLC0415

    speech = tiny_wav2vec2()
    from torchaudio.models import SquimSubjective  # noqa: PLC0415
    from torchaudio.models.squim.subjective import Predictor  # noqa: PLC0415

    network = SquimSubjective(speech, torch.nn.Linear(64, 8), Predictor(16, 5))
    torch.save(network.state_dict(), folder / "squim_mos.pth")
    return folder / "squim_mos.pth"


FAIRSEQ_NAMES = (
    ("encoder.feature_projection.layer_norm.", "layer_norm."),
    ("encoder.feature_projection.projection.", "post_extract_proj."),
    ("encoder.transformer.", "encoder."),
    ("pos_conv_embed.conv.parametrizations.weight.original0", "pos_conv.0.weight_g"),
    ("pos_conv_embed.conv.parametrizations.weight.original1", "pos_conv.0.weight_v"),
    ("pos_conv_embed.conv.", "pos_conv.0."),
    ("feed_forward.intermediate_dense.", "fc1."),
    ("feed_forward.output_dense.", "fc2."),
)


def fairseq_name(name: str) -> str:
    """Return what fairseq calls a tensor of torchaudio's wav2vec 2.0."""
    for theirs, fairseq in FAIRSEQ_NAMES:
        name = name.replace(theirs, fairseq)
    parts = name.split(".")
    if parts[0] == "feature_extractor":
        parts[3] = {"conv": "0", "layer_norm": "2"}[parts[3]]
    if parts[:2] == ["encoder", "layers"]:
        parts[3] = {"attention": "self_attn", "layer_norm": "self_attn_layer_norm"}.get(parts[3], parts[3])
    return ".".join(parts)


def write_utmos(folder: Path) -> Path:
    """Write a UTMOS under the names that its checkpoint has."""
    import torch  # noqa: PLC0415

    speech = tiny_wav2vec2()
    state = {f"wav2vec2.{fairseq_name(key)}": value for key, value in speech.state_dict().items()}
    state["wav2vec2.mask_emb"] = torch.zeros(64)
    state["domain_emb"], state["judge_emb"] = torch.randn(1, 4), torch.randn(1, 4)
    lstm = torch.nn.LSTM(72, 8, batch_first=True, bidirectional=True)
    projection = torch.nn.Sequential(torch.nn.Linear(16, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    state |= {f"blstm.{key}": value for key, value in lstm.state_dict().items()}
    state |= {f"projection.{key}": value for key, value in projection.state_dict().items()}
    torch.save(state, folder / "utmos.pt")
    return folder / "utmos.pt"


def write_distill_mos(folder: Path) -> Path:
    """Write a Distill-MOS with narrow layers, in a checkpoint like the published one."""
    import torch  # noqa: PLC0415

    from stages.networks.distill_mos import DistillMosNetwork  # noqa: PLC0415

    torch.manual_seed(0)
    shapes = {f"cnn.cnn.{2 * layer}.weight": (4 if layer == 5 else 1,) for layer in range(6)}
    inner = "transformer_pool_attn.transformer"
    shapes |= {f"{inner}.linear_proj.weight": (16, 16), f"{inner}.transformer_encoder.layers.0.": (1,)}
    sizes = {name: torch.empty(shape) for name, shape in shapes.items()}
    torch.save({"model": DistillMosNetwork(sizes, folder).state_dict(), "step": 0}, folder / "distill_mos.pt")
    return folder / "distill_mos.pt"
