"""What the listing of a manifest promises: its columns, its order, its mistakes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.sources.audio import estimate_duration_s
from schemas import ConfigError
from tests.support.small_corpora import listed, put


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a manifest beside ``a.wav``, with the ending of its name."""
    put(tmp_path / "a.wav")

    def write(text: str, suffix: str = ".csv") -> Path:
        return put(tmp_path / f"manifest{suffix}", text.encode())

    return write


@pytest.mark.parametrize("row", ["missing.wav", "folder.wav", "a\0b.wav", ".", "x" * 300 + ".wav"])
def test_a_manifest_may_name_what_cannot_be_read(
    row: str, manifest: Callable[..., Path], tmp_path: Path
) -> None:
    """A missing file, a folder, an impossible name: sources without content, beside those that work."""
    (tmp_path / "folder.wav").mkdir()
    lines = [json.dumps({"path": path}) for path in (row, "a.wav")]

    unreadable, readable = listed(manifest("\n".join(lines), ".jsonl"))

    assert unreadable.content == ""
    assert readable.content


def test_a_manifest_says_what_is_known(manifest: Callable[..., Path], tmp_path: Path) -> None:
    """Its columns come before the defaults of the corpus; an empty cell says nothing."""
    text = 'path,id,speaker,transcript,language,licence,offset,duration\na.wav,u1,ann,"Yes, no",de,,1.5,2\n'

    (source,) = listed(manifest(text), language="en", licence="CC0-1.0")

    assert (source.id, source.speaker, source.transcript) == ("c/u1", "ann", "Yes, no")
    assert (source.language, source.licence) == ("de", "CC0-1.0")
    assert (source.offset_s, source.duration_s) == (1.5, 2.0)
    assert source.path == str(tmp_path / "a.wav")


def test_a_manifest_keeps_its_order_and_names_stretches(manifest: Callable[..., Path]) -> None:
    """Stretches of one file have ids of their own and one name, so they stay on one side of a split."""
    sources = listed(manifest("path,offset\na.wav,9.25\na.wav,0\n"))

    assert [source.id for source in sources] == ["c/a@9.25", "c/a@0.0"]
    assert {source.name for source in sources} == {"a.wav"}


def test_a_jsonl_manifest_reads_the_same(manifest: Callable[..., Path]) -> None:
    """A byte order mark, empty lines, numbers as ids and nulls are fine."""
    text = '\ufeff{"path": "a.wav", "id": 7, "offset": 1}\n\n{"path": "a.wav", "speaker": null}\n'

    sources = listed(manifest(text, ".jsonl"))

    assert [(source.id, source.offset_s) for source in sources] == [("c/7", 1.0), ("c/a", 0.0)]


@pytest.mark.parametrize(
    ("text", "suffix", "message"),
    [
        ("path,speeker\na.wav,x\n", ".csv", "line 1: unknown column 'speeker'; did you mean 'speaker'"),
        ("file\na.wav\n", ".csv", "unknown column 'file'"),
        ("id\nx\n", ".csv", "line 1: there is no column 'path'; found: id"),
        ("", ".csv", "there is no column 'path'; found: nothing"),
        ("path,offset\na.wav,soon\n", ".csv", "line 2: 'offset' must be a number of seconds.* got 'soon'"),
        ("path,offset\na.wav,nan\n", ".csv", "line 2: 'offset' must be .* got 'nan'"),
        ("path,offset\na.wav,-1\n", ".csv", "line 2: 'offset' must be .* 0 or more, got '-1'"),
        ("path,duration\na.wav,0\n", ".csv", "line 2: 'duration' must be .* more than 0, got '0'"),
        ("path,speaker\na.wav,x,y\n", ".csv", r"line 2: more cells than columns: \['y'\]"),
        ("path,speaker\n,x\n", ".csv", "line 2: 'path' is empty"),
        ('path\n"a.wav\n', ".csv", "line 2: not CSV"),
        ('{"path": "a.wav"}\n{"path": \n', ".jsonl", "line 2: not JSON"),
        ('["a.wav"]\n', ".jsonl", "line 1: expected an object"),
        ('{"path": "a.wav", "transcipt": "x"}\n', ".jsonl", "line 1: .* did you mean 'transcript'"),
        ('{"id": "x"}\n', ".jsonl", "line 1: there is no column 'path'"),
        ('{"path": 3}\n', ".jsonl", "line 1: 'path' must be text, got 3"),
        ('{"path": "a.wav", "duration": true}\n', ".jsonl", "line 1: 'duration' must be .* got True"),
    ],
)
def test_a_mistake_in_a_manifest_is_named(
    text: str, suffix: str, message: str, manifest: Callable[..., Path]
) -> None:
    """File, line, column and value stand in the message."""
    with pytest.raises(ConfigError, match=f"manifest{suffix}.*{message}"):
        listed(manifest(text, suffix))


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Guessing an encoding would spoil transcripts."""
    path = put(tmp_path / "m.csv", "path,transcript\na.wav,größer\n".encode("latin-1"))

    with pytest.raises(ConfigError, match="not UTF-8"):
        listed(path)


def test_the_estimate_is_of_the_stretch(manifest: Callable[..., Path]) -> None:
    """Offset and duration are taken off, as far as the file reaches."""
    rest, piece, beyond = listed(manifest("path,offset,duration\na.wav,0.2,\na.wav,0.1,0.1\na.wav,0.4,9\n"))

    assert estimate_duration_s(rest) == pytest.approx(0.3)
    assert estimate_duration_s(piece) == pytest.approx(0.1)
    assert estimate_duration_s(beyond) == pytest.approx(0.1)
