"""The synthetic speech that ships with the project, as clean as it gets."""

from pathlib import Path

import soundfile

from stages.audio.resampling import resample
from stages.audio.waveform import Waveform

FOLDER = Path(__file__).parents[2] / "configs" / "speech"


def bundled(number: int, sample_rate: int = 16_000) -> Waveform:
    """Return a sentence, 1 to 32."""
    samples, rate = soundfile.read(FOLDER / f"speech-{number:02}.flac", dtype="float32")
    return resample(Waveform(samples, rate), sample_rate)
