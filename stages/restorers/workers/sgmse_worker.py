"""The worker of ``sgmse``: what the checkout's ``enhancement.py`` does with a file, done with an array."""

import argparse
from pathlib import Path

from unanimous_weights import prove_weights, read_checkpoint
from unanimous_worker import serve

RATES = {"ncsnpp_48k": 48000}
PADS = {"ncsnpp_48k": "reflection", "ncsnpp_v2": "reflection"}


class Model:
    name = "sgmse"
    sampling = True
    licence = "MIT"

    def load(self, device, weights):
        import torch
        from sgmse.data_module import SpecsDataModule
        from sgmse.model import ScoreModel

        torch.serialization.add_safe_globals([SpecsDataModule, argparse.Namespace])
        self.model = ScoreModel.load_from_checkpoint(str(Path(weights)), map_location=device)
        self.model.t_eps = 0.03
        self.model.eval()  # which puts the running means of the weights into their places
        self.proof = self._prove(Path(weights))
        self.device = device
        self.sample_rate = RATES.get(self.model.backbone, 16000)

    def _prove(self, path):
        """Prove that the network runs on the checkpoint's running means, or on its state if it has none."""
        checkpoint = read_checkpoint(path)
        means = checkpoint.get("ema")
        state = means["shadow_params"] if means else checkpoint["state_dict"]
        buffers = {
            name: checkpoint["state_dict"].get("dnn." + name) for name, _ in self.model.dnn.named_buffers()
        }
        return prove_weights({"dnn": self.model.dnn}, {path: {"state": state, "buffers": buffers}})

    def restore(self, samples, sample_rate, seed, settings):
        import torch
        from sgmse.util.other import pad_spec

        degraded = torch.from_numpy(samples)[None].to(self.device)
        peak = degraded.abs().max()
        spectrum = self.model._forward_transform(self.model._stft(degraded / peak))[None]
        spectrum = pad_spec(spectrum, mode=PADS.get(self.model.backbone, "zero_pad"))
        sampler = self.model.get_pc_sampler(
            "reverse_diffusion",
            settings["corrector"],
            spectrum,
            N=settings["steps"],
            corrector_steps=settings["corrector_steps"],
            snr=settings["snr"],
        )
        with torch.no_grad():
            sample, _ = sampler()
        return peak * self.model.to_audio(sample.squeeze(), samples.size)


serve(Model())
