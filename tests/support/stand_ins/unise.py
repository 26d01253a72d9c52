"""UniSE, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "transformers.py": """
from pathlib import Path


class AutoModel:
    @staticmethod
    def from_pretrained(path):
        assert (Path(path) / "config.json").is_file()
""",
    "conf/config.yaml": "codec_ckpt_dir: ./elsewhere\nllm_ckpt_path: /elsewhere\n",
    "model/__init__.py": "",
    "model/model.py": """
from pathlib import Path

import torch
from asked import note
from transformers import AutoModel

HOP = 320


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        assert (Path(config["codec_ckpt_dir"]) / "BiCodec" / "model.safetensors").is_file()
        assert Path(config["llm_ckpt_path"]).is_file()
        AutoModel.from_pretrained("microsoft/wavlm-base-plus")
        object.__setattr__(self, "dnn", self)  # as a module it would be a part of itself
        object.__setattr__(self, "tokenizer", self)

    def stft_logmel(self, x):
        assert x.shape[1] == 80000
        return torch.zeros(x.shape[0], x.shape[1] // HOP, 80)

    def extract_semantic_features(self, x):
        return x

    def generate(
        self, task_name, enroll_mel, enroll_feats, mix_mel, mix_feats, global_length=32, temperature=0.8,
        top_k=50, top_p=0.95, do_sample=True,
    ):
        note(task_name=task_name, temperature=temperature, top_k=top_k, top_p=top_p, do_sample=do_sample)
        drawn = torch.randint(9, (mix_mel.shape[0], global_length))
        return drawn, mix_feats + temperature * torch.randn_like(mix_feats)

    def detokenize(self, global_ids, semantic_ids):
        assert global_ids.dim() == 3
        return semantic_ids[:, None]
""",
}
