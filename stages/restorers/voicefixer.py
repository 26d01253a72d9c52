"""VoiceFixer: a network restores the mel spectrogram, a vocoder makes speech of it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from stages.operators.distributions import Distribution, OneOf
from stages.operators.operator import Resources
from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import WeightFile, Weights

ON_ITS_OWN_STATISTICS = 2
ZENODO = "https://zenodo.org/record"


@RESTORERS.register
class VoiceFixer(PublishedWorker):
    """Noise, reverb, clipping and bandwidth at once, at 44.1 kHz; regression, so that takes differ by mode.

    Liu et al. 2022 (arXiv 2204.05841); package ``voicefixer`` 0.1.3 (github.com/haoheliu/voicefixer, of
    which the commit 7ac6299 is an older release with other weights). Hazards: importing it downloads weights
    that it does not find, so the worker imports it only once they are there; the vocoder's output is a new
    waveform, with the timing but not the phases of its input; mode 2 runs batch normalisation on the
    recording's own statistics and would remember them, so the worker puts the network back after each
    recording; its dropout of a half draws in that mode.
    """

    kind: ClassVar[str] = "voicefixer"
    version: ClassVar[int] = 2
    paradigm: ClassVar[str] = "regression and vocoder"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "Zenodo 5600188 and 5469951"
    resources: ClassVar[Resources] = Resources()
    sample_rate: ClassVar[int] = 44_100
    draws: ClassVar[Mapping[str, Distribution]] = {"mode": OneOf(values=(1, 2))}

    mode: Literal[0, 1, 2] = 0
    """0: as trained; 1: high frequencies are removed first; 2: for badly damaged speech, and it samples."""

    @property
    def sampling(self) -> bool:
        """In mode 2, whose dropout is active."""
        return self.mode == ON_ITS_OWN_STATISTICS

    @property
    def may_sample(self) -> bool:
        """In another mode it does."""
        return True

    @property
    def published(self) -> Weights:
        """Both networks, under the paths that the package knows below ``~/.cache/voicefixer``."""
        return Weights(
            name="voicefixer",
            source="https://github.com/haoheliu/voicefixer",
            licence="MIT",
            files=(
                WeightFile(
                    name="analysis_module/checkpoints/vf.ckpt",
                    url=f"{ZENODO}/5600188/files/vf.ckpt?download=1",
                    sha256="748411b70089cadf34a6c11054f95f3a454e614af562c23b13a82f6cb413109f",
                    size_bytes=489_307_071,
                ),
                WeightFile(
                    name="synthesis_module/44100/model.ckpt-1490000_trimed.pt",
                    url=f"{ZENODO}/5469951/files/model.ckpt-1490000_trimed.pt?download=1",
                    sha256="9410d0b528c10a251ae947bd299d1939b0b3247df680c81c4164e94f5d87dc45",
                    size_bytes=135_613_039,
                ),
            ),
        )
