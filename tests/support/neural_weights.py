"""Folders of small random weights for neural codecs."""

from pathlib import Path
from typing import Any


def write_dac(place: Path, sample_rate: int = 44_100) -> Path:
    """Write a DAC of half a million random weights."""
    import torch  # noqa: PLC0415
    from transformers import DacConfig, DacModel  # noqa: PLC0415

    torch.manual_seed(0)
    config = DacConfig(
        encoder_hidden_size=8,
        downsampling_ratios=[2, 4, 8, 8],
        decoder_hidden_size=96,
        n_codebooks=4,
        codebook_size=64,
        codebook_dim=8,
        sampling_rate=sample_rate,
    )
    DacModel(config).save_pretrained(place)
    return place


def write_encodec(place: Path, channels: int = 1) -> Path:
    """Write a small EnCodec of random weights."""
    import torch  # noqa: PLC0415
    from transformers import EncodecConfig, EncodecModel  # noqa: PLC0415

    torch.manual_seed(0)
    config = EncodecConfig(
        num_filters=8,
        hidden_size=32,
        codebook_size=64,
        codebook_dim=32,
        upsampling_ratios=[8, 5, 4, 2],
        target_bandwidths=[1.5, 3.0, 6.0, 12.0],
        audio_channels=channels,
    )
    model = EncodecModel(config)
    for name, buffer in model.named_buffers():
        if name.endswith("codebook.embed"):
            buffer.normal_()  # all its codes would be the same: nothing of what it heard
    model.save_pretrained(place)
    return place


def write_generative(place: Path) -> Path:
    """Write the networks of ``fm``, ``mgm`` and ``ar``, random but as loud as the input."""
    import torch  # noqa: PLC0415

    from stages.networks.generative.parts import make_part, save_part  # noqa: PLC0415

    sizes = {"channels": 16, "blocks": 2}
    generator = {**sizes, "hidden": 16}
    settings = {"estimate": sizes, "codes": {}, "fm": generator, "mgm": generator, "ar": generator}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for part, said in settings.items():
            network: Any = make_part(part, said)
            if part == "codes":
                network.codebooks.normal_(std=0.3)
            if part == "estimate":  # gains of about 1, as loud as the input
                network.trunk.leave.weight.data.mul_(0.01)
            save_part(network, part, place)
    return place


def write_vq_enhancer(place: Path) -> Path:
    """Write a small network for enhancement by codes of clean speech, random but never silent."""
    import torch  # noqa: PLC0415

    from stages.networks.vq_enhancement import (  # noqa: PLC0415
        VqEnhancementSettings,
        VqEnhancer,
    )
    from stages.networks.vqscore import save_network  # noqa: PLC0415

    settings = VqEnhancementSettings(codes=16, code_width=16, outer_width=8, inner_width=8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = VqEnhancer(settings)
        network.codes.vectors.normal_()
        network.decoder[-1].bias.data.fill_(0.1)
    save_network(network, settings, place)
    return place
