"""Every line of a manifest is a row, or a mistake with its place: none is lost on the way."""

from pathlib import Path

import pytest

from schemas import ConfigError
from tests.support.small_corpora import ids_of, listed, put


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'path,transcript\n0.wav,"Oh no\n1.wav,fine\n2.wav,so he said"\n',
            "line 2: a quote opens here and takes",
        ),
        (
            'path,transcript\n0.wav,fine\n1.wav,"Oh no\n2.wav\n"\n',
            "line 3: a quote opens here and takes in '2.wav'",
        ),
        ('path,transcript\n0.wav,"Oh no\n1.wav,"fine"\n', "line 2: not CSV: .* in the row that begins here"),
        (
            'path,transcript\n0.wav,"Oh no\n1.wav,fine\n',
            "line 2: not CSV: the quote that opens here is never",
        ),
        (
            'transcript,path\n"Oh no,0.wav\nfine"""\n',
            "line 2: a quote opens here and takes in 'fine\"'|line 2: fewer",
        ),
        ("path,transcript,speaker\n0.wav,fine\n", r"line 2: fewer cells than columns \(2 of 3\)"),
        ("path,speaker\n0.wav,a\npath,speaker\n1.wav,b\n", "line 3: the columns are named once more"),
        ("path,speaker,\n0.wav,a,\n", "line 1: a column without a name; does the line end with a comma"),
        ("path,speaker\n0.wav,a,\n", r"line 2: more cells than columns: \[''\]"),
        ("path,speaker\n0.wav,a\0b\n", "line 2: a NUL byte"),
        ("path\n0.wav\n\ufeffpath\n1.wav\n", "line 3: a byte order mark inside the file"),
        (" path\n0.wav\n", "line 1: unknown column ' path'; did you mean 'path'"),
        ("path,speaker\n  ,a\n", "line 2: 'path' is empty"),
    ],
)
def test_a_line_of_csv_that_would_be_lost(text: str, said: str, tmp_path: Path) -> None:
    """The message has the line at which it begins, be it the quote's that takes in the others."""
    manifest = put(tmp_path / "m.csv", text.encode())

    with pytest.raises(ConfigError, match=f"m.csv, {said}"):
        listed(manifest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"path": "0.wav"}\n{"path": "1.wav", "path": "2.wav"}\n', "line 2: the key 'path' is there twice"),
        ('{"path": "0.wav"}{"path": "1.wav"}\n', "line 1: not JSON: Extra data"),
        ('{"path": "0.wav", "speaker": true}\n', "line 1: 'speaker' must be text, got True"),
        ('{"path": "0.wav", "speaker": 7.5}\n', "line 1: 'speaker' must be text, got 7.5"),
        ('{"path": "0.wav", "speaker": ["a"]}\n', r"line 1: 'speaker' must be text, got \['a'\]"),
    ],
)
def test_a_line_of_jsonl_that_would_be_lost(text: str, said: str, tmp_path: Path) -> None:
    """A key twice, two rows in one line, and values whose text nobody knows."""
    manifest = put(tmp_path / "m.jsonl", text.encode())

    with pytest.raises(ConfigError, match=f"m.jsonl, {said}"):
        listed(manifest)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(end: str, tmp_path: Path) -> None:
    """Those of every system, with a byte order mark, a blank line, and none at the end of the file."""
    lines = ["\ufeffpath,speaker", "0.wav,a", "", "1.wav,b"]
    objects = ["\ufeff" + '{"path": "0.wav"}', "", '{"path": "1.wav"}']

    for name, rows in (("m.csv", lines), ("m.jsonl", objects)):
        assert ids_of(put(tmp_path / name, end.join(rows).encode())) == ["c/0", "c/1"]


def test_a_text_of_several_lines(tmp_path: Path) -> None:
    """A cell may hold line breaks, commas and quotes, as long as no line of it looks like a row."""
    text = 'transcript,path,speaker\n"Oh, no\nhe said ""no""\n\nand left",0.wav,a\nfine,1.wav,b\n'

    first, second = listed(put(tmp_path / "m.csv", text.encode()))

    assert first.transcript == 'Oh, no\nhe said "no"\n\nand left'
    assert (second.id, second.speaker) == ("c/1", "b")


def test_numbers_as_text(tmp_path: Path) -> None:
    """In a CSV they stand as they are written; in JSON 7 and 7.0 are one, and NaN is nothing."""
    written = put(tmp_path / "m.csv", b"path,speaker\n0.wav,007\n1.wav,7.0\n")
    numbers = put(
        tmp_path / "m.jsonl", b"".join(b'{"path": "a", "speaker": %s}\n' % n for n in (b"7", b"7.0", b"NaN"))
    )

    assert [source.speaker for source in listed(written)] == ["007", "7.0"]
    assert [source.speaker for source in listed(numbers)] == ["7", "7", None]
