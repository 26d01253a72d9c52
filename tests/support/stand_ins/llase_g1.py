"""LLaSE-G1, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "config/test.yml": "nnet_conf: {dim: 4}\n",
    "inference.py": """
import torch
from asked import note
from safetensors.torch import load_file


class Encodec:
    def __init__(self, device="cpu"):
        ckpt = "./ckpt/codec_ckpt/epoch=4-step=1400000.ckpt",
        state = torch.load(ckpt, map_location="cpu")["state_dict"]
        parts = {
            "SemanticEncoder_module": "SemanticEncoder_module", "encoder": "CodecEnc", "decoder": "generator",
            "fc_post_a": "fc_post_a", "fc_prior": "fc_prior",
        }
        for part, name in parts.items():
            setattr(self, part, torch.nn.Linear(2, 2))
            getattr(self, part).load_state_dict(
                {key[len(name) + 1 :]: value for key, value in state.items() if key.startswith(name + ".")}
            )
        listener = "./ckpt/codec_ckpt/hub/models--facebook--w2v-bert-2.0/model.safetensors"
        self.semantic_model = torch.nn.Linear(2, 2)
        self.semantic_model.load_state_dict(load_file(listener))

    def token2wav(self, vq_code):
        assert vq_code.dim() == 3 and vq_code.shape[:2] == (1, 1)
        return vq_code.float().repeat_interleave(320, dim=-1).squeeze()


class WavLM_feat:
    def __init__(self, device):
        self.wavlm = torch.nn.Linear(2, 2)
        self.wavlm.load_state_dict(torch.load("./ckpt/codec_ckpt/WavLM-Large.pt")["model"])

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
