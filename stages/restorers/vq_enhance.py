"""VQScore's enhancement: speech through codes that only clean speech has taught."""

from typing import Any, ClassVar

from pydantic import PrivateAttr

from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 16_000


@RESTORERS.register
class VqEnhance(HasWeights, UnbatchedRestorer):
    """Enhancement by a quantiser of clean speech (Fu et al., ICLR 2024), which never heard noise.

    Its encoder was made robust by adversarial noise alone, against its own earlier self. The authors'
    checkpoint comes without a licence, so none is fetched: ``path`` may name a copy of yours
    (``exp/SE_cbook_4096…/checkpoint-dnsmos_ovr=2.761_AT.pkl`` of github.com/JasonSWFu/VQscore), or the folder
    that ``python -m pipeline train vq-enhance`` has filled.
    """

    kind: ClassVar[str] = "vq_enhance"
    weights: ClassVar[str] = (
        "what the config names: made by 'python -m pipeline train vq-enhance', or the authors'"
    )
    unverified: ClassVar[str] = "not run with its authors' weights, which come without a licence"
    paradigm: ClassVar[str] = "vector quantisation"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "safetensors")
    cost_s_per_s: ClassVar[float] = 0.1
    chunk_s: ClassVar[float] = 10.0
    """Attention looks from each frame at all others; the authors trained on 3 s."""

    _network: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build the network that a folder or file holds; raises ``MissingWeightsError`` without one."""
        from stages.networks import loading, vq_enhancement  # noqa: PLC0415

        place = self.require_place()
        settings, state = vq_enhancement.load_vq_enhancer(place)
        self._network = loading.with_state(vq_enhancement.VqEnhancer(settings), state, place, device)

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the enhanced speech, of the same length."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        enhanced: Samples = run_network(self._network, waveform.samples)[0].cpu().numpy()
        return enhanced
