"""The worker of ``unise``: what the checkout's ``test_step`` does for speech restoration, on an array."""

from pathlib import Path

import numpy as np

from unanimous_worker import serve

PIECE = 5 * 16000


class Model:
    name = "unise"
    sample_rate = 16000
    sampling = True

    def load(self, device, weights):
        import transformers
        import yaml
        from model import model as module  # the checkout is the working directory

        place = Path(weights)

        class Local:
            """Stands for AutoModel, which would look for WavLM in a cache of its own."""

            @staticmethod
            def from_pretrained(name):
                return transformers.AutoModel.from_pretrained(str(place / Path(name).name))

        module.AutoModel = Local
        with open("conf/config.yaml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["codec_ckpt_dir"] = str(place / "codec")
        config["llm_ckpt_path"] = str(place / "unise.ckpt")
        self.model = module.Model(config).eval().to(device)
        self.device = device

    def restore(self, samples, sample_rate, seed, settings):
        import torch

        whole = np.pad(samples, (0, -samples.size % PIECE), "wrap") / np.abs(samples).max()
        pieces = torch.from_numpy(whole.reshape(-1, PIECE)).to(self.device)
        with torch.inference_mode():
            tokens = self.model.dnn.generate(
                task_name="se",
                enroll_mel=None,
                enroll_feats=None,
                mix_mel=self.model.stft_logmel(pieces),
                mix_feats=self.model.extract_semantic_features(pieces),
                do_sample=settings["sample"],
                temperature=settings["temperature"],
                top_k=settings["top_k"],
                top_p=settings["top_p"],
            )
            made = self.model.tokenizer.detokenize(tokens[0].unsqueeze(1), tokens[1])
        return made.reshape(-1)[: samples.size]


serve(Model())
