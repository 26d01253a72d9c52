"""The worker of ``flowse``: the checkout's ``infer.py`` without a transcript, on an array."""

from pathlib import Path

from unanimous_weights import prove_weights, read_checkpoint
from unanimous_worker import serve


class Model:
    name = "flowse"
    sample_rate = 16000
    output_rate = 24000
    sampling = True

    def load(self, device, weights):
        import infer  # the checkout is the working directory
        import yaml
        from model import CFM, DiT
        from model.model_utils import get_tokenizer

        with open("config/train.yaml", encoding="utf-8") as file:
            settings = yaml.safe_load(file)["model"]
        characters, size = get_tokenizer(settings["tokenizer_path"], settings["tokenizer"])
        mel = settings["mel_spec"]
        transformer = DiT(**settings["arch"], text_num_embeds=size, mel_dim=mel["n_mel_channels"])
        self.model = CFM(transformer=transformer, mel_spec_kwargs=mel, vocab_char_map=characters)
        checkpoint = Path(weights) / "wenetspeech4tts_Premium.pt.tar"
        state = read_checkpoint(checkpoint)
        self.model.load_state_dict(state["model_state_dict"])
        self.model.eval().to(device)
        self.vocoder = infer.load_vocoder(
            vocoder_name="vocos", is_local=True, local_path=str(Path(weights) / "vocos"), device=device
        )
        codes = Path(weights) / "vocos" / "pytorch_model.bin"
        self.proof = prove_weights(
            {"flow": self.model, "vocoder": self.vocoder},
            {checkpoint: state["model_state_dict"], codes: read_checkpoint(codes)},
        )
        self.device = device

    def restore(self, samples, sample_rate, seed, settings):
        import torch
        import torchaudio

        degraded = torchaudio.functional.resample(torch.from_numpy(samples), sample_rate, self.output_rate)
        with torch.inference_mode():
            mels, _ = self.model.sample(
                cond=degraded[None].to(self.device),
                text=[" "],
                steps=settings["steps"],
                cfg_strength=settings["guidance"],
                drop_text=True,
            )
            return self.vocoder.decode(mels.transpose(-1, -2).float())


serve(Model())
