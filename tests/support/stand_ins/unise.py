"""UniSE, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "transformers.py": """
from pathlib import Path


import torch


class AutoModel:
    @staticmethod
    def from_pretrained(path):
        assert (Path(path) / "config.json").is_file()
        network = torch.nn.Linear(2, 2)
        network.load_state_dict(torch.load(Path(path) / "pytorch_model.bin"))
        return network
""",
    "conf/config.yaml": "codec_ckpt_dir: ./elsewhere\nllm_ckpt_path: /elsewhere\n",
    "model/__init__.py": "",
    "model/model.py": """
from pathlib import Path

import torch
from asked import note
from safetensors.torch import load_file
from transformers import AutoModel

OfFolder = AutoModel

HOP = 320


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        codec = Path(config["codec_ckpt_dir"])
        self.tokenizer = torch.nn.Module()
        self.tokenizer.model = torch.nn.Linear(2, 2)
        self.tokenizer.model.load_state_dict(load_file(codec / "BiCodec" / "model.safetensors"))
        self.tokenizer.model.mel_transformer = torch.nn.BatchNorm1d(1)  # which is in no file
        self.tokenizer.feature_extractor = OfFolder.from_pretrained(codec / "wav2vec2-large-xlsr-53")
        self.tokenizer.detokenize = self.detokenize
        self.semantic_model = AutoModel.from_pretrained("microsoft/wavlm-base-plus")
        self.head = torch.nn.Linear(2, 2)  # filled by whoever asks for it
        object.__setattr__(self, "dnn", self)  # as a module it would be a part of itself

    def load_state_dict(self, state_dict, strict=True):
        pass  # as silently as the checkout is about what is missing

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
