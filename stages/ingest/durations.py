"""About how long a file is, by its header and its size: nothing is decoded."""

from typing import BinaryIO

from soundfile import SoundFile

from schemas import UnfitError
from stages.ingest.av_reader import FORMATS, header_duration_s
from stages.ingest.chunks import CHUNK_LAYOUTS, find_samples
from stages.ingest.containers import MPEG_IN_WAV, wav_codec, without_front
from stages.ingest.flac_frames import claimed_samples, held_samples, split_flac
from stages.ingest.formats import FOREIGN, kind_of
from stages.ingest.mp3 import is_mpeg, split_mpeg
from stages.ingest.ogg import ogg_duration_s
from stages.ingest.sounds import BITS_STORED, open_with_soundfile
from stages.ingest.spliced import length_of, read_at, splice

_OPUS_RATE = 48_000
"""Of the positions in its pages, whatever the audio had."""
_FRONT_BYTES = 64
LEAST_BYTES_PER_S = 100
"""No codec stores speech in less; what claims to be longer is bounded by this."""


def estimate_file_s(file: BinaryIO) -> float | None:
    """Return about how many seconds of audio ``file`` holds; None for what is no audio that is read here."""
    view = without_front(file)
    try:
        found = _claimed_s(view, kind_of(read_at(view, 0, _FRONT_BYTES)))
    except UnfitError:
        return None
    return None if found is None else min(found, length_of(view) / LEAST_BYTES_PER_S)


def _claimed_s(view: BinaryIO, kind: str | None) -> float | None:
    if kind == "wav" and wav_codec(view) in MPEG_IN_WAV:
        samples = find_samples(view, kind)
        return _mpeg_s(splice(view, range(samples.start, samples.stop))) if samples else None
    if kind is None:
        return _mpeg_s(view)
    opened = open_with_soundfile(view) if kind not in FOREIGN else None
    if opened is None:
        return header_duration_s(view, kind) if kind in FORMATS else None
    with opened:
        return _opened_s(view, kind, opened)


def _mpeg_s(view: BinaryIO) -> float | None:
    return sum(stream.duration_s for stream in split_mpeg(view)) if is_mpeg(view) else None


def _opened_s(view: BinaryIO, kind: str, opened: SoundFile) -> float:
    rate, subtype = float(opened.samplerate), str(opened.subtype)
    samples = find_samples(view, kind) if kind in {*CHUNK_LAYOUTS, "au", "nist"} else None
    if kind == "flac":
        return _flac_samples(view) / rate
    if kind == "ogg":
        return ogg_duration_s(view, _OPUS_RATE if subtype == "OPUS" else rate)
    if samples and subtype in BITS_STORED:
        bits = BITS_STORED[subtype] * int(opened.channels)
        return (samples.stop - samples.start) * 8 / bits / rate
    return int(opened.frames) / rate


def _flac_samples(view: BinaryIO) -> int:
    """Return the samples of all streams, by their headers, or by their last frames where those do not say."""
    return sum(
        claimed_samples(view, span.start) or held_samples(view, span) or 0 for span in split_flac(view)
    )
