"""The worker of ``unise``: what the checkout's ``test_step`` does for speech restoration, on an array."""

from pathlib import Path

import numpy as np

from unanimous_weights import load_by, prove_weights, read_checkpoint
from unanimous_worker import MissingError, serve

PIECE = 5 * 16000
STATE = "unise.ckpt"
LISTENER = "codec/wav2vec2-large-xlsr-53/pytorch_model.bin"
FILES = (
    STATE,
    "codec/BiCodec/model.safetensors",
    LISTENER,
    "wavlm-base-plus/pytorch_model.bin",
)
IN_TRAINING = ("quantizer.", "project_q.", "project_hid.")
"""What wav2vec 2.0 was trained with; the codec has a quantiser of its own."""
COMPUTED = ("model.tokenizer.model.mel_transformer.",)
FROM_ELSEWHERE = ("tokenizer.", "semantic_model.")
"""Parts of the model that bring their own files."""


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
        files = {place / file: read_checkpoint(place / file) for file in FILES}
        hearing = files[place / LISTENER]
        files[place / LISTENER] = {k: v for k, v in hearing.items() if not k.startswith(IN_TRAINING)}
        checkpoint = files[place / STATE] = {"state_dict": files[place / STATE]["state_dict"]}
        load_by(lambda *_, **__: checkpoint, module)  # some revisions read it by themselves
        with open("conf/config.yaml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["codec_ckpt_dir"] = str(place / "codec")
        config["llm_ckpt_path"] = str(place / STATE)
        self.model = module.Model(config)
        _fill(self.model, checkpoint["state_dict"])
        self.model.eval().to(device)
        self.proof = prove_weights({"model": self.model}, files, computed=COMPUTED)
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


def _fill(model, state):
    """Load the language model's state: the checkout's own way ignores what is missing, or does nothing."""
    import torch

    found = torch.nn.Module.load_state_dict(model, state, strict=False)
    lacking = [name for name in found.missing_keys if not name.startswith(FROM_ELSEWHERE)]
    if lacking:
        raise MissingError(f"the checkpoint lacks {len(lacking)} weights, {lacking[0]} among them")


serve(Model())
