"""SGMSE+, as its worker meets it."""

from tests.support.stand_ins.asked import NOTE

FILES = {
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
        made, checkpoint = cls(), torch.load(path)
        made.dnn = torch.nn.Linear(2, 2)
        made.dnn.load_state_dict({name[4:]: value for name, value in checkpoint["state_dict"].items()})
        made.means = checkpoint["ema"]["shadow_params"]
        return made

    def eval(self):
        for parameter, mean in zip(self.dnn.parameters(), self.means):
            parameter.data.copy_(mean)
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
}
