"""SGMSE+: score-based diffusion in the complex spectrum, at 48 or 16 kHz."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import WeightFile, Weights

Checkpoint = Literal["ears_wham", "ears_reverb", "voicebank_demand", "wsj0_reverb"]
GOOGLE_DRIVE: Mapping[Checkpoint, str] = {
    "ears_wham": "1t_DLLk8iPH6nj8M5wGeOP3jFPaz3i7K5",
    "ears_reverb": "1PunXuLbuyGkknQCn_y-RCV2dTZBhyE3V",
    "voicebank_demand": "1_H3EXvhcYBhOZ9QNUcD5VZHc6ktrRbwQ",
    "wsj0_reverb": "1eiOy0VjHh9V9ZUFTxu1Pq2w19izl9ejD",
}
"""Files of Google Drive, as the authors' README lists them."""
FULL_BAND = frozenset({"ears_wham", "ears_reverb"})


@RESTORERS.register
class Sgmse(PublishedWorker):
    """Denoising or dereverberation by reverse diffusion from the degraded spectrum; it samples.

    Richter et al. 2023 (IEEE TASLP 31) and 2024 (EARS, arXiv 2406.06185); check out github.com/sp-uhh/sgmse
    at c9ce2997e15970dc96f202d25d3cfa3a685c0a12. Hazards: 60 network evaluations per recording at 30 steps;
    memory grows with length, so chunks are short; ``ScoreModel.enhance`` of the checkout takes CUDA and
    16 kHz for granted, so the worker does what its ``enhancement.py`` does; checkpoints name a class of the
    checkout, which is the one thing besides tensors that the worker lets them name.
    """

    kind: ClassVar[str] = "sgmse"
    paradigm: ClassVar[str] = "diffusion"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "Google Drive, as listed in github.com/sp-uhh/sgmse"
    sampling: ClassVar[bool] = True
    chunk_s: ClassVar[float] = 10.0
    needs_repository: ClassVar[bool] = True
    tools_on_gpu: ClassVar[Mapping[str, str]] = {
        "nvcc": "install the CUDA toolkit 12.1, of which its torch is, and put its 'bin' on the path",
        "ninja": "'python -m pipeline environments make sgmse' brings it",
    }

    loaded_by: ClassVar[frozenset[str]] = frozenset({"checkpoint"})

    checkpoint: Checkpoint = "ears_wham"
    """What it was trained on: noise or reverb, at 48 kHz (EARS) or at 16 kHz."""
    steps: Annotated[int, Field(ge=1, le=1000)] = 30
    """Reverse steps; the authors take 50 for wsj0_reverb."""
    corrector: Literal["ald", "langevin", "none"] = "ald"
    corrector_steps: Annotated[int, Field(ge=0)] = 1
    snr: Annotated[float, Field(gt=0.0)] = 0.5
    """Size of the corrector's steps; the authors take 0.33 for wsj0_reverb."""

    @property
    def sample_rate(self) -> int:
        """48 kHz for the models trained on EARS."""
        return 48_000 if self.checkpoint in FULL_BAND else 16_000

    @property
    def published(self) -> Weights:
        """The checkpoint."""
        number = GOOGLE_DRIVE[self.checkpoint]
        url = f"https://drive.usercontent.google.com/download?id={number}&export=download&confirm=t"
        return Weights(
            name=f"sgmse_{self.checkpoint}",
            source="https://github.com/sp-uhh/sgmse",
            licence="MIT",
            files=(WeightFile(name=f"{self.checkpoint}.ckpt", url=url),),
        )
