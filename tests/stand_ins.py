"""Stand-ins for the packages of published models: their names, arguments and shapes, and nothing else."""

NOTE = """
import json
from pathlib import Path


def note(**asked):
    (Path(__file__).parent / "asked.json").write_text(json.dumps(asked))
"""

MASKED = """
import torch
from asked import note


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.vq_model = torch.nn.Linear(1, 1)
        self.seq_len, self.prompt_len = 20, 10

    def generate(self, segment, temperature=1.0, topk_filter_thres=0.9, timesteps=18, cond_scale=3, **more):
        assert segment.dim() == 3
        note(
            timesteps=timesteps, cond_scale=cond_scale, temperature=temperature,
            topk_filter_thres=topk_filter_thres, weight=float(self.weight), **more,
        )
        return None, segment * self.weight + 0.01 * torch.randn_like(segment)


def _in_windows(model, signal, window_size, **settings):
    length, window = signal.shape[-1], window_size
    padded = torch.nn.functional.pad(signal, (0, -length % window))
    pieces = [model.generate(piece[None], **settings)[1][0] for piece in padded.split(window, dim=-1)]
    return torch.cat(pieces, dim=-1)[:, :length]
"""

STAND_INS = {
    "voicefixer": {
        "asked.py": NOTE,
        "voicefixer/__init__.py": """
import os

import torch
from asked import note

assert os.path.exists(os.path.expanduser("~/.cache/voicefixer/analysis_module/checkpoints/vf.ckpt"))


class VoiceFixer:
    def __init__(self):
        self._model = torch.nn.BatchNorm1d(1)

    @torch.no_grad()
    def restore_inmem(self, wav_10k, cuda=False, mode=0, your_vocoder_func=None):
        note(cuda=cuda, mode=mode)
        self._model.train(mode == 2)
        self._model(torch.from_numpy(wav_10k)[None, None])
        self._model.eval()
        return self._model(torch.from_numpy(wav_10k)[None, None])[0].numpy()
""",
    },
    "resemble_enhance": {
        "asked.py": NOTE,
        "resemble_enhance/__init__.py": "",
        "resemble_enhance/enhancer/__init__.py": "",
        "resemble_enhance/enhancer/inference.py": """
import torch
from asked import note


def download(run_dir=None):
    raise AssertionError("a run fetches nothing")


def load_enhancer(run_dir, device):
    assert (download(run_dir) / "ds" / "G" / "default" / "mp_rank_00_model_states.pt").is_file()


def enhance(dwav, sr, device, nfe=32, solver="midpoint", lambd=0.5, tau=0.5, run_dir=None):
    assert dwav.dim() == 1 and sr == 44100
    load_enhancer(run_dir, device)
    note(nfe=nfe, solver=solver, lambd=lambd, tau=tau)
    return dwav + tau * torch.randn_like(dwav), sr
""",
    },
    "sgmse": {
        "asked.py": NOTE,
        "sgmse/__init__.py": "",
        "sgmse/data_module.py": "class SpecsDataModule:\n    pass\n",
        "sgmse/util/__init__.py": "",
        "sgmse/util/other.py": """
import torch
from asked import note

pads = []


def pad_spec(Y, mode="zero_pad"):
    pads.append(mode)
    return torch.nn.functional.pad(Y, (0, -Y.shape[-1] % 64, 0, 0))
""",
        "sgmse/model.py": """
import torch
from asked import note

from sgmse.util.other import pads

HOP = 384


class ScoreModel:
    backbone = "ncsnpp_48k"

    @classmethod
    def load_from_checkpoint(cls, path, map_location=None):
        open(path).close()
        return cls()

    def eval(self):
        return self

    def _stft(self, signal):
        window = torch.hann_window(4 * HOP)
        return torch.stft(signal, 4 * HOP, HOP, window=window, center=True, return_complex=True)

    def _forward_transform(self, spectrum):
        return spectrum

    def get_pc_sampler(self, predictor, corrector, y, N=None, **kwargs):
        assert y.dim() == 4 and y.shape[-1] % 64 == 0
        assert predictor == "reverse_diffusion"
        note(N=N, corrector=corrector, pad=pads[-1], t_eps=self.t_eps, **kwargs)
        return lambda: (y + 0.1 * torch.randn_like(y), N)

    def to_audio(self, spectrum, length):
        return torch.istft(spectrum, 4 * HOP, HOP, window=torch.hann_window(4 * HOP), length=length)
""",
    },
    "anyenhance_v1": {
        "asked.py": NOTE,
        "json5.py": "from json import load\n",
        "config/anyenhance_v1.json": '{"model": {}}',
        "infer.py": MASKED
        + """

def get_model(config, device):
    assert config["dac_path"].endswith("dac/weights.pth")
    return Network().to(device)


def process_single_audio(model, signal, device, window_size, overlap=1024, timesteps=20, cond_scale=1):
    assert window_size == 512 * 20
    return _in_windows(model, signal, window_size, timesteps=timesteps, cond_scale=cond_scale)
""",
    },
    "anyenhance": {
        "asked.py": NOTE,
        "json5.py": "from json import load\n",
        "models/__init__.py": "",
        "models/se/__init__.py": "",
        "models/se/anyenhance/__init__.py": "",
        "models/se/anyenhance/infer_anyenhance.py": MASKED
        + """

def get_model(dac_path, config, device):
    assert dac_path.endswith("dac/weights.pth")
    return Network().to(device)


def process_single_audio(
    model, signal, device, task_type, window_size, overlap=1024, prompt_signal=None, timesteps=20,
    cond_scale=1, force_not_use_token_critic=False,
):
    assert window_size == 512 * 30 and task_type == "enhancement" and prompt_signal is None
    return _in_windows(
        model, signal, window_size, timesteps=timesteps, cond_scale=cond_scale,
        force_not_use_token_critic=force_not_use_token_critic,
    )
""",
    },
    "unise": {
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
    },
    "llase_g1": {
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
    },
    "flowse": {
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


class Vocos:
    def decode(self, mels):
        assert mels.dim() == 3 and mels.shape[1] == 100
        return mels[:, 0].repeat_interleave(256, dim=-1)


def load_vocoder(vocoder_name="vocos", is_local=False, local_path="", device=None, hf_cache_dir=None):
    assert is_local and vocoder_name == "vocos" and (Path(local_path) / "pytorch_model.bin").is_file()
    return Vocos()
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
    },
}
"""By kind, the files of the package or checkout."""
