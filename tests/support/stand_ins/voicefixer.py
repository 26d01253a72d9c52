"""VoiceFixer, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
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
}
