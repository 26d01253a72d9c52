"""Ten minutes at once: the model is given its chunks, and the process stays small."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RESTORE = """
import sys
import numpy as np
from pipeline.execution.peak_memory import forget_peaks, peak_bytes
from schemas import Degraded
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.restore import RestoreStage
from stages.restorers import RESTORERS
from stages.audio.waveform import Waveform
from tests.support.speech_like import noisy, speech_like

minute = noisy(speech_like(60.0), 15.0)
audio = encode_flac(Waveform(np.tile(minute.samples, int(sys.argv[1])), 16_000))
model = RESTORERS["wiener"]()
stage = RestoreStage("model", model, num_takes=1, draws={}, seed=0, cache=AudioCache())
stage.process([Degraded(id="short", degraded=encode_flac(minute), clean=None)])
forget_peaks()
before = peak_bytes()
(row,) = stage.process([Degraded(id="long", degraded=audio, clean=None)])
(take,) = row.takes
print((peak_bytes() - before) / 2**20, take.audio.num_samples / 16_000, take.lag_samples)
"""


def restored_minutes(minutes: int) -> tuple[float, ...]:
    """Return what so many minutes need in MiB, and their length in seconds and lag afterwards."""
    command = [sys.executable, "-c", RESTORE, str(minutes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return tuple(float(word) for word in done.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of a process are measured anew on Linux only")
def test_ten_minutes_need_little_more_than_their_audio() -> None:
    """A model that would need gigabytes for them at once; the stage has some ten copies of 37 MiB."""
    mebibytes, duration_s, lag = restored_minutes(10)

    assert (duration_s, lag) == (600.0, 0.0)
    assert mebibytes < 450.0
