"""Speech to train on: a folder of recordings, of which any stretch can be drawn."""

import hashlib
from pathlib import Path

import numpy as np

from pipeline.sources.folders import list_audio_files
from schemas import RecordError, UserError
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples
from stages.ingest.decoding import decode_recording
from stages.ingest.durations import estimate_file_s


class SpeechFolder:
    """All recordings under ``folder``; every second of them is as likely as any other.

    Raises ``UserError`` if there are none, or one is no audio.
    """

    def __init__(self, folder: Path, sample_rate: int) -> None:
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
        self.folder = folder
        self._sample_rate = sample_rate
        self._files = list_audio_files(folder)
        if not self._files:
            raise UserError(f"no recordings in {folder}")
        self._durations_s = np.array([_duration_s(file) for file in self._files])
        listed = "\n".join(f"{file.relative_to(folder)} {file.stat().st_size}" for file in self._files)
        self.digest = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
        """Of the names and sizes of the files."""

    def __len__(self) -> int:
        return len(self._files)

    @property
    def duration_s(self) -> float:
        """Of all recordings together."""
        return float(self._durations_s.sum())

    def stretch(self, rng: np.random.Generator, num_samples: int) -> Samples:
        """Return a stretch that ``rng`` draws; a recording that is shorter is repeated."""
        place = int(rng.choice(len(self._files), p=self._durations_s / self._durations_s.sum()))
        wanted_s = num_samples / self._sample_rate
        offset_s = float(rng.uniform(0.0, max(0.0, self._durations_s[place] - wanted_s)))
        samples = self._read(self._files[place], offset_s, wanted_s)
        if samples.size < num_samples and self._durations_s[place] < wanted_s:
            return np.resize(samples, num_samples)
        return fit_length(samples, num_samples)

    def _read(self, path: Path, offset_s: float, duration_s: float) -> Samples:
        try:
            with path.open("rb") as file:
                decoded = decode_recording(file, offset_s, duration_s)
        except (OSError, RecordError) as error:
            raise UserError(f"{path} cannot be trained on: {error}") from error
        return resample(decoded.waveform, self._sample_rate).samples


def _duration_s(path: Path) -> float:
    try:
        with path.open("rb") as file:
            duration_s = estimate_file_s(file)
    except OSError as error:
        raise UserError(f"{path} cannot be trained on: {error}") from error
    if duration_s is None:
        raise UserError(f"{path} cannot be trained on: it is no audio, or damaged")
    if duration_s <= 0.0:
        raise UserError(f"{path} cannot be trained on: it has no samples")
    return duration_s
