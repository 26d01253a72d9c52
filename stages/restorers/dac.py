"""DAC: speech as few of its codebooks say it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.networks.codecs import BackEnd
from stages.operators.distributions import Distribution, Integer
from stages.operators.restorer import RESTORERS
from stages.restorers.common.codec_resynthesis import CodecResynthesis


@RESTORERS.register
class Dac(CodecResynthesis):
    """DAC (Kumar et al., NeurIPS 2023): fewer codebooks say less, of the noise too."""

    kind: ClassVar[str] = "dac"
    weights: ClassVar[str] = "descript/dac_44khz on the hub"
    draws: ClassVar[Mapping[str, Distribution]] = {"num_codebooks": Integer(low=4, high=9)}

    model_sample_rate: int = Field(default=44_100, ge=8_000, le=96_000)
    num_codebooks: int = Field(default=9, ge=1, le=64)
    """How many codebooks are used, at most those that the network has; 9 are 8 kbit/s at 44.1 kHz."""

    @property
    def back_end(self) -> BackEnd:
        """The network in transformers."""
        return "dac_transformers"

    @property
    def setting(self) -> float:
        """How many codebooks."""
        return self.num_codebooks
