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
