"""Networks of DeepFilterNet's family as three graphs: one that hears, one for gains and one for filters."""

import tarfile
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import MissingWeightsError
from stages.audio.waveform import Samples, Waveform
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers.common.deep_filtering import DeepFilterFormat, FrameSpectra
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_graph, open_session

_PARTS = ("enc", "erb_dec", "df_dec")


class DeepFilterGraphs(HasWeights, UnbatchedRestorer):
    """Three graphs in a folder, or in an archive as DeepFilterNet's authors publish them."""

    paradigm: ClassVar[str] = "predictive"
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    _graphs: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    @abstractmethod
    def form(self) -> DeepFilterFormat:
        """How the network takes audio."""

    @property
    def sample_rate(self) -> int:
        """The rate of the network in Hz: frames of 20 ms every 10 ms."""
        return self.form.sample_rate

    def load(self, device: str) -> None:
        """Open the three graphs. Raises ``MissingWeightsError`` if they are not there, or are others."""
        place = self.require_place()
        if place.is_dir():
            self._graphs = {part: open_session(place / f"{part}.onnx", device) for part in _PARTS}
        else:
            graphs = _read_archive(place)
            self._graphs = {part: open_graph(graphs[part], device, f"{part} in {place}") for part in _PARTS}

    def restore_one(self, waveform: Waveform) -> Samples:
        """Return the input after gains and filters, of the same length."""
        samples, form = waveform.samples, self.form
        spectra = form.spectra_of(samples)
        gains, taps = self._decide(spectra)
        masked = form.spread_to_bins(gains) * spectra
        return form.waveform_of(form.apply_deep_filter(spectra, taps, masked), samples.size)

    def _decide(self, spectra: FrameSpectra) -> tuple[Samples, Samples]:
        """Return gains (frames, bands) and taps (frames, bins, taps, real and imaginary part)."""
        bands, bins = self.form.band_features(spectra), self.form.bin_features(spectra)
        parts = np.stack([bins.real, bins.imag])
        heard = _run(self._graphs["enc"], feat_erb=bands[None, None], feat_spec=parts[None])
        gains = _run(self._graphs["erb_dec"], **heard)["m"]
        taps = _run(self._graphs["df_dec"], **heard)["coefs"]
        return gains[0, 0], taps[0].reshape(*taps.shape[1:3], -1, 2)


def _run(graph: Any, **known: np.ndarray) -> dict[str, np.ndarray]:
    """Return all outputs by name; of ``known`` the graph takes what it knows, and its memory is empty."""
    feed = {
        port.name: known[port.name].astype(np.float32) if port.name in known else np.zeros(port.shape, "f4")
        for port in graph.get_inputs()
    }
    return dict(zip((port.name for port in graph.get_outputs()), graph.run(None, feed), strict=True))


def _read_archive(path: Path) -> Mapping[str, bytes]:
    """Return the three graphs by name. Raises ``MissingWeightsError`` if they are not all in ``path``."""
    try:
        with tarfile.open(path) as archive:
            files = {Path(member.name).name: member for member in archive if member.isfile()}
            opened = {part: archive.extractfile(files[f"{part}.onnx"]) for part in _PARTS}
            return {part: file.read() for part, file in opened.items() if file is not None}
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        wanted = ", ".join(f"{part}.onnx" for part in _PARTS)
        raise MissingWeightsError(f"{path} is no archive with {wanted} in it: {error}") from error
