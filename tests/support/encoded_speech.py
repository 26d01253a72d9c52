"""A third of a second of speech in every container and codec that libsndfile and PyAV write here."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import soundfile

from stages.audio.waveform import Samples
from tests.support.bundled_speech import bundled

SECONDS = 0.3
LATE = {"aac": 1024, "libopencore_amrnb": 40, "g722": 22, "wav libmp3lame": 576}
"""Samples by which codecs come late whose containers do not say so; docs/config.md states them."""
FILLED = {"aac", "libopencore_amrnb", "adpcm", "gsm", "mpeg", "mp2", "libmp3lame"}
"""Codecs of blocks whose containers do not say how much of the last block is audio."""
_MOST_FILLED = 2048
NOT_READ = {"AVR", "HTK", "SVX", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "SDS", "IRCAM", "VOC", "WVE", "XI"}
LEFT_OUT = {"RAW", "SD2"}
"""Raw samples have no container, and writing SD2 leaves a file in the working folder."""
WITH_AV = (
    ("mp3", "libmp3lame", 16_000),
    ("mp2", "mp2", 16_000),
    ("wav", "libmp3lame", 16_000),
    ("wav", "g722", 16_000),
    ("wav", "adpcm_ms", 16_000),
    ("adts", "aac", 16_000),
    ("ipod", "aac", 16_000),
    ("mp4", "libmp3lame", 16_000),
    ("mov", "alac", 16_000),
    ("mov", "pcm_s16be", 16_000),
    ("matroska", "libopus", 48_000),
    ("matroska", "flac", 16_000),
    ("matroska", "pcm_s16le", 16_000),
    ("webm", "libopus", 48_000),
    ("amr", "libopencore_amrnb", 8_000),
    ("wv", "wavpack", 16_000),
    ("ogg", "libopus", 48_000),
    ("ogg", "flac", 16_000),
    ("flac", "flac", 16_000),
    ("caf", "alac", 16_000),
    ("caf", "pcm_s16be", 16_000),
    ("w64", "pcm_s16le", 16_000),
    ("aiff", "pcm_s16be", 16_000),
    ("au", "pcm_s16be", 16_000),
    ("tta", "tta", 16_000),
    ("mpegts", "aac", 16_000),
    ("ac3", "ac3", 48_000),
    ("flv", "aac", 44_100),
    ("avi", "pcm_s16le", 16_000),
)
"""Containers as PyAV calls them, with a codec each; the last five are refused by name or as unknown."""
_REFUSED_OF_AV = {"tta", "mpegts", "ac3", "flv", "avi"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A container with a codec inside, by the library that writes it."""

    library: str
    container: str
    codec: str
    sample_rate: int

    def __str__(self) -> str:
        return f"{self.container}-{self.codec}"

    @property
    def is_read(self) -> bool:
        """Whether a file of it is read; others are refused."""
        return self.container not in NOT_READ | _REFUSED_OF_AV and not self.codec.startswith("DWVW")

    @property
    def late(self) -> int:
        """Samples by which it comes late."""
        return LATE.get(f"{self.container} {self.codec}", 0) or (
            LATE.get(self.codec, 0) if self.container != "ipod" else 0
        )

    @property
    def least_like(self) -> float:
        """How like the speech it is at least, as a correlation; AMR keeps little of the waveform."""
        return 0.7 if self.container == "amr" else 0.9

    @property
    def most_filled(self) -> int:
        """Samples that may come after the end."""
        filled = any(name in self.codec.lower() for name in FILLED) and self.container not in {
            "ipod",
            "mp4",
            "MP3",
        }
        return _MOST_FILLED if filled else 0


def encodings() -> list[Encoding]:
    """Return every container and codec that both libraries write here."""
    found = [
        Encoding("soundfile", container, codec, 16_000)
        for container in soundfile.available_formats()
        if container not in LEFT_OUT
        for codec in soundfile.available_subtypes(container)
    ]
    with_av = [Encoding("av", *made) for made in WITH_AV]
    return [made for made in (*found, *with_av) if encode(made)]


@cache
def speech(sample_rate: int) -> Samples:
    """Return a stretch of a bundled sentence."""
    voice = bundled(10, sample_rate).samples  # of which AMR keeps the waveform
    start = int(0.5 * sample_rate)
    return np.ascontiguousarray(voice[start : start + int(SECONDS * sample_rate)])


@cache
def encode(made: Encoding) -> bytes:
    """Return the speech as a file; empty where the library says that it does not write it."""
    buffer = io.BytesIO()
    if made.library == "av":
        _with_av(buffer, made)
        return buffer.getvalue()
    try:
        soundfile.write(
            buffer, speech(made.sample_rate), made.sample_rate, format=made.container, subtype=made.codec
        )
    except soundfile.SoundFileError:
        return b""
    return buffer.getvalue()


def _with_av(buffer: io.BytesIO, made: Encoding) -> None:
    import av  # noqa: PLC0415 - 0.2 s

    with av.open(buffer, "w", format=made.container) as container:
        stream: Any = container.add_stream(made.codec, rate=made.sample_rate, layout="mono")
        if made.container == "amr":
            stream.bit_rate = 12_200
        fit = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=made.sample_rate)
        whole = av.AudioFrame.from_ndarray(speech(made.sample_rate)[None], format="fltp", layout="mono")
        whole.sample_rate, whole.pts = made.sample_rate, 0
        for frame in [*fit.resample(whole), *fit.resample(None), None]:
            container.mux(stream.encode(frame))
