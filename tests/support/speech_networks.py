"""Folders of small random weights for networks that listen: voice activity, Whisper, HuBERT and WavLM."""

from pathlib import Path

from stages.networks.silero_vad import CONTEXT, SILERO_VAD, STATE_SHAPE, VAD_WINDOW


def write_voice_activity(folder: Path) -> Path:
    """Write a graph with Silero's inputs and outputs that takes whatever is loud for speech."""
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper  # noqa: PLC0415

    constants = [
        helper.make_tensor(name, kind, shape, value)
        for name, kind, shape, value in (
            ("axes", TensorProto.INT64, [1], [1]),
            ("threshold", TensorProto.FLOAT, [], [0.003]),
            ("steepness", TensorProto.FLOAT, [], [1e4]),
        )
    ]
    nodes = [
        helper.make_node(kind, takes.split(), [gives])
        for kind, takes, gives in (
            ("Abs", "input", "size"),
            ("ReduceMean", "size axes", "level"),
            ("Sub", "level threshold", "excess"),
            ("Mul", "excess steepness", "logit"),
            ("Sigmoid", "logit", "output"),
            ("Identity", "state", "stateN"),
        )
    ]
    takes = [
        helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, CONTEXT + VAD_WINDOW]),
        helper.make_tensor_value_info("state", TensorProto.FLOAT, STATE_SHAPE),
        helper.make_tensor_value_info("sr", TensorProto.INT64, []),
    ]
    gives = [
        helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1]),
        helper.make_tensor_value_info("stateN", TensorProto.FLOAT, STATE_SHAPE),
    ]
    graph = helper.make_graph(nodes, "loudness", takes, gives, constants)
    path = folder / SILERO_VAD.name
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def write_whisper(folder: Path) -> Path:
    """Write a Whisper of one layer that says 24 tokens at most, and a voice activity network beside it."""
    import torch  # noqa: PLC0415
    from whisper.model import ModelDimensions, Whisper  # noqa: PLC0415

    torch.manual_seed(1)
    dims = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1_500,
        n_audio_state=16,
        n_audio_head=1,
        n_audio_layer=1,
        n_vocab=51_865,
        n_text_ctx=48,
        n_text_state=16,
        n_text_head=1,
        n_text_layer=1,
    )
    folder.mkdir(parents=True, exist_ok=True)
    model = Whisper(dims)
    for name, weights in model.named_parameters():
        torch.nn.init.normal_(weights, std=next((s for part, s in _SPREAD.items() if part in name), 1.0))
    torch.save({"dims": vars(dims), "model_state_dict": model.state_dict()}, folder / "micro.pt")
    write_voice_activity(folder)
    return folder


def write_hubert(folder: Path, layers: int = 9) -> Path:
    """Write a narrow HuBERT with the frame rate of the published ones."""
    import torch  # noqa: PLC0415
    from transformers import HubertConfig, HubertModel  # noqa: PLC0415

    torch.manual_seed(0)
    HubertModel(HubertConfig(num_hidden_layers=layers, **_NARROW)).save_pretrained(folder)
    return folder


def write_wavlm(folder: Path, layers: int = 2) -> Path:
    """Write a narrow WavLM with the frame rate of the published ones."""
    import torch  # noqa: PLC0415
    from transformers import WavLMConfig, WavLMModel  # noqa: PLC0415

    torch.manual_seed(0)
    WavLMModel(WavLMConfig(num_hidden_layers=layers, **_NARROW)).save_pretrained(folder)
    return folder


_SPREAD = {
    "cross_attn.query": 3.0,
    "cross_attn.key": 3.0,
    "decoder.positional_embedding": 5.0,
    "encoder.conv": 0.3,
}
"""Parts of Whisper's names and how far their random weights spread, so that texts depend on what is heard."""
_NARROW = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
