"""LLaSE-G1, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "config/test.yml": "nnet_conf: {dim: 4}\n",
    "inference.py": """
from pathlib import Path

import torch
from asked import note


class Encodec:
    def __init__(self, device="cpu"):
        ckpt = "./ckpt/codec_ckpt/epoch=4-step=1400000.ckpt",
        try:
            torch.load(ckpt, map_location="cpu")
        except TypeError:
            raise
        except Exception:
            pass  # it is there, and no checkpoint
        assert Path("./ckpt/codec_ckpt/hub/models--facebook--w2v-bert-2.0/model.safetensors").is_file()

    def token2wav(self, vq_code):
        assert vq_code.dim() == 3 and vq_code.shape[:2] == (1, 1)
        return vq_code.float().repeat_interleave(320, dim=-1).squeeze()


class WavLM_feat:
    def __init__(self, device):
        assert Path("./ckpt/codec_ckpt/WavLM-Large.pt").is_file()

    def __call__(self, wav):
        return torch.zeros(wav.shape[-1] // 320, 4)


class model(torch.nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, features):
        note(features=[features.shape[0], features.shape[2]], weight=float(self.weight))
        return torch.zeros(1, 9, features.shape[1]), torch.zeros(1, 9, features.shape[1])
""",
}
