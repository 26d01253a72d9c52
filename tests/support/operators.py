"""Operators of a user's own that misbehave, as files that a config names."""

from pathlib import Path

SOURCE = '''
"""A restorer that hands back what it is given, but for what it does to some clips."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from schemas import MissingWeightsError
from stages.operators.restorer import RESTORERS, Restorer
from stages.audio.waveform import Waveform

MARKER = Path({marker!r})


@RESTORERS.register
class Fragile(Restorer):
    kind: ClassVar[str] = "fragile"
    version: ClassVar[int] = {version}
    restores_level: ClassVar[bool] = True

    def load(self, device: str) -> None:
        {load}

    def restore(self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]) -> list[Waveform]:
        return [self._one(waveform) for waveform in batch]

    def _one(self, waveform: Waveform) -> Waveform:
        tenths = round(10 * waveform.duration_s)
        if MARKER.exists():
            {act}
        return waveform
'''


def write_fragile(folder: Path, act: str = "pass", load: str = "pass", version: int = 1) -> Path:
    """Write the module; it does ``act`` for as long as the marker is there.

    ``tenths`` in ``act`` is the length of the clip in tenths of a second, by which clips are known.
    """
    path = folder / "fragile.py"
    source = SOURCE.format(marker=str(marker(folder)), act=act, load=load, version=version)
    path.write_text(source, encoding="utf-8")
    return path


def marker(folder: Path) -> Path:
    """Return the file that makes the restorer of ``folder`` misbehave by being there."""
    return folder / "misbehave"
