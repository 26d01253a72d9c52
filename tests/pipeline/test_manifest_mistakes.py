"""Manifests as spreadsheets and other programs write them."""

from pathlib import Path

import pytest

from pipeline.sources import Corpus, list_sources
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
