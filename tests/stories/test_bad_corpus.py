"""A folder as people have it: every kind of bad file beside the good ones, in one run."""

import struct
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import soundfile
import soxr
from numpy.typing import NDArray

from tests.support import rows, tiny

Samples = NDArray[np.float64]
RATE = 16_000
"""Of the bundled speech."""
LONG_NAME = "long" * 50
LONGEST_S = 20.0
PAUSE_S = 0.6
USABLE = {
    "good",
    "endless_header",
    "above_one",
    "stereo",
    "six_channels",
    "eight_bit",
    "at_8_khz",
    "at_96_khz",
    "twice",
    "straße 音声 наука",
    LONG_NAME,
}
UNFIT = {
    "truncated": "unreadable",
    "no_bytes": "unreadable",
    "header_only": "empty",
    "zeros": "unreadable",
    "text": "unreadable",
    "dangling": "unreadable",
    "not_a_number": "not_finite",
    "blip": "too_short",
    "silence": "silent",
    "twice~2": "duplicate_id",
}


def _speech(sentence: int = 0, seconds: float = 1.2) -> Samples:
    samples, rate = soundfile.read(tiny.SPEECH / f"speech-{sentence + 1:02d}.flac")
    assert rate == RATE
    return np.asarray(samples[: int(seconds * rate)])


def _write_usable(folder: Path) -> None:
    speech = _speech()
    for name in ("good", "endless_header", "twice", "straße 音声 наука", LONG_NAME):
        soundfile.write(folder / f"{name}.wav", speech, RATE)
    _claim_bytes(folder / "endless_header.wav", 0xFFFFFFFF)
    soundfile.write(folder / "above_one.wav", 3.0 * speech / np.abs(speech).max(), RATE, subtype="FLOAT")
    soundfile.write(folder / "stereo.wav", np.stack([speech, 0.5 * speech], axis=1), RATE)
    soundfile.write(folder / "six_channels.wav", np.stack([speech] * 6, axis=1), RATE)
    soundfile.write(folder / "eight_bit.wav", speech, RATE, subtype="PCM_U8")
    soundfile.write(folder / "at_8_khz.wav", _resampled(speech, 8000), 8000)
    soundfile.write(folder / "at_96_khz.wav", _resampled(speech, 96000), 96000)


def _write_unfit(folder: Path) -> None:
    speech = _speech()
    soundfile.write(
        folder / "twice.flac", speech, 16000
    )  # listed before twice.wav, so that one is the second
    soundfile.write(folder / "truncated.wav", speech, RATE)
    whole = (folder / "truncated.wav").read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "no_bytes.wav").touch()
    soundfile.write(folder / "header_only.wav", speech[:0], RATE)
    (folder / "zeros.wav").write_bytes(bytes(4096))
    (folder / "text.wav").write_text("This is no sound.\n" * 100)
    (folder / "dangling.wav").symlink_to(folder / "nowhere.wav")
    soundfile.write(folder / "not_a_number.wav", np.where(speech > 0.05, np.nan, speech), RATE, "FLOAT")
    soundfile.write(folder / "blip.wav", speech[RATE // 2 : RATE // 2 + RATE // 10], RATE)
    soundfile.write(folder / "silence.wav", np.zeros(RATE), RATE)


def _resampled(speech: Samples, rate: int) -> Samples:
    """Return the speech at another rate."""
    return np.asarray(soxr.resample(speech, RATE, rate))


def _claim_bytes(path: Path, size: int) -> None:
    """Write a size of data into the header of a plain WAV."""
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)


def test_every_kind_of_bad_file(tmp_path: Path) -> None:
    """Each bad file is a row with its reason; each usable one is restored, scored and compared."""
    folder = tmp_path / "speech"
    folder.mkdir()
    _write_usable(folder)
    _write_unfit(folder)
    config = tiny.write_config(tmp_path, tiny.cheap_config(folder, shard_seconds=4))

    done = tiny.run(config, tmp_path / "workspace", "--executor", "local")

    unfit = {name: f"unfit/{reason}" for name, reason in UNFIT.items()}
    usable = dict.fromkeys(USABLE, "ok")
    assert rows.outcomes(tmp_path / "workspace", "ingest") == unfit | usable
    for table in ("degrade", "restore.identity", "restore.spectral_gate", "prefer"):
        assert rows.outcomes(tmp_path / "workspace", table) == usable
    assert f"{len(USABLE)}  usable utterances" in done.stdout
    rows.assert_complete(tmp_path / "workspace")


def _ten_minutes() -> tuple[Samples, list[tuple[float, float]]]:
    """Return sentences with pauses between them, and from when to when each pause lasts."""
    parts: list[Samples] = []
    pauses: list[tuple[float, float]] = []
    end_s = 0.0
    while end_s < 600.0:
        sentence = _speech(len(pauses) % 32, seconds=5.0)
        parts += [sentence, 1e-5 * np.ones(int(PAUSE_S * RATE))]
        end_s += sentence.size / RATE
        pauses.append((end_s, end_s + PAUSE_S))
        end_s += PAUSE_S
    return np.concatenate(parts), pauses


def test_ten_minutes_are_split_at_pauses(tmp_path: Path) -> None:
    """A lecture becomes utterances of at most twenty seconds, none of which begins inside a sentence."""
    samples, pauses = _ten_minutes()
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech" / "lecture.flac", samples, RATE)
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech"))

    result = tiny.run_here(config, tmp_path / "workspace")

    (ingested,) = (tmp_path / "workspace").glob("tables/ingest-*/*.parquet")
    (lecture,) = pq.read_table(ingested).to_pylist()
    starts = [segment["offset_s"] for segment in lecture["segments"]]
    lengths = [segment["probe"]["duration_s"] for segment in lecture["segments"]]
    assert len(starts) >= 600 / LONGEST_S
    assert max(lengths) <= LONGEST_S
    assert sum(lengths) > 0.85 * 600
    assert all(any(start <= s <= end + 0.3 for start, end in [(0.0, 0.0), *pauses]) for s in starts)
    assert result.exported.funnel.count("candidates") == 2 * len(starts)
