"""DeepFilterNet3: gains over an auditory scale, and filters over five frames below 4.8 kHz."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import RESTORERS
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers.common.deep_filtering import (
    FrameSpectra,
    apply_deep_filter,
    band_features,
    bin_features,
    frame_spectra_of,
    spread_to_bins,
    waveform_of,
)
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_session
from stages.weights.repositories import weights_of_commit

LICENCE = "MIT OR Apache-2.0"
_PARTS = ("enc", "erb_dec", "df_dec")
LOOKAHEAD = 2
"""Frames that the network hears ahead of the one that it speaks about."""


@RESTORERS.register
class DeepFilterNet3(HasWeights, UnbatchedRestorer):
    """Schröter et al. (Interspeech 2023), trained on the DNS4 challenge's data, against noise, 48 kHz.

    The authors' program for calls leaves out stages at frames that its network calls very noisy or very
    clean; here, as in their Python package, all frames go through all stages.
    """

    kind: ClassVar[str] = "deepfilternet3"
    licence: ClassVar[str] = LICENCE
    weights: ClassVar[str] = "three graphs in svaningelgem/noisegate on GitHub, 9 MB"
    paradigm: ClassVar[str] = "predictive"
    cost_s_per_s: ClassVar[float] = 0.018
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    _graphs: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def sample_rate(self) -> int:
        """48 kHz: frames of 20 ms every 10 ms."""
        return 48_000

    @property
    def published(self) -> Weights:
        """The checkpoint of the authors as their three graphs, as this repository exported them again."""
        return weights_of_commit(
            "deepfilternet3",
            "svaningelgem/noisegate",
            "63aec46edeee6500da24090fd0532ede1aa56983",
            LICENCE,
            {
                "models/dfn3/enc.onnx": (
                    1_954_042,
                    "c3bb7da3551b487c57033699d739c3d9eb5c7122d60eabcfb7d647951433a54d",
                ),
                "models/dfn3/erb_dec.onnx": (
                    3_292_397,
                    "bea15a1505f7457cfd10ee42ea28a101f0dfc984af0956100e12f761afeecb62",
                ),
                "models/dfn3/df_dec.onnx": (
                    3_339_362,
                    "d00b525b773a56f64aecd449e01e7ad7c7220d59be7bf6892095f74826d809c2",
                ),
            },
        )

    def load(self, device: str) -> None:
        """Open the three graphs. Raises ``MissingWeightsError`` if they are not there, or are others."""
        folder = self.require_place()
        self._graphs = {part: open_session(folder / f"{part}.onnx", device) for part in _PARTS}

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the input after gains and filters, of the same length."""
        samples = waveform.samples
        spectra = frame_spectra_of(samples)
        gains, taps = self._decide(spectra)
        return waveform_of(apply_deep_filter(spectra, taps, spread_to_bins(gains) * spectra), samples.size)

    def _decide(self, spectra: FrameSpectra) -> tuple[Samples, Samples]:
        """Return gains (frames, bands) and taps (frames, bins, taps, real and imaginary part)."""
        bands, bins = (_ahead(each) for each in (band_features(spectra), bin_features(spectra)))
        parts = np.stack([bins.real, bins.imag])
        heard = _run(self._graphs["enc"], feat_erb=bands[None, None], feat_spec=parts[None])
        gains = _run(self._graphs["erb_dec"], **heard)["m"]
        taps = _run(self._graphs["df_dec"], **heard)["coefs"]
        return gains[0, 0], taps[0].reshape(*taps.shape[1:3], -1, 2)


def _ahead(features: np.ndarray) -> np.ndarray:
    """Return the features of later frames in the place of each, and nothing after the last one's."""
    return np.pad(features, ((0, LOOKAHEAD), (0, 0)))[LOOKAHEAD:]


def _run(graph: Any, **known: np.ndarray) -> dict[str, np.ndarray]:
    """Return all outputs by name; of ``known`` the graph takes what it knows."""
    feed = {port.name: known[port.name].astype(np.float32) for port in graph.get_inputs()}
    return dict(zip((port.name for port in graph.get_outputs()), graph.run(None, feed), strict=True))
