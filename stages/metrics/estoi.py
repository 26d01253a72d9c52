"""ESTOI: whether the words can be understood, also under noise that comes and goes."""

from typing import ClassVar

from stages.metrics.common.envelopes import Rule, spectral_correlation
from stages.metrics.common.intelligibility import Intelligibility, make_intelligibility_output
from stages.operators.metric import METRICS


@METRICS.register
class Estoi(Intelligibility):
    """Extended short-time objective intelligibility (Jensen and Taal, TASLP 2016), as pystoi has it."""

    kind: ClassVar[str] = "estoi"
    version: ClassVar[int] = 2
    cost_s_per_s: ClassVar[float] = 0.005
    outputs: ClassVar = {
        "": make_intelligibility_output(
            votes=True,
            note="intelligibility proxy: predicts whether words can be understood, does not compare words; "
            "its mean fell at every step of noise, loss and other words",
        )
    }

    @property
    def rule(self) -> Rule:
        """All bands at once."""
        return spectral_correlation
