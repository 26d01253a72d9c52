"""FlowSE, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "config/train.yaml": """
model:
  tokenizer: pinyin
  tokenizer_path: vocab.txt
  arch: {dim: 4}
  mel_spec: {n_mel_channels: 100, hop_length: 256}
""",
    "torchaudio.py": """
import torch


class functional:
    @staticmethod
    def resample(waveform, orig_freq, new_freq):
        shape = round(waveform.shape[-1] * new_freq / orig_freq)
        return torch.nn.functional.interpolate(waveform[None, None], shape)[0, 0]
""",
    "infer.py": """
from pathlib import Path


import torch


class Vocos(torch.nn.Module):
    def __init__(self, path):
        super().__init__()
        self.head = torch.nn.Linear(2, 2)
        self.load_state_dict(torch.load(path))

    def decode(self, mels):
        assert mels.dim() == 3 and mels.shape[1] == 100
        return mels[:, 0].repeat_interleave(256, dim=-1)


def load_vocoder(vocoder_name="vocos", is_local=False, local_path="", device=None, hf_cache_dir=None):
    assert is_local and vocoder_name == "vocos" and (Path(local_path) / "pytorch_model.bin").is_file()
    return Vocos(Path(local_path) / "pytorch_model.bin").eval()
""",
    "model/__init__.py": """
import torch
from asked import note


class DiT(torch.nn.Module):
    def __init__(self, *, dim, text_num_embeds, mel_dim):
        super().__init__()


class CFM(torch.nn.Module):
    def __init__(self, transformer, mel_spec_kwargs=None, vocab_char_map=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def sample(self, cond, text, *, steps=32, cfg_strength=1.0, drop_text=False):
        assert cond.dim() == 2
        note(text=text, steps=steps, cfg_strength=cfg_strength, drop_text=drop_text)
        assert float(self.weight) == 1.0
        mels = torch.randn(1, cond.shape[-1] // 256, 100)
        return mels, mels
""",
    "model/model_utils.py": "def get_tokenizer(path, kind):\n    return {}, 9\n",
}
