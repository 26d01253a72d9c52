"""Phone error: whether a small recogniser hears the same sounds."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Reason, UnfitError
from stages.audio.pauses import split_at_pauses
from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import EmbeddingMetric

_SAMPLE_RATE = 16_000
_LONGEST_S = 30.0
"""In the noise of long pauses the recogniser follows so many paths that ten minutes take it minutes."""
Phones = tuple[str, ...]


@METRICS.register
class PhoneError(EmbeddingMetric):
    """Edit distance of the phones heard in the candidate to those heard in the clean reference.

    Substitutions, insertions and deletions per phone of the reference: 0 if nothing changed, over 1 if more
    was made up than was said. English phones, by the recogniser inside pocketsphinx, with the settings of its
    phoneme recognition guide. A decoder remembers what it heard before, so each utterance gets a new one.
    Over 30 s the audio is cut at pauses.
    """

    kind: ClassVar[str] = "phone_error"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "BSD-2-Clause"
    packages: ClassVar[tuple[str, ...]] = ("pocketsphinx",)
    weights: ClassVar[str] = "inside the package pocketsphinx"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.06
    libraries: ClassVar[tuple[str, ...]] = ("pocketsphinx", "jiwer")
    package_files: ClassVar = {"English phones": "pocketsphinx/model/en-us/en-us-phone.lm.bin"}
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.CONTENT_CONSISTENCY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=0.05,
            votes=False,
            note="too weak a recogniser to vote: on real comparisons it agreed with other metrics by chance",
        )
    }

    _recogniser: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz, the rate of the acoustic model."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:  # noqa: ARG002 - runs on the CPU only
        """Bring in the recogniser."""
        import pocketsphinx  # noqa: PLC0415

        self._recogniser = pocketsphinx

    def hear(self, samples: Samples) -> Phones:
        """Return the phones."""
        pieces = split_at_pauses(samples, _SAMPLE_RATE, _LONGEST_S)
        return tuple(phone for start, end in pieces for phone in self._phones(samples[start:end]))

    def compare(self, candidate: Phones, clean: Phones) -> Measured:
        """Return the rate; raises ``UnfitError`` if there is no phone in the clean reference."""
        import jiwer  # noqa: PLC0415

        if not clean:
            raise UnfitError(Reason.SILENT, "no phone found in the clean reference")
        return {"": float(jiwer.wer(" ".join(clean), " ".join(candidate)))}

    def _phones(self, samples: Samples) -> Phones:
        decoder = self._recogniser.Decoder(self._settings())
        integers = np.rint(np.clip(samples, -1.0, 1.0) * 32_767).astype("<i2")
        decoder.start_utt()
        decoder.process_raw(integers.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        return tuple(segment.word for segment in decoder.seg() or () if _is_phone(segment.word))

    def _settings(self) -> Any:
        folder = Path(self._recogniser.get_model_path()) / "en-us"
        return self._recogniser.Config(
            hmm=str(folder / "en-us"),
            allphone=str(folder / "en-us-phone.lm.bin"),
            lm=None,
            dict=None,
            beam=1e-20,
            pbeam=1e-20,
            lw=2.0,
            loglevel="FATAL",
        )


def _is_phone(word: str) -> bool:
    return word != "SIL" and not word.startswith(("+", "<", "("))
