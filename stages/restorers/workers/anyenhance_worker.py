"""The worker of ``anyenhance``: Amphion's ``infer_anyenhance``, on arrays and without a prompt."""

import functools
from pathlib import Path

from anyenhance_v1_worker import load_state
from unanimous_worker import serve


class Model:
    name = "anyenhance"
    sample_rate = 44100
    sampling = True

    def load(self, device, weights):
        import json5
        import torch
        from models.se.anyenhance import infer_anyenhance  # the checkout is the working directory

        place = Path(weights)
        with (place / "anyenhance-360M-selfcritic-v2.json").open(encoding="utf-8") as file:
            settings = json5.load(file)["model"]
        self.model = infer_anyenhance.get_model(str(place / "dac" / "weights.pth"), settings, device)
        state = place / "epoch-1-step-300000-loss-4.3083" / "model.pt"
        load_state(self.model, torch.load(state, map_location=device, weights_only=True))
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


serve(Model())
