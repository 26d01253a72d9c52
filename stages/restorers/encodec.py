"""EnCodec: speech as few bits of it say it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.networks.codecs import BackEnd
from stages.operators.distributions import Distribution, OneOf
from stages.operators.restorer import RESTORERS
from stages.restorers.common.codec_resynthesis import CodecResynthesis


@RESTORERS.register
class Encodec(CodecResynthesis):
    """EnCodec (Défossez et al., TMLR 2023): fewer bits say less, of the noise too."""

    kind: ClassVar[str] = "encodec"
    weights: ClassVar[str] = "facebook/encodec_24khz on the hub"
    draws: ClassVar[Mapping[str, Distribution]] = {"bandwidth_kbps": OneOf(values=(3.0, 6.0, 12.0))}

    model_sample_rate: int = Field(default=24_000, ge=8_000, le=96_000)
    bandwidth_kbps: float = Field(default=6.0, gt=0.0, le=64.0)
    """One of the bitrates that the network was trained for."""

    @property
    def back_end(self) -> BackEnd:
        """The network in transformers."""
        return "encodec"

    @property
    def setting(self) -> float:
        """How many kbit/s."""
        return self.bandwidth_kbps
