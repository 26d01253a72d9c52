"""VQScore: how near speech is to what clean speech has taught a quantiser."""

from typing import Any, ClassVar

from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 16_000


@METRICS.register
class VqScore(HasWeights, NoReferenceMetric):
    """VQScore (Fu et al., ICLR 2024): cosine in code space between speech and its codes, mean over frames.

    The authors' checkpoint comes without a licence, so none is fetched: ``path`` may name a copy of yours
    (``exp/QE_cbook_size_2048…/checkpoint-dnsmos_ovr_CC=0.835.pkl`` of github.com/JasonSWFu/VQscore), or the
    folder that ``python -m pipeline train vqscore`` wrote from clean speech alone. Scores of two checkpoints
    cannot be compared.
    """

    kind: ClassVar[str] = "vqscore"
    weights: ClassVar[str] = (
        "what the config names: made by 'python -m pipeline train vqscore', or the authors'"
    )
    unverified: ClassVar[str] = "not run with its authors' weights, which come without a licence"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.002
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.PERCEPTUAL_QUALITY,
            better=Better.HIGHER,
            low=-1.0,
            high=1.0,
            noise_floor=0.01,
            votes=False,
            note="knows only how clean speech sounded in its training, so no vote by default",
        )
    }

    _network: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build the network that a folder or file holds; raises ``MissingWeightsError`` without one."""
        from stages.networks import loading, vqscore  # noqa: PLC0415

        place = self.require_place()
        settings, state = vqscore.load_network(place)
        self._network = loading.with_state(vqscore.VqScoreNetwork(settings), state, place, device)

    def hear(self, samples: Samples) -> Measured:
        """Return the mean cosine."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        return {"": float(run_network(self._network, samples)[0])}
