"""The worker of ``llase_g1``: the checkout's ``inference.py`` for speech enhancement, on an array."""

import os
from pathlib import Path

from unanimous_weights import load_by, prove_weights, read_checkpoint
from unanimous_worker import MissingError, serve

WAVLM = Path("ckpt") / "codec_ckpt" / "WavLM-Large.pt"
W2V = Path("ckpt") / "codec_ckpt" / "hub" / "models--facebook--w2v-bert-2.0" / "model.safetensors"
IN_TRAINING = (
    "criteria.", "discriminator.", "fc_post_s.", "model_spk.", "perception_model.", "semantic_model.",
    "SemanticDecoder_module.", "spec_discriminator.",
)  # fmt: skip
"""What the codec's checkpoint holds besides (X-Codec-2.0, lightning_module.py): w2v-BERT has its own file."""


class Model:
    name = "llase_g1"
    sample_rate = 16000
    sampling = True

    def load(self, device, weights):
        if not (Path(weights) / WAVLM).is_file():
            raise MissingError(f"{weights} lacks {WAVLM}, from github.com/microsoft/unilm/tree/master/wavlm")
        import inference  # the checkout is the working directory
        import yaml

        with open("config/test.yml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        os.chdir(weights)  # the checkout names its weights from the working directory
        read = {}
        load_by(_remembering(read), inference)
        self.codec = inference.Encodec(device)
        self.wavlm = inference.WavLM_feat(device)
        self.model = inference.model(**config["nnet_conf"])
        state = _remembering(read)("ckpt/model.pt.tar")["model_state_dict"]
        self.model.load_state_dict(
            {name[7:] if name[:7] == "module." else name: v for name, v in state.items()}
        )
        self.model.eval().to(device)
        self.proof = self._prove(read)
        self.device = device

    def _prove(self, read):
        """Prove that language model, codec and both listeners are what was read."""
        files = {path: _state_of(content) for path, content in read.items()}
        codec = self.codec
        parts = {
            "model": self.model,
            "wavlm": self.wavlm.wavlm,
            "semantic_model": codec.semantic_model,
            "semantic_encoder": codec.SemanticEncoder_module,
            "encoder": codec.encoder,
            "decoder": codec.decoder,
            "fc_post_a": codec.fc_post_a,
            "fc_prior": codec.fc_prior,
        }
        return prove_weights(parts, {**files, W2V.absolute(): read_checkpoint(W2V)}, unused=IN_TRAINING)

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


def _remembering(read):
    """Return ``torch.load`` for the checkout: as data, into ``read``, also for a name in a tuple of one.

    Such a tuple is what a stray comma in the checkout makes.
    """

    def load(file, **_):
        path = Path(file[0] if isinstance(file, tuple) else file).absolute()
        read[path] = read_checkpoint(path)
        return read[path]

    return load


def _state_of(content):
    """Return the part of a checkpoint that is the model's state."""
    for name in ("model_state_dict", "state_dict", "model"):
        if name in content:
            return content[name]
    return content


serve(Model())
