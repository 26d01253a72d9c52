"""Sides of the split that a pool has nothing on are said before anything runs."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.store.workspace import Workspace
from pipeline.tables.empty_pools import empty_pool_warnings
from pipeline.tables.graph import assemble
from tests.support.command_line import written
from tests.support.forked_commands import typed
from tests.support.small_config import resolved

HALVES = {"sample_rate": 16_000, "splits": {"train": 0.5, "test": 0.5}}


def hisses(folder: Path, number: int) -> str:
    """Write as many recordings, no two the same, and return the folder."""
    folder.mkdir()
    for place in range(number):
        hiss = 0.1 * np.random.default_rng(place).standard_normal(8_000)
        soundfile.write(folder / f"{place}.wav", hiss, 16_000)
    return str(folder)


def warnings(tmp_path: Path, **changes: Any) -> list[str]:
    """Return what is said of twelve recordings of speech, on either side, and a changed config."""
    speech = tmp_path / "speech"
    if not speech.exists():
        hisses(speech, 12)
    corpora = [{"name": "own", "path": str(speech)}]
    run = resolved(tmp_path, speech=corpora, **changes)
    return list(empty_pool_warnings(assemble(run, Workspace(tmp_path / "workspace"), keep=False)))


def test_a_pool_of_one_recording_is_on_one_side(tmp_path: Path) -> None:
    """The other one is named, and how much speech is there."""
    one = [{"path": hisses(tmp_path / "one", 1)}]

    (said,) = warnings(tmp_path, pools={"noise": one}, ingest=HALVES)

    assert said.startswith("warning: pool 'noise' has nothing on the t")
    assert "of 12 recordings of speech are" in said


def test_pools_on_both_sides_need_no_words(tmp_path: Path) -> None:
    """Nor does a single side; parts of a pool count together."""
    parts = [{"path": hisses(tmp_path / "many", 12)}, {"synthesise": ["white"]}]

    assert warnings(tmp_path, pools={"noise": parts}, ingest=HALVES) == []
    assert warnings(tmp_path, pools={"noise": parts[1:]}) == []


def test_made_pools_have_sides_too(tmp_path: Path) -> None:
    """One room is on one side; of forty some are on either."""
    chain = [{"kind": "reverb"}]

    for number, lines in ((1, 1), (40, 0)):
        pools = {"rir": [{"rooms": number}]}
        said = warnings(tmp_path, pools=pools, ingest=HALVES, degradations={"chain": chain})
        assert len(said) == lines


def test_plan_says_so(tmp_path: Path) -> None:
    """Before anything runs."""
    changes = {
        "pools": {"noise": [{"synthesise": ["white"]}]},
        "degradations": {"chain": [{"kind": "noise"}]},
    }
    config = written(tmp_path, ingest=HALVES, **changes)
    hisses(tmp_path / "own", 12)

    planned = typed("plan", config, "--speech", tmp_path / "own", "--workspace", tmp_path / "new")

    assert planned.returncode == 0, planned.stderr
    assert "warning: pool 'noise' has nothing on the " in planned.stdout
