"""The worker of ``anyenhance_v1``: the checkout's ``infer.py``, on arrays."""

import functools
import io
import tarfile
from pathlib import Path

from unanimous_weights import prove_weights, read_checkpoint, read_pickle
from unanimous_worker import MissingError, serve


class Model:
    name = "anyenhance_v1"
    sample_rate = 44100
    sampling = True

    def load(self, device, weights):
        import infer  # the checkout is the working directory
        import json5

        with open("config/anyenhance_v1.json", encoding="utf-8") as file:
            settings = json5.load(file)["model"]
        codec = Path(weights) / "dac" / "weights.pth"
        settings["dac_path"] = str(codec)
        self.model = infer.get_model(settings, device)
        archive, state = _archived(Path(weights))
        load_state(self.model, state)
        self.proof = prove_weights({"model": self.model}, {archive: state, codec: read_checkpoint(codec)})
        self.window = 512 * self.model.seq_len
        self.process = infer.process_single_audio
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
            window_size=self.window,
            timesteps=settings["steps"],
            cond_scale=settings["guidance"],
        )


def load_state(model, state):
    """Load a state whose names may begin with ``module.``; only the codec's may come from elsewhere."""
    named = {name[7:] if name.startswith("module.") else name: value for name, value in state.items()}
    lacking = [n for n in model.load_state_dict(named, strict=False).missing_keys if n[:9] != "vq_model."]
    if lacking:
        raise MissingError(f"the checkpoint lacks {len(lacking)} weights, {lacking[0]} among them")
    model.eval()


def _archived(weights):
    """Return the one archive in ``weights``, and the state in its ``model.pt``: it need not be unpacked."""
    for archive in sorted(weights.glob("*.tar")):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                if Path(member.name).name == "model.pt":
                    file = io.BytesIO(tar.extractfile(member).read())
                    return archive, read_pickle(file, (), f"{member.name} in {archive}")
    raise MissingError(f"{weights} has no archive with a model.pt")


if __name__ == "__main__":
    serve(Model())
