"""RNNoise: a small recurrent network that sets gains over bands, by FFmpeg's own implementation of it."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Literal

import numpy as np

from schemas import Digest, MissingWeightsError
from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import weights_of_commit

_FRAME = 480
"""10 ms, by which the output is late too."""
_SAMPLE_RATE = 48_000
NETWORKS: Mapping[str, tuple[str, int, Digest]] = {
    "beguiling-drafter": (
        "beguiling-drafter-2018-08-30/bd.rnnn",
        299_693,
        "ae3f7411e1e6a884f839a4a145c394408398f09854dbc1216ee02faafc98a17b",
    ),
    "conjoined-burgers": (
        "conjoined-burgers-2018-08-28/cb.rnnn",
        299_741,
        "f1357c4e5be9dee8467bead486dfced2d75b640c26ad0b594fa7f102322371d9",
    ),
    "leavened-quisling": (
        "leavened-quisling-2018-08-31/lq.rnnn",
        297_041,
        "1957528b752799fddf06270bc5469af7cf54c3badc358544ae2abed730943ff9",
    ),
    "marathon-prescription": (
        "marathon-prescription-2018-08-29/mp.rnnn",
        296_861,
        "4e84a448a4baf937992aaf4d10c8258007ec5d24219b6647dfd5fb4b563ad231",
    ),
    "somnolent-hogwash": (
        "somnolent-hogwash-2018-09-01/sh.rnnn",
        297_646,
        "70bb6685eb0c2a1d18e2918dca3fbfbd39317010b1802eb1b6ea73a92f3fdec0",
    ),
}


@RESTORERS.register
class RnNoise(HasWeights, UnbatchedRestorer):
    """Valin (MMSP 2018), against noise, 88 thousand weights in eight bits, 48 kHz.

    FFmpeg's filter ``arnndn``, which comes with PyAV, reads weights as text: GregorR's five networks, and
    those that users train, but not the binary ones of later versions of RNNoise.
    """

    kind: ClassVar[str] = "rnnoise"
    licence: ClassVar[str] = "BSD-3-Clause"
    weights: ClassVar[str] = "GregorR/rnnoise-models on GitHub, 0.3 MB"
    paradigm: ClassVar[str] = "predictive"
    cost_s_per_s: ClassVar[float] = 0.012
    libraries: ClassVar[tuple[str, ...]] = ("av",)

    loaded_by: ClassVar[frozenset[str]] = frozenset({"network"})

    network: Literal[tuple(NETWORKS)] = "leavened-quisling"  # type: ignore[valid-type]
    """Which of the published networks; they heard other kinds of speech and noise."""

    @property
    def sample_rate(self) -> int:
        """48 kHz: frames of 10 ms."""
        return _SAMPLE_RATE

    @property
    def chunk_s(self) -> None:
        """None: it goes from frame to frame."""

    @property
    def published(self) -> Weights:
        """The network that is asked for."""
        path, size_bytes, sha256 = NETWORKS[self.network]
        return weights_of_commit(
            f"rnnoise-{self.network}",
            "GregorR/rnnoise-models",
            "3eee541a283fd3b8f81b85b1748e3b9ccbefa04d",
            "LicenseRef-not-subject-to-copyright",
            {path: (size_bytes, sha256)},
        )

    def load(self, device: str) -> None:  # noqa: ARG002 - a filter of FFmpeg runs on the CPU
        """Try the weights. Raises ``MissingWeightsError`` if they are none, or others than pinned."""
        from av.error import FFmpegError  # noqa: PLC0415

        place = self.require_place()
        try:
            _make_filter(str(place))
        except (FFmpegError, ValueError) as error:
            raise MissingWeightsError(
                f"{place} is no RNNoise network in text form (.rnnn): {error}"
            ) from error

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the denoised input, of the same length."""
        from av import AudioFrame  # noqa: PLC0415
        from av.error import EOFError as Ended  # noqa: PLC0415

        filtering = _make_filter(str(self.place))
        samples = waveform.samples
        padded = np.pad(samples, (0, _FRAME + -samples.size % _FRAME))
        frame = AudioFrame.from_ndarray(padded[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = _SAMPLE_RATE, 0
        filtering.push(frame)
        filtering.push(None)
        heard = []
        try:
            while True:
                heard.append(filtering.pull().to_ndarray()[0])
        except Ended:
            return np.concatenate(heard)[_FRAME : _FRAME + samples.size]


def _make_filter(weights: str) -> Any:
    """Return a filter that has heard nothing yet; frames are pushed into it and pulled out of it."""
    from av.filter import Graph  # noqa: PLC0415

    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=_SAMPLE_RATE, format="fltp", layout="mono", time_base=Fraction(1, _SAMPLE_RATE)
    )
    network = graph.add("arnndn", m=weights)
    source.link_to(network)
    network.link_to(graph.add("abuffersink"))
    graph.configure()
    return graph
