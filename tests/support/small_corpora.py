"""Corpora of a few short recordings, and how they are listed."""

import io
from pathlib import Path

import numpy as np
import soundfile

from pipeline.sources.corpora import Corpus, list_sources
from schemas import Source


def wav(seconds: float = 0.5, sample_rate: int = 8_000, level: float = 0.1) -> bytes:
    """Return a WAV file of a constant level."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(int(seconds * sample_rate), level), sample_rate, format="WAV")
    return buffer.getvalue()


def put(path: Path, content: bytes | None = None) -> Path:
    """Write ``content``, or half a second of audio, to ``path``, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav() if content is None else content)
    return path


def listed(path: Path | str, **settings: str) -> list[Source]:
    """Return the sources of a corpus called "c"."""
    return list_sources([Corpus(name="c", path=str(path), **settings)]).sources


def ids_of(path: Path | str) -> list[str]:
    """Return the ids of those sources."""
    return [source.id for source in listed(path)]
