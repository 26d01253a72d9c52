"""The dataset opens with the lines that the run itself prints."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.dataset.card import lines_for
from tests.support import tiny

AFTER = """
print("LOADED", len(pairs), sorted(n for n, f in pairs.features.items() if type(f).__name__ == "Audio"))
"""
COUNT_SPLITS = """
from datasets import load_dataset

dataset = load_dataset("{path}")
print(sorted(dataset), sorted(split for split in dataset if len(dataset[split])))
"""
SHARE_OUT = """
from datasets import load_dataset
from torch.utils.data import DataLoader

path = "{path}"
key = dict(pairs="pair_id", candidates="candidate_id", scores="candidate_id")
for table, name in key.items():
    alone = [load_dataset(path, table, split=split)[name] for split in ("train", "validation")]
    both = load_dataset(path, table, split="train+validation")
    assert list(both[name]) == [*alone[0], *alone[1]], table
    shares = [list(both.shard(num_shards=3, index=index)[name]) for index in range(3)]
    assert sum(shares, []) == list(both[name]), table
    stream = load_dataset(path, table, split="train", streaming=True).reshard().select_columns([name])
    for workers in (0, 2):
        rows = list(DataLoader(stream, batch_size=None, num_workers=workers))
        assert sorted(row[name] for row in rows) == sorted(alone[0]), (table, workers)
    parts = [stream.shard(stream.num_shards, index) for index in range(stream.num_shards)]
    assert [row[name] for part in parts for row in part] == list(alone[0]), table
    print(table, len(both), stream.num_shards)
"""
SPLITS = {"train": 0.5, "validation": 0.25, "test": 0.25}


def _load_lines(printed: str) -> str:
    """Return the lines that follow ``load it with:``."""
    _, _, after = printed.partition("load it with:\n")
    return "\n".join(line.removeprefix("    ") for line in after.splitlines())


def _python(source: str, cache: Path) -> str:
    """Execute ``source`` in a process of its own that has no network and cannot import torchcodec."""
    blocked = "import sys\nsys.modules['torchcodec'] = None\n"
    environment = {**tiny.environment(), "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", blocked + source],
        env=environment,
        cwd=cache.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_printed_lines_load_the_dataset(finished: tiny.Finished, tmp_path: Path) -> None:
    """Copied from the run's output, without torchcodec and without network, they give audio."""
    printed = tiny.run(finished.config, finished.workspace).stdout
    more = '\nassert chosen.shape == (round(1.6 * 16000),) and sample_rate == 16000, "audio"\n'

    loaded = _python(_load_lines(printed) + more + AFTER, tmp_path / "cache")

    assert f"LOADED {_num_rows(finished.workspace)} ['chosen', 'clean', 'degraded', 'rejected']" in loaded


def _num_rows(workspace: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in workspace.glob("dataset/pairs/*.parquet"))


def test_a_run_without_any_pair_still_loads(finished: tiny.Finished, tmp_path: Path) -> None:
    """No unanimous pair is an answer, and the answer has all columns."""
    impossible = [
        {"metric": name, "margin": 1e6} for name in ("multi_resolution_stft", "estoi", "spectral_envelope")
    ]
    preference = {"criteria": impossible, "uncovered": ["perceptual_quality"]}
    config = tiny.write_config(finished.folder, finished.settings(preference=preference))

    tiny.run(config, finished.workspace, "--executor", "local")

    lines = lines_for(str(finished.workspace / "dataset"), {"train": 0})
    lines += AFTER.replace("len(pairs)", "len(list(pairs))")
    assert "LOADED 0 ['chosen', 'clean', 'degraded', 'rejected']" in _python(lines, tmp_path / "cache")


@pytest.fixture(scope="module")
def with_splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workspace of a run over eight speakers, with noise for every side."""
    tmp_path = tmp_path_factory.mktemp("splits")
    for number in range(8):
        tiny.write_clip(tmp_path / "speech" / f"speaker{number}" / "clip.wav", number, 1.6)
        tiny.write_clip(tmp_path / "speech" / f"speaker{number}" / "other.wav", number + 8, 1.6)
    settings = tiny.cheap_config(
        tmp_path / "speech",
        shard_seconds=60,
        speech=[{"name": "clips", "path": str(tmp_path / "speech"), "speaker": "parent_folder"}],
        ingest={"sample_rate": 16000, "splits": SPLITS},
        pools={"noise": [{"synthesise": ["white", "pink", "hum", "fan"], "count": 4, "duration_s": 2}]},
        restorers=[{"kind": "identity"}, {"kind": "spectral_gate", "takes": 3}],
        export={"row_group_megabytes": 1},
    )
    tiny.run_here(tiny.write_config(tmp_path, settings), tmp_path / "workspace")
    return tmp_path / "workspace"


def test_splits_add_up_and_can_be_shared_out(with_splits: Path, tmp_path: Path) -> None:
    """Two splits as one, parts of one, streams with several workers: every row once, whichever the table."""
    source = SHARE_OUT.format(path=with_splits / "dataset")

    said = _python(source, tmp_path / "cache").split()

    assert said[::3] == ["pairs", "candidates", "scores"]
    assert all(int(rows) > 0 for rows in said[1::3])
    assert int(said[2]) > 1  # a stream of one part would have left a worker without any


def test_all_splits_load_and_share_nothing(with_splits: Path, tmp_path: Path) -> None:
    """Train, validation and test are there, and no speaker and no noise is on two sides."""
    source = COUNT_SPLITS.format(path=with_splits / "dataset")
    everywhere = "['test', 'train', 'validation']"
    assert f"{everywhere} {everywhere}" in _python(source, tmp_path / "cache")
    recipes = _recipes(with_splits)
    assert _is_on_one_side((recipe["speaker"], recipe["split"]) for recipe in recipes)
    noises = [(s["digest"], recipe["split"]) for recipe in recipes for s in recipe["sources"]]
    assert noises
    assert _is_on_one_side(noises)


def _recipes(workspace: Path) -> list[Mapping[str, Any]]:
    return [row for path in workspace.glob("tables/plan-*/*") for row in pq.read_table(path).to_pylist()]


def _is_on_one_side(placed: Any) -> bool:
    sides: dict[str, set[str]] = {}
    for name, split in placed:
        sides.setdefault(json.dumps(name), set()).add(split)
    return all(len(found) == 1 for found in sides.values())
