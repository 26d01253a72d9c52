"""AnyEnhance-v1: masked generative modelling of codec tokens at 44.1 kHz, the baseline of CCF-AATC 2025."""

from typing import Annotated, ClassVar

from pydantic import Field

from stages.hub import hub_file
from stages.restorers.base import RESTORERS
from stages.restorers.published_worker import PublishedWorker
from stages.weights import WeightFile, Weights

TAR = "epoch-83-step-200000-loss-4.4187.tar"
STORE = "https://aishell-jiaofu.oss-cn-hangzhou.aliyuncs.com/ccf2025/aatc_track1/baseline"


@RESTORERS.register
class AnyEnhanceV1(PublishedWorker):
    """Fills in the tokens of the Descript codec in some steps, the surest first; it samples.

    The small model of the challenge (46 million parameters), not that of the paper (arXiv 2501.15417); check
    out github.com/viewfinder-annn/anyenhance-v1-ccf-aatc at 7737207. Hazards: neither checkout nor weights
    state a licence; windows of 3.02 s are restored one by one and cross-faded over 23 ms; the codec's loader
    opens a ``torch.package``, which is code, where the file is one, so pin ``sha256``.
    """

    kind: ClassVar[str] = "anyenhance_v1"
    paradigm: ClassVar[str] = "masked generative"
    licence: ClassVar[str] = "unknown"
    weights: ClassVar[str] = "the challenge's store, and huggingface.co/descript/descript-audio-codec"
    sampling: ClassVar[bool] = True
    sample_rate: ClassVar[int] = 44_100
    needs_repository: ClassVar[bool] = True

    steps: Annotated[int, Field(ge=1, le=1000)] = 20
    """Rounds of filling in."""
    guidance: Annotated[float, Field(ge=1.0)] = 1.0
    """Scale of classifier-free guidance; 1 is none."""
    temperature: Annotated[float, Field(ge=0.0)] = 1.0
    """Of the first round; it falls to 0 in the last."""
    top_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    """The share of tokens that one is drawn from, the likeliest."""

    @property
    def published(self) -> Weights:
        """The model, in the archive that it comes in, and the codec."""
        codec = hub_file("descript/descript-audio-codec", "weights.pth", name="dac/weights.pth")
        return Weights(
            name="anyenhance_v1",
            source="https://github.com/viewfinder-annn/anyenhance-v1-ccf-aatc",
            revision="7737207",
            licence="unknown",
            files=(WeightFile(name=TAR, url=f"{STORE}/{TAR}"), codec),
        )
