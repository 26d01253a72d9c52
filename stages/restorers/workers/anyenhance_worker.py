"""The worker of ``anyenhance``: Amphion's ``infer_anyenhance``, on arrays and without a prompt."""

import functools
from pathlib import Path

from anyenhance_v1_worker import load_state
from unanimous_weights import prove_weights, read_checkpoint
from unanimous_worker import MissingError, serve

STATE = Path("epoch-1-step-300000-loss-4.3083") / "model.pt"
CODEC = Path("dac") / "weights.pth"
LISTENER = Path("w2v-bert-2.0") / "model.safetensors"


class Model:
    name = "anyenhance"
    sample_rate = 44100
    sampling = True

    def load(self, device, weights):
        import json5
        from models.se.anyenhance import infer_anyenhance  # the checkout is the working directory
        from models.se.anyenhance.modules import encoder_loss

        place = Path(weights)
        encoder_loss.pretrained_path = str(place)  # else it looks for w2v-bert-2.0 within the checkout
        with (place / "anyenhance-360M-selfcritic-v2.json").open(encoding="utf-8") as file:
            settings = json5.load(file)["model"]
        _require_listener(settings, place)
        files = {file: read_checkpoint(file) for file in _files_in(place)}
        self.model = infer_anyenhance.get_model(str(place / CODEC), settings, device)
        load_state(self.model, files[place / STATE])
        self.proof = prove_weights({"model": self.model}, files)
        self.window = 512 * (
            self.model.seq_len + self.model.prompt_len
        )  # without a prompt, its place is free
        self.process = infer_anyenhance.process_single_audio
        self.device = device

    def restore(self, samples, sample_rate, seed, settings):
        import torch

        self.model.generate = functools.partial(
            type(self.model).generate,
            self.model,
            temperature=settings["temperature"],
            topk_filter_thres=1.0 - settings["top_share"],
        )
        return self.process(
            self.model,
            torch.from_numpy(samples)[None].to(self.device),
            self.device,
            "enhancement",
            window_size=self.window,
            timesteps=settings["steps"],
            cond_scale=settings["guidance"],
            force_not_use_token_critic=not settings["critic"],
        )


def _files_in(place):
    return [place / file for file in (STATE, CODEC, LISTENER) if file != LISTENER or (place / file).is_file()]


def _require_listener(settings, place):
    """Raise ``MissingError`` if the settings ask for w2v-BERT 2.0 and it is not there."""
    if settings.get("AudioEncoder", {}).get("use_noisy_audio_embed") and not (place / LISTENER).is_file():
        raise MissingError(
            f"the model's settings ask for w2v-BERT 2.0: put config.json, preprocessor_config.json and "
            f"model.safetensors of huggingface.co/facebook/w2v-bert-2.0 into {place / LISTENER.parent}"
        )


serve(Model())
