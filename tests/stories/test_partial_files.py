"""Files that easily give a part of themselves, or seem damaged and are not: whole, or with a true reason."""

import io
import struct
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.sources.audio import estimate_duration_s
from stages.audio.waveform import Waveform
from stages.ingest.ogg import CHECKSUM, page_checksum
from tests.support import rows, tiny
from tests.support.bundled_speech import bundled
from tests.support.small_corpora import listed

RATE = 16_000
SECONDS = 0.9
ID3 = b"ID3\x03\0\0\0\0\x02\x01" + bytes(257)


def _sentence(number: int) -> Waveform:
    voice = bundled(number, RATE)
    return voice.with_samples(voice.samples[: int(SECONDS * RATE)])


def _file(kind: str, subtype: str | None = None, number: int = 1) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, _sentence(number).samples, RATE, format=kind, subtype=subtype)
    return buffer.getvalue()


def _with_bytes(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def _without_length(flac: bytes) -> bytes:
    """Return a FLAC file as an encoder leaves it that writes to a pipe."""
    return _with_bytes(flac, 21, bytes([flac[21] & 0xF0]) + bytes(4))


def _without_end_mark(ogg: bytes) -> bytes:
    """Return an Ogg file as a writer leaves it that was stopped between two pages."""
    place = ogg.rfind(b"OggS")
    page = ogg[place : place + 5] + bytes([ogg[place + 5] & ~0x04]) + ogg[place + 6 :]
    return ogg[:place] + page[: CHECKSUM.start] + page_checksum(page) + page[CHECKSUM.stop :]


def _whole() -> Mapping[str, tuple[bytes, float]]:
    """Return files by their names, and how many sentences are in each."""
    wav, flac, opus, vorbis, mp3 = (
        _file("WAV", "PCM_16"),
        _file("FLAC", "PCM_16"),
        _file("OGG", "OPUS"),
        _file("OGG", "VORBIS"),
        _file("MP3"),
    )
    endless = b"\xff" * 4
    return {
        "chained.opus": (opus + _file("OGG", "OPUS", 2), 2),
        "chained.ogg": (vorbis + _file("OGG", "VORBIS", 2), 2),
        "chained.flac": (flac + _file("FLAC", "PCM_16", 2), 2),
        "joined.mp3": (mp3 + _file("MP3", None, 2), 2),
        "tagged.ogg": (ID3 + vorbis, 1),
        "tagged.wav": (ID3 + wav, 1),
        "from_a_pipe.flac": (_without_length(flac), 1),
        "from_a_pipe.wav": (_with_bytes(_with_bytes(wav, 4, endless), 40, endless), 1),
        "from_a_broken_pipe.wav": (_with_bytes(wav, 40, bytes(4)), 1),
        "telephone.wav": (_file("WAV", "GSM610"), 1),
        "line.wav": (_file("WAV", "G721_32"), 1),
        "answering_machine.wav": (_file("WAV", "NMS_ADPCM_32"), 1),
        "padded.mp3": (bytes(1000) + mp3, 1),
        "no_end_mark.ogg": (_without_end_mark(vorbis), 1),
        "corpus.sph": (_file("NIST", "PCM_16"), 1),
        "named_wave.wave": (wav, 1),
        "named_snd.snd": (_file("AU", "PCM_16"), 1),
    }


def _partial() -> Mapping[str, tuple[bytes, str]]:
    """Return files by their names, and what is said of each."""
    wav, flac = _file("WAV", "PCM_16"), _file("FLAC", "PCM_16")
    half = struct.pack("<I", (len(wav) - 44) // 2)
    return {
        "half.wav": (_with_bytes(wav, 40, half), "more bytes follow that are no chunk"),
        "two.wav": (wav + wav, "more bytes follow that are no chunk"),
        "cut.flac": (_without_length(flac)[:-100], "cut short"),
        "shorter.flac": (_with_bytes(flac, 22, struct.pack(">I", 5000)), "its header says 5,000 samples"),
        "film.avi": (b"RIFF\0\0\0\0AVI LIST", "AVI: a format that is not read here"),
        "old.wma": (b"\x30\x26\xb2\x75" + bytes(100), "Windows Media: a format that is not read here"),
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run over all of them."""
    folder = tmp_path_factory.mktemp("partial")
    (folder / "speech").mkdir()
    for name, (content, _) in {**_whole(), **_partial()}.items():
        path = folder / "speech" / name.replace(".", "_", 1) / name
        path.parent.mkdir()
        path.write_bytes(content)
    config = tiny.write_config(folder, tiny.cheap_config(folder / "speech", shard_seconds=60))
    tiny.run_here(config, folder / "workspace")
    return folder / "workspace"


def _name_of(path: str) -> str:
    return f"{path.replace('.', '_', 1)}/{Path(path).stem}"


def test_a_file_is_whole(workspace: Path) -> None:
    """Every second of audio that lies in a file is in its utterance, and the row is ok."""
    (table,) = workspace.glob("tables/ingest-*/*.parquet")
    held = {
        row["id"].removeprefix("clips/"): sum(part["probe"]["duration_s"] for part in row["segments"])
        for row in pq.read_table(table).to_pylist()
    }

    durations = {name: held[_name_of(name)] for name in _whole()}

    assert durations == {
        name: pytest.approx(sentences * SECONDS, abs=0.03) for name, (_, sentences) in _whole().items()
    }


def test_a_part_has_a_reason(workspace: Path) -> None:
    """What cannot be had whole is unfit, and its row says what is wrong in words that are true."""
    outcomes, said = rows.outcomes(workspace, "ingest"), rows.details(workspace, "ingest")

    for name, (_, words) in _partial().items():
        assert outcomes[_name_of(name)] == "unfit/unreadable"
        assert words in (said[_name_of(name)] or "")


def test_length_is_known_before_decoding(workspace: Path) -> None:
    """What `plan` says of these files is what is in them: no header is believed against the file."""
    sources = {source.name: source for source in listed(workspace.parent / "speech")}

    estimates = {
        name: estimate_duration_s(sources[f"{name.replace('.', '_', 1)}/{name}"]) for name in _whole()
    }

    assert estimates == {
        name: pytest.approx(sentences * SECONDS, abs=0.2) for name, (_, sentences) in _whole().items()
    }


def test_hostile_headers_are_measured_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Estimating prints nothing, whatever a header says, and gives no more seconds than bytes can hold."""
    for name, (content, _) in _whole().items():
        for place in range(0, 64, 4):
            (tmp_path / name).write_bytes(_with_bytes(content, place, b"\x7f\xff\xff\xfe"))

            (source,) = listed(tmp_path / name)

            assert 0.0 < estimate_duration_s(source) <= max(1.0, len(content) / 100)
    assert capfd.readouterr() == ("", "")
