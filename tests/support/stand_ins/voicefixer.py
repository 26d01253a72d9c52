"""VoiceFixer, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
    "asked.py": NOTE,
    "voicefixer/__init__.py": """
import os
import warnings
from pathlib import Path

import torch
from asked import note

assert os.path.exists(os.path.expanduser("~/.cache/voicefixer/analysis_module/checkpoints/vf.ckpt"))

warnings.simplefilter("ignore")  # older torch has no other weight normalisation

FOLDER = Path("~/.cache/voicefixer").expanduser()


class Network(torch.nn.BatchNorm1d):
    def __init__(self):
        super().__init__(1)
        self.vocoder = torch.nn.utils.weight_norm(torch.nn.Conv1d(2, 2, 3))


class VoiceFixer:
    def __init__(self):
        self._model = Network()
        analysis = torch.load(FOLDER / "analysis_module/checkpoints/vf.ckpt")
        self._model.load_state_dict(analysis, strict=False)
        synthesis = torch.load(FOLDER / "synthesis_module/44100/model.ckpt-1490000_trimed.pt")
        self._model.vocoder.load_state_dict(synthesis["generator"])
        torch.nn.utils.remove_weight_norm(self._model.vocoder)
        self._model.eval()

    @torch.no_grad()
    def restore_inmem(self, wav_10k, cuda=False, mode=0, your_vocoder_func=None):
        note(cuda=cuda, mode=mode)
        self._model.train(mode == 2)
        self._model(torch.from_numpy(wav_10k)[None, None])
        self._model.eval()
        heard = torch.from_numpy(wav_10k)[None, None]
        return self._model(torch.nn.functional.dropout(heard, 0.5, mode == 2))[0].numpy()
""",
}
