"""Copies in a corpus are said before anything is made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.sources.duplicates import duplicate_warnings, find_duplicates
from schemas import Source
from tests.support.command_line import written
from tests.support.forked_commands import typed


def _source(name: str, content: str, **fields: Any) -> Source:
    return Source(id=f"c/{name}", corpus="c", path=f"/{name}", name=name, content=content, **fields)


def test_the_same_bytes_under_two_names_are_copies() -> None:
    """Another stretch of a file is none, nor is what cannot be read or is refused for its id."""
    a, b = _source("a", "1" * 64), _source("b", "1" * 64)
    others = [
        _source("stretch", "1" * 64, offset_s=1.0),
        _source("other", "2" * 64),
        _source("x", ""),
        _source("y", ""),
        _source("b~2", "1" * 64, duplicate_of="c/b"),
    ]

    assert find_duplicates([a, *others, b]) == [["c/a", "c/b"]]
    assert find_duplicates(others) == []


def test_many_copies_are_counted_and_a_few_named() -> None:
    """Ten names of one recording are nine too many."""
    (said,) = duplicate_warnings([_source(str(number), "1" * 64) for number in range(10)])

    assert said.startswith(
        "warning: 9 recordings of the speech have the same bytes as another ('c/0' = 'c/1' = "
    )
    assert "'c/3'" not in said


def test_plan_warns_of_copies(tmp_path: Path) -> None:
    """Before anything runs."""
    config = written(tmp_path)
    (tmp_path / "own").mkdir()
    hiss = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    for name in ("one", "two"):
        soundfile.write(tmp_path / "own" / f"{name}.wav", hiss, 16_000)

    planned = typed("plan", config, "--speech", tmp_path / "own", "--workspace", tmp_path / "new")

    assert planned.returncode == 0, planned.stderr
    assert "1 recording of the speech has the same bytes as another ('own/one' = 'own/two')" in planned.stdout
