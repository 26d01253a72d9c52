"""Phone error: whether a small recogniser hears the same sounds."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Reason, UnfitError
from stages.metrics.base import METRICS, Aspect, Better, Comparison, Measured, Metric, Output, Unmeasured
from stages.metrics.guard import measured, require_both_sound
from stages.waveform import Waveform

SAMPLE_RATE = 16_000
SHORTEST_S = 0.1
Phones = tuple[str, ...]


@METRICS.register
class PhoneError(Metric):
    """Edit distance of the phones heard in the candidate to those heard in the clean reference.

    Substitutions, insertions and deletions per phone of the reference: 0 if nothing changed, over 1 if more
    was made up than was said. English phones, by the recogniser inside pocketsphinx, with the settings of its
    phoneme recognition guide. A decoder remembers what it heard before, so each utterance gets a new one.
    """

    kind: ClassVar[str] = "phone_error"
    licence: ClassVar[str] = "BSD-2-Clause"
    packages: ClassVar[tuple[str, ...]] = ("pocketsphinx",)
    weights: ClassVar[str] = "inside the package pocketsphinx"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
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
        return SAMPLE_RATE

    def load(self, device: str) -> None:  # noqa: ARG002 - runs on the CPU only
        """Bring in the recogniser."""
        import pocketsphinx  # noqa: PLC0415

        self._recogniser = pocketsphinx

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Unmeasured]:
        """Return the rate of each comparison, or why there is none; shared references are heard once."""
        heard: dict[bytes, Phones] = {}
        return [measured(partial(self._measure, comparison, heard)) for comparison in batch]

    def _measure(self, comparison: Comparison, heard: dict[bytes, Phones]) -> Measured:
        require_both_sound(comparison, SHORTEST_S)
        name = comparison.clean.samples.tobytes()
        if name not in heard:
            heard[name] = self._phones(comparison.clean)
        if not heard[name]:
            raise UnfitError(Reason.SILENT, "no phone found in the clean reference")
        return {"": _edits(heard[name], self._phones(comparison.candidate)) / len(heard[name])}

    def _phones(self, waveform: Waveform) -> Phones:
        decoder = self._recogniser.Decoder(self._settings())
        integers = np.rint(np.clip(waveform.samples, -1.0, 1.0) * 32_767).astype("<i2")
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


def _edits(said: Phones, heard: Phones) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(heard) + 1))
    for count, phone in enumerate(said, start=1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(heard, start=1):
            changed = diagonal + (phone != other)
            diagonal, row[place] = row[place], min(changed, row[place] + 1, row[place - 1] + 1)
    return row[-1]
