"""AnyEnhance: masked generative modelling of codec tokens at 44.1 kHz, with a critic of its own."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.masked_generative import MaskedGenerative
from stages.weights.files import Weights
from stages.weights.repositories import make_hub_file

_FILES = (
    "epoch-1-step-300000-loss-4.3083/model.pt",
    "dac/weights.pth",
    "anyenhance-360M-selfcritic-v2.json",
)


@RESTORERS.register
class AnyEnhance(MaskedGenerative):
    """Fills in the tokens of the Descript codec, the surest first, and takes back what a critic doubts.

    Zhang et al. 2025 (arXiv 2501.15417, IEEE TASLP 33), 360 million parameters, the masked generative model
    of GenSR-Pref; check out github.com/open-mmlab/Amphion at 136165a0b14de96fd731ec2ce34a32f1d55c1358 (later
    trees lack it). It samples. Hazards: the hub has been seen to refuse the weights (HTTP 401), and states no
    licence for them; in reverberation others measured more wrong words after it than before (14.2 % against
    10.2 %); where its settings ask for w2v-BERT 2.0, the checkout needs it in
    ``models/se/anyenhance/pretrained/w2v-bert-2.0``.
    """

    kind: ClassVar[str] = "anyenhance"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "huggingface.co/amphion/anyenhance, which may not be open to all"

    critic: bool = True
    """Whether the critic chooses what is filled in again, rather than the tokens' own likelihood."""

    @property
    def published(self) -> Weights:
        """Model, codec and settings."""
        return Weights(
            name="anyenhance",
            source="https://huggingface.co/amphion/anyenhance",
            licence="unknown",
            files=tuple(make_hub_file("amphion/anyenhance", file) for file in _FILES),
        )
