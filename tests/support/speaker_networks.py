"""Small random weights for networks that tell speakers apart."""

from pathlib import Path

from stages.networks.speechbrain_lobes import import_lobe


def write_ecapa(folder: Path) -> Path:
    """Write the state of a narrow ECAPA_TDNN."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    network = import_lobe("models.ECAPA_TDNN").ECAPA_TDNN(
        80, lin_neurons=12, channels=[16, 16, 16, 16, 48], attention_channels=8, se_channels=8
    )
    path = folder / "embedding_model.ckpt"
    torch.save(network.state_dict(), path)
    return path


def write_wavlm_speakers(folder: Path, *, safe: bool = True) -> Path:
    """Write a narrow WavLM with an x-vector head, as safetensors or as ``pytorch_model.bin``."""
    import torch  # noqa: PLC0415
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMForXVector  # noqa: PLC0415

    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        tdnn_dim=(16, 16, 16, 16, 32),
        xvector_output_dim=12,
        use_weighted_layer_sum=True,
    )
    network = WavLMForXVector(config)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    network.save_pretrained(folder)
    if not safe:
        (folder / "model.safetensors").unlink()
        torch.save(network.state_dict(), folder / "pytorch_model.bin")
    return folder


def write_ge2e(folder: Path) -> Path:
    """Write a narrow GE2E encoder, with what its training leaves in the checkpoint."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    modules = {"lstm": torch.nn.LSTM(40, 12, 3), "linear": torch.nn.Linear(12, 12)}
    state = {
        f"{part}.{key}": value for part, each in modules.items() for key, value in each.state_dict().items()
    }
    state |= {"similarity_weight": torch.ones(1), "similarity_bias": torch.zeros(1)}
    torch.save({"step": 1, "model_state": state, "optimizer_state": {}}, folder / "ge2e.pt")
    return folder / "ge2e.pt"


def write_dvectors(folder: Path) -> Path:
    """Write a graph with the inputs and outputs of the d-vector encoder: tangents of what all frames hold."""
    import numpy as np  # noqa: PLC0415
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    weights = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["mel_window", "weights"], ["heard"]),
        helper.make_node("ReduceMean", ["heard", "frames"], ["mean"], keepdims=0),
        helper.make_node("Tanh", ["mean"], ["embedding"]),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([1]), "frames"),
    ]
    takes = [helper.make_tensor_value_info("mel_window", TensorProto.FLOAT, ["windows", 80, 40])]
    gives = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["windows", 12])]
    graph = helper.make_graph(nodes, "dvectors", takes, gives, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, folder / "dvectors.onnx")
    return folder / "dvectors.onnx"
