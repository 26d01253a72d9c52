"""Views of a dataset, read as their consumers read them."""

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile

from stages.audio.flac import digest_of
from tests.support.forked_commands import typed


@pytest.fixture(scope="module")
def dataset(undisturbed: Path) -> Path:
    """Return the dataset of the tiny run."""
    return undisturbed / "workspace" / "dataset"


@pytest.fixture(scope="module")
def rows(dataset: Path) -> list[dict[str, Any]]:
    """Return its pairs."""
    found: list[dict[str, Any]] = pq.read_table(dataset / "pairs").to_pylist()
    return found


def view(dataset: Path, name: str, out: Path) -> Path:
    """Return the folder of a view, written as a user would."""
    done = typed("export", dataset, "--as", name, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_jsonl_has_every_pair_with_all_columns(
    dataset: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """In their order; audio as paths of files that hold the very same samples."""
    folder = view(dataset, "jsonl", tmp_path / "out")

    lines = lines_of(folder / "train.jsonl")
    assert [line["pair_id"] for line in lines] == [row["pair_id"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert line.keys() == {*row, "weight"}
        for side in ("degraded", "chosen", "rejected", "clean"):
            assert digest_of((folder / line[side]).read_bytes()) == digest_of(row[side]["bytes"])
        assert line["strength"] == row["strength"]


def test_a_selection_covers_more_with_as_many(
    dataset: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Half of the pairs; as many cells as there can be, and what they cover is said."""
    done = typed("export", dataset, "--as", "jsonl", "--out", tmp_path / "out", "--select", len(rows) // 2)

    lines = lines_of(tmp_path / "out" / "train.jsonl")
    assert len(lines) == len(rows) // 2
    assert sum(line["weight"] for line in lines) == pytest.approx(len(lines))
    assert f"of        {len(rows)} pairs of" in done.stdout
    assert f"selected  {len(lines)} pairs of" in done.stdout
    assert f"Selected: {len(lines)} pairs of" in (tmp_path / "out" / "README.md").read_text()


def test_nemo_has_chosen_and_rejected_by_turns(
    dataset: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """What MagpieTTSDatasetDPO asserts of lines 2 n and 2 n + 1, and the keys that it looks up."""
    folder = view(dataset, "nemo", tmp_path / "out")

    lines = lines_of(folder / "train_manifest.json")
    assert len(lines) // 2 == len(rows)
    for index, row in enumerate(rows):
        chosen, rejected = lines[index * 2], lines[index * 2 + 1]
        assert chosen["reward"] == 1.0
        assert 0.0 < rejected["reward"] < 1.0
        assert chosen["pair_id"] == rejected["pair_id"] == row["pair_id"]
        for line in (chosen, rejected):
            sound = soundfile.info(folder / line["audio_filepath"])
            assert sound.duration == pytest.approx(line["duration"])
            assert (folder / line["context_audio_filepath"]).is_file()
            assert isinstance(line["text"], str)
    by_strength = sorted(rows, key=lambda row: row["strength"])
    rewards = {line["pair_id"]: line["reward"] for line in lines if line["reward"] < 1.0}
    assert all(rewards[a["pair_id"]] >= rewards[b["pair_id"]] for a, b in pairwise(by_strength))


def test_espnet_has_samples_and_scores_under_one_key(dataset: Path, tmp_path: Path) -> None:
    """As ESPnet's script parses them: a key and a path, and a JSON object of the key and the score."""
    folder = view(dataset, "espnet", tmp_path / "out") / "train"
    candidates = pq.read_table(dataset / "candidates").to_pylist()
    restored = [row for row in candidates if row["kind"] == "restored" and row["audio"]]

    paths = dict(line.split() for line in (folder / "wav.scp").read_text().splitlines())
    samples = defaultdict(dict)
    for key, path in paths.items():
        samples[key.split("_sample")[0]][key] = path
    assert len(paths) == len(restored)
    assert (
        samples.keys()
        == dict(line.split(maxsplit=1) for line in (folder / "degraded.scp").read_text().splitlines()).keys()
    )
    for score in ("estoi", "spectral_envelope"):
        values = {line["key"]: line[score] for line in lines_of(folder / "scores" / f"{score}.txt")}
        assert values.keys() == paths.keys()
        by_digest = {row["digest"]: row[score] for row in restored}
        for key, path in paths.items():
            assert values[key] == by_digest[digest_of(Path(path).read_bytes())]


def test_kto_labels_what_only_won_or_only_lost(
    dataset: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Prompt, completion and label as TRL calls them; each recording once, and no label that is disputed."""
    folder = view(dataset, "kto", tmp_path / "out")

    won, lost = (
        {(row["degraded_id"], row[f"{side}_model"], row[f"{side}_take"]) for row in rows}
        for side in ("chosen", "rejected")
    )
    lines = lines_of(folder / "train.jsonl")
    assert sum(line["label"] for line in lines) == len(won - lost)
    assert sum(not line["label"] for line in lines) == len(lost - won)
    assert len({line["completion"] for line in lines}) == len(lines)
    assert all((folder / line[name]).is_file() for line in lines for name in ("prompt", "completion"))


def test_ranked_is_an_order_in_which_winners_stand_above(
    dataset: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Every pair agrees with the layers of its input, and nobody is in two of them."""
    folder = view(dataset, "ranked", tmp_path / "out")

    place = {}
    for line in lines_of(folder / "train.jsonl"):
        for number, layer in enumerate(line["layers"]):
            for candidate in layer:
                assert (folder / candidate["path"]).is_file()
                key = line["degraded_id"], candidate["model"], candidate["take"]
                assert key not in place
                place[key] = number
        assert line["is_total"] == all(len(layer) == 1 for layer in line["layers"])
    for row in rows:
        chosen, rejected = (
            place[row["degraded_id"], row[f"{side}_model"], row[f"{side}_take"]]
            for side in ("chosen", "rejected")
        )
        assert chosen < rejected


def test_views_say_what_they_cannot_do(dataset: Path, tmp_path: Path) -> None:
    """One line each, and nothing is written."""
    cases = {
        "there is no view 'kaldi'": ("--as", "kaldi", "--out", tmp_path / "out"),
        "--as needs --out": ("--as", "jsonl"),
        "is there already": ("--as", "jsonl", "--out", tmp_path),
        "--select needs --as": ("--select", 3),
        "'ranked' is of candidates": ("--as", "ranked", "--out", tmp_path / "out", "--select", 3),
    }
    for message, words in cases.items():
        done = typed("export", dataset, *words)
        assert done.returncode == 2
        assert message in done.stderr
    assert not list(tmp_path.iterdir())
