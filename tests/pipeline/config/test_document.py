"""What a YAML file remembers of itself, and which files are refused."""

from pathlib import Path

import pytest

from pipeline.config.document import Document, load_document, override
from schemas import ConfigError

TEXT = """\
name: small
speech:
  - path: a
    name: b
  - {path: c}
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """Return a loaded file."""
    path = tmp_path / "a.yaml"
    path.write_text(TEXT)
    return load_document(path)


def test_knows_where_everything_stands(document: Document) -> None:
    """Keys by their own place, items by that of their contents."""
    locations = [("name",), ("speech",), ("speech", 0), ("speech", 0, "name"), ("speech", 1, "path")]

    places = [document.position(location).rpartition("a.yaml:")[2] for location in locations]

    assert places == ["1:1", "2:1", "3:5", "4:5", "5:6"]


def test_what_is_missing_is_placed_where_it_should_be(document: Document) -> None:
    """The closest part that is there is named; the top of the file if none is."""
    assert document.position(("speech", 1, "name")).endswith("a.yaml:5:5")
    assert document.position(("metrics",)).endswith("a.yaml:1:1")


def test_what_an_option_gave_is_placed_at_the_option(document: Document) -> None:
    """With all that is in it, though the file had something there too."""
    override(document, "speech=[{path: d}]")

    assert document.data["speech"] == [{"path": "d"}]
    assert document.position(("speech", 0, "path")) == "--set speech=[{path: d}]"
    assert document.position(("name",)).endswith("a.yaml:1:1")


def test_an_option_can_add(document: Document) -> None:
    """A new item at the end of a list, a new mapping on the way."""
    override(document, "speech.2={path: d}")
    override(document, "ingest.splits.train=1.0")

    assert document.data["speech"][2] == {"path": "d"}
    assert document.data["ingest"] == {"splits": {"train": 1.0}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3:1: the key 'a' is given twice"),
        ("a:\n  - {b: 1, b: 2}\n", ":2:12: the key 'b' is given twice"),
        ("a: 1\n\tb: 2\n", ":2:1: found character '\\t' that cannot start any token"),
        ("a:\n  b: 1\n c: 2\n", ":3:2: expected <block end>, but found '<block mapping start>'"),
        ("a: [1, 2\nb: 3\n", ":2:2: expected ',' or ']', but got ':'"),
        ("a: !!python/object:os.system {}\n", ":1:4: could not determine a constructor for the tag"),
        ("a: !!python/object/apply:os.getcwd []\n", ":1:4: could not determine a constructor for the tag"),
        ("a: 1\n--- \nb: 2\n", ":2:1: expected a single document in the stream, but found another document"),
        ("[1, 2]: 3\n", ":1:1: a key is a word, not a list or a mapping"),
        ("a: &a\n  - *a\n", ":1:4: this alias stands for something that it is a part of"),
        ("a: *b\n", ":1:4: found undefined alias 'b'"),
        ("a: \x00\n", ": unacceptable character #x0000"),
    ],
)
def test_refuses_what_is_not_plain_yaml(text: str, said: str, tmp_path: Path) -> None:
    """With the place, and without executing anything."""
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as refused:
        load_document(path)

    assert str(refused.value).startswith(f"{path}{said}")


def test_refuses_what_is_not_text(tmp_path: Path) -> None:
    """Such as audio that was taken for a config."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"RIFF\xff\xfe")

    with pytest.raises(ConfigError, match="not UTF-8 at byte 4"):
        load_document(path)


def test_refuses_a_folder(tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_document(tmp_path)
