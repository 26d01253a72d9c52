"""Manifests as spreadsheets and other programs write them."""

import os
from pathlib import Path

import pytest

from pipeline.sources.corpora import Corpus, list_sources
from schemas import ConfigError


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_cells_that_other_signs_separate(separator: str, tmp_path: Path) -> None:
    """The sign is named, rather than a column that looks like two."""
    manifest = tmp_path / "list.csv"
    manifest.write_text(f"path{separator}speaker\na.wav{separator}x\n")

    with pytest.raises(ConfigError) as refused:
        list_sources([Corpus(name="list", path=str(manifest))])

    assert str(refused.value).endswith(f"; cells are separated by ',', not by {separator!r}")


@pytest.mark.parametrize(("name", "text"), [("list.csv", "path,speaker\n"), ("list.jsonl", "\n")])
def test_a_manifest_without_lines(name: str, text: str, tmp_path: Path) -> None:
    """No audio was looked for, and none is spoken of."""
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=r"the manifest .* lists no recordings$"):
        list_sources([Corpus(name="list", path=str(tmp_path / name))])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("list.jsonl", '{"path": "\\ud800.wav"}\n', r"line 1: 'path' must be text, got '\\ud800.wav'$"),
        ("list.csv", "path,id,path\na.wav,a,b.wav\n", "line 1: the column 'path' is there twice"),
    ],
)
def test_what_would_be_misread(name: str, text: str, said: str, tmp_path: Path) -> None:
    """Half a sign, which nothing can store, and two cells for one thing."""
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=said):
        list_sources([Corpus(name="list", path=str(tmp_path / name))])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_nobody_may_look_into(tmp_path: Path) -> None:
    """The folder is named, and not a file that may be in it."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)

    with pytest.raises(ConfigError, match=r"cannot list the folder .*closed: Permission denied"):
        list_sources([Corpus(name="list", path=str(closed))])
