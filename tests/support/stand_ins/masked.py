"""The network that both versions of AnyEnhance stand on."""

MASKED = """
import torch
from asked import note


class Network(torch.nn.Module):
    def __init__(self, codec):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.vq_model = codec
        self.seq_len, self.prompt_len = 20, 10

    def generate(self, segment, temperature=1.0, topk_filter_thres=0.9, timesteps=18, cond_scale=3, **more):
        assert segment.dim() == 3
        note(
            timesteps=timesteps, cond_scale=cond_scale, temperature=temperature,
            topk_filter_thres=topk_filter_thres, weight=float(self.weight), **more,
        )
        return None, segment * self.weight + 0.01 * torch.randn_like(segment)


def codec_of(path):
    codec = torch.nn.Linear(2, 2)
    codec.load_state_dict(torch.load(path)["state_dict"])
    return codec


def _in_windows(model, signal, window_size, **settings):
    length, window = signal.shape[-1], window_size
    padded = torch.nn.functional.pad(signal, (0, -length % window))
    pieces = [model.generate(piece[None], **settings)[1][0] for piece in padded.split(window, dim=-1)]
    return torch.cat(pieces, dim=-1)[:, :length]
"""
