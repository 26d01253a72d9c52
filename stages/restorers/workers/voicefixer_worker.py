"""The worker of ``voicefixer``: the package's ``VoiceFixer.restore_inmem``, one recording at a time."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from unanimous_weights import prove_weights, read_checkpoint
from unanimous_worker import MissingError, serve

FILES = (
    "analysis_module/checkpoints/vf.ckpt",
    "synthesis_module/44100/model.ckpt-1490000_trimed.pt",
)


ON_ITS_OWN_STATISTICS = 2
COMPUTED = ("model.f_helper.", "model.mel.")
"""Transforms, which the package works out by itself."""


class Model:
    name = "voicefixer"
    sample_rate = 44100
    sampling = True  # in mode 2, whose dropout is active
    licence = "MIT"

    def load(self, device, weights):
        missing = [file for file in FILES if not (Path(weights) / file).is_file()]
        if missing:  # the package would fetch them while it is imported
            raise MissingError(f"{weights} lacks {', '.join(missing)}")
        self.home = TemporaryDirectory()  # where the package looks for .cache/voicefixer
        (Path(self.home.name) / ".cache").mkdir()
        (Path(self.home.name) / ".cache" / "voicefixer").symlink_to(weights)
        os.environ["HOME"] = self.home.name
        from voicefixer import VoiceFixer

        self.cuda = device.startswith("cuda")
        self.model = VoiceFixer()
        files = {Path(weights) / file: read_checkpoint(Path(weights) / file) for file in FILES}
        self.proof = prove_weights({"model": self.model._model}, files, computed=COMPUTED)
        self.trained = {name: value.clone() for name, value in self.model._model.state_dict().items()}

    def restore(self, samples, sample_rate, seed, settings):
        restored = self.model.restore_inmem(samples, cuda=self.cuda, mode=settings["mode"])
        if settings["mode"] == ON_ITS_OWN_STATISTICS:  # its batch normalisation has followed this recording
            self.model._model.load_state_dict(self.trained)
            self.model._model.eval()
        return restored


serve(Model())
