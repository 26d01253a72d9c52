"""DNSMOS: the quality that listeners would report, predicted without a reference."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats, band_powers, mel_filters, periodic_hann
from stages.networks.dnsmos import (
    DNSMOS_SAMPLE_RATE,
    DNSMOS_WINDOW,
    SharedNetwork,
    WholeNetwork,
    find_speechmos_model,
)
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric
from stages.weights.onnx import open_session

POLYNOMIALS = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)
"""From the raw SIG, BAK and OVRL of the network to opinion scores; highest power first."""
MEL_FRAME = 321
MEL_HOP = 160
_WINDOWS_AT_ONCE = 16
"""Of those heard together: some 2 GiB of memory on a GPU."""


def _opinion(note: str, *, votes: bool = False) -> Output:
    return Output(
        aspect=Aspect.PERCEPTUAL_QUALITY,
        better=Better.HIGHER,
        noise_floor=0.05,
        votes=votes,
        note=note,
    )


@METRICS.register
class Dnsmos(NoReferenceMetric):
    """DNSMOS P.835 (Reddy et al., ICASSP 2022) and P.808 (ICASSP 2021), in opinion scores of 1 to 5.

    ``windows`` says which stretches of 9.01 s are heard, and the score is their mean. ``once`` hears every
    second about once: a shorter clip is repeated to exactly one window, a longer one is heard in as many
    windows as its length is nearest to, spread evenly, and in the middle if that is one. ``all`` starts one
    at every second, as the paper does, at some three times the cost. ``official`` is the reference code to
    the letter, which loses every window that starts between 7 s and 23 s to a rounding error
    (microsoft/DNS-Challenge, issue 130). Nothing bounds what the networks say: a click alone may get 0.9.
    """

    kind: ClassVar[str] = "dnsmos"
    licence: ClassVar[str] = "MIT AND CC-BY-4.0"
    weights: ClassVar[str] = "inside the package speechmos"
    packages: ClassVar[tuple[str, ...]] = ("speechmos",)
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_record: ClassVar[float] = 0.3
    libraries: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")
    package_files: ClassVar = {
        "DNSMOS P.835": "speechmos/dnsmos_models/sig_bak_ovr.onnx",
        "DNSMOS P.808": "speechmos/dnsmos_models/model_v8.onnx",
    }
    outputs: ClassVar = {
        "sig": _opinion(
            "the speech alone; seldom moves when overall quality does not, so no vote by default"
        ),
        "bak": _opinion("the background alone; rewards a mute button, so no vote by default"),
        "ovrl": _opinion(
            "overall; fell on every ladder of damage, least clearly with the bandwidth",
            votes=True,
        ),
        "p808": _opinion(
            "overall, by another model; beside ovrl it takes out pairs that others refuse", votes=True
        ),
    }

    windows: Literal["once", "official", "all"] = "once"

    _opinions: Any = PrivateAttr(default=None)
    _p808: Any = PrivateAttr(default=None)
    _mel: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return DNSMOS_SAMPLE_RATE

    def load(self, device: str) -> None:
        """Open both networks; raises ``MissingWeightsError`` without the package that holds them."""
        network = WholeNetwork if self.windows == "once" else SharedNetwork
        self._opinions = network.load(find_speechmos_model("dnsmos_models/sig_bak_ovr.onnx"), device)
        self._p808 = open_session(find_speechmos_model("dnsmos_models/model_v8.onnx"), device)
        self._mel = mel_filters(DNSMOS_SAMPLE_RATE, MEL_FRAME, 120, (0.0, DNSMOS_SAMPLE_RATE / 2))

    def hear(self, samples: Samples) -> Measured:
        """Return SIG, BAK, OVRL and P.808."""
        heard, starts = windows_of(samples, self.windows)
        raw = self._opinions.score_raw(heard, starts)
        p808 = [self._p808_of([heard[start : start + DNSMOS_WINDOW]]) for start in starts]
        return self._mean_opinions(raw, np.concatenate(p808))

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the same with the windows of all recordings in batches."""
        cut = [_cut(*windows_of(block, self.windows)) for block in blocks]
        windows = [window for each in cut for window in each]
        parts = [
            windows[first : first + _WINDOWS_AT_ONCE] for first in range(0, len(windows), _WINDOWS_AT_ONCE)
        ]
        if not parts:
            return []
        raw = np.concatenate([self._opinions.score_windows(np.stack(part)) for part in parts])
        p808 = np.concatenate([self._p808_of(part) for part in parts])
        ends = np.cumsum([len(each) for each in cut])
        return [
            self._mean_opinions(*(side[end - len(each) : end] for side in (raw, p808)))
            for each, end in zip(cut, ends, strict=True)
        ]

    def _mean_opinions(self, raw: Floats, p808: Floats) -> Measured:
        """Return the means over the windows of one recording."""
        opinions = [np.polyval(p, raw[:, column].astype(float)) for column, p in enumerate(POLYNOMIALS)]
        means = np.mean([*opinions, p808.astype(float)], axis=1)
        return dict(zip(self.outputs, means.tolist(), strict=True))

    def _p808_of(self, windows: Sequence[Samples]) -> Floats:
        """Return ``(windows,)`` opinions."""
        features = np.stack([_log_mel(window, self._mel) for window in windows])
        opinions: Floats = self._p808.run(None, {"input_1": features})[0][:, 0]
        return opinions


def _cut(samples: Samples, starts: Sequence[int]) -> list[Samples]:
    return [samples[start : start + DNSMOS_WINDOW] for start in starts]


def windows_of(samples: Samples, rule: str) -> tuple[Samples, list[int]]:
    """Return ``samples``, repeated if they are short, and where in them the windows start; at least one."""
    if rule == "once":
        repeated = np.resize(samples, max(samples.size, DNSMOS_WINDOW))
        return repeated, _spread(repeated.size)
    repeated = _repeat_to_length(samples)
    hops = range(int(np.floor(repeated.size / DNSMOS_SAMPLE_RATE) - 9.01) + 1)
    kept = hops if rule == "all" else [hop for hop in hops if _official_length(hop) == DNSMOS_WINDOW]
    return repeated, [hop * DNSMOS_SAMPLE_RATE for hop in kept]


def _spread(size: int) -> list[int]:
    count = max(1, round(size / DNSMOS_WINDOW))
    if count == 1:
        return [(size - DNSMOS_WINDOW) // 2]
    return [round(start) for start in np.linspace(0, size - DNSMOS_WINDOW, count)]


def _repeat_to_length(samples: Samples) -> Samples:
    while samples.size < DNSMOS_WINDOW:
        samples = np.append(samples, samples)
    return samples


def _official_length(hop: int) -> int:
    # the float arithmetic of the reference code, kept as it is: one sample short for hops 7 to 23
    return int((hop + 9.01) * DNSMOS_SAMPLE_RATE) - hop * DNSMOS_SAMPLE_RATE


def _log_mel(window: Samples, filters: Floats) -> NDArray[np.float32]:
    """Return ``(900, 120)`` mel bands in dB under their maximum, cut at −80 dB and scaled to −1 … 1.

    What ``librosa.feature.melspectrogram`` and ``power_to_db`` give with the settings of the reference code.
    """
    centred = np.pad(window[:-MEL_HOP], MEL_FRAME // 2)
    power = band_powers(centred, periodic_hann(MEL_FRAME), MEL_HOP, filters)
    decibels = 10.0 * np.log10(np.maximum(power, 1e-10))
    decibels = np.maximum(decibels - decibels.max(), -80.0)
    return np.asarray((decibels + 40.0) / 40.0, dtype=np.float32)
