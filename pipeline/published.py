"""Published models and metrics that configs may name and this version has no operator for."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """What a part is for, and where its weights would come from."""

    purpose: str
    weights: str
    size: str
    licence: str

    def __str__(self) -> str:
        return f"{self.purpose}; weights: {self.weights}, {self.size}; licence: {self.licence}"


PUBLISHED: Mapping[str, Published] = {
    "anyenhance": Published(
        purpose="masked generative restoration at 44.1 kHz, the model of GenSR-Pref",
        weights="amphion/anyenhance, which may not be open to all",
        size="size not known here",
        licence="code MIT, weights not stated",
    ),
    "llase_g1": Published(
        purpose="autoregressive restoration at 16 kHz",
        weights="ASLP-lab/LLaSE-G1",
        size="size not known here",
        licence="Apache-2.0",
    ),
    "flowse": Published(
        purpose="restoration by flow matching at 16 kHz (FlowSE)",
        weights="flowse/wenetspeech4tts_Premium.pt.tar and charactr/vocos-mel-24khz",
        size="size not known here",
        licence="none stated",
    ),
}
"""By the kinds that their operators would have; from the pages of their authors."""
