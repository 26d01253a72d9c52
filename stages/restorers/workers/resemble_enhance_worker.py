"""The worker of ``resemble_enhance``: the package's ``enhance``, one recording at a time."""

from pathlib import Path

from unanimous_weights import prove_weights, read_checkpoint
from unanimous_worker import serve

STATE = Path("ds") / "G" / "default" / "mp_rank_00_model_states.pt"


class Model:
    name = "resemble_enhance"
    sample_rate = 44100
    sampling = True
    licence = "MIT"

    def load(self, device, weights):
        from resemble_enhance.enhancer import inference

        # some releases look for weights beside the package, and fetch them, whatever folder they are given
        inference.download = Path
        self.enhance = inference.enhance
        self.device = device
        self.weights = Path(weights)
        network = inference.load_enhancer(self.weights, device)
        state = self.weights / STATE
        self.proof = prove_weights({"enhancer": network}, {state: read_checkpoint(state)["module"]})

    def restore(self, samples, sample_rate, seed, settings):
        import torch

        restored, _ = self.enhance(
            torch.from_numpy(samples),
            sample_rate,
            self.device,
            nfe=settings["nfe"],
            solver=settings["solver"],
            lambd=settings["denoising"],
            tau=settings["prior_temperature"],
            run_dir=self.weights,
        )
        return restored


serve(Model())
