"""STOI: whether the words can be understood."""

from typing import ClassVar

from stages.metrics.common.envelopes import Rule, band_correlation
from stages.metrics.common.intelligibility import Intelligibility, make_intelligibility_output
from stages.operators.metric import METRICS


@METRICS.register
class Stoi(Intelligibility):
    """Short-time objective intelligibility (Taal et al., TASLP 2011), as pystoi has it."""

    kind: ClassVar[str] = "stoi"
    cost_s_per_s: ClassVar[float] = 0.005
    outputs: ClassVar = {
        "": make_intelligibility_output(
            votes=False, note="mostly repeats estoi, which also hears noise that comes and goes; no vote"
        )
    }

    @property
    def rule(self) -> Rule:
        """Bands one by one."""
        return band_correlation
