"""The worker of ``llase_g1``: the checkout's ``inference.py`` for speech enhancement, on an array."""

import os
from pathlib import Path

from unanimous_worker import MissingError, serve

WAVLM = Path("ckpt") / "codec_ckpt" / "WavLM-Large.pt"


class Model:
    name = "llase_g1"
    sample_rate = 16000
    sampling = True

    def load(self, device, weights):
        if not (Path(weights) / WAVLM).is_file():
            raise MissingError(f"{weights} lacks {WAVLM}, from github.com/microsoft/unilm/tree/master/wavlm")
        import inference  # the checkout is the working directory
        import torch
        import yaml

        with open("config/test.yml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        os.chdir(weights)  # the checkout names its weights from the working directory
        inference.torch.load = _lenient(torch.load)
        self.codec = inference.Encodec(device)
        self.wavlm = inference.WavLM_feat(device)
        self.model = inference.model(**config["nnet_conf"])
        state = torch.load("ckpt/model.pt.tar", map_location="cpu", weights_only=True)["model_state_dict"]
        self.model.load_state_dict(
            {name[7:] if name[:7] == "module." else name: v for name, v in state.items()}
        )
        self.model.eval().to(device)
        self.device = device

    def restore(self, samples, sample_rate, seed, settings):
        import torch

        with torch.inference_mode():
            features = self.wavlm(torch.from_numpy(samples)[None].to(self.device))
            logits = self.model(features[None])[1]  # (batch, token, time) of the speech that is kept
            return self.codec.token2wav(_tokens(logits, settings["temperature"])[None])


def _tokens(logits, temperature):
    if temperature == 0:
        return logits.argmax(dim=1)
    chances = (logits / temperature).softmax(dim=1).transpose(1, 2)
    return chances.reshape(-1, chances.shape[-1]).multinomial(1).reshape(chances.shape[:2])


def _lenient(load):
    """Return ``load`` for file names in a tuple of one: that is what a stray comma in the checkout makes."""
    return lambda file, **options: load(file[0] if isinstance(file, tuple) else file, **options)


serve(Model())
