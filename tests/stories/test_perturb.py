"""Perturbed negatives: the chosen side, damaged on purpose, apart from all other pairs and marked as such."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from pipeline.config.damage import resolve_damage
from pipeline.dpo import PairStream
from schemas import ConfigError, UserError
from stages.audio.flac import decode_flac_bytes
from stages.audio.loudness import active_level_db
from tests.support.in_process import typed_here

CLIPPED = "chain: [{kind: clipping, threshold: null, clipped_fraction: {uniform: [0.2, 0.4]}}]"


def _write_damage(folder: Path, text: str = CLIPPED) -> Path:
    path = folder / "damage.yaml"
    path.write_text(text)
    return path


def _rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / "pairs").to_pylist()
    return found


def _level_db(cell: dict[str, Any]) -> float:
    waveform = decode_flac_bytes(cell["bytes"])
    return active_level_db(waveform.samples, waveform.sample_rate)


def _perturb(undisturbed: Path, out: Path, *words: str | Path, damage: str = CLIPPED) -> str:
    """Perturb the dataset of the tiny run, and return what is printed."""
    file = _write_damage(out.parent, damage)
    return typed_here(
        "perturb", undisturbed / "workspace" / "dataset", "--damage", file, "--out", out, *words
    )


def test_the_rejected_side_is_the_chosen_one_damaged(undisturbed: Path, tmp_path: Path) -> None:
    """One for each recording that was chosen, as loud as that, with all that was done; and it trains."""
    pairs = _rows(undisturbed / "workspace" / "dataset")

    printed = _perturb(undisturbed, tmp_path / "out")

    rows = _rows(tmp_path / "out")
    by_name = {pair["pair_id"]: pair for pair in pairs}
    assert len(rows) == len({(pair["degraded_id"], pair["chosen_digest"]) for pair in pairs}) > 1
    assert printed.startswith(f"{len(rows)} pairs in ")
    for row in rows:
        pair = by_name[row["of_pair"]]
        assert {row[side]["bytes"] for side in ("chosen", "clean")} == {
            pair[side]["bytes"] for side in ("chosen", "clean")
        }
        assert row["rejected_digest"] not in {row["chosen_digest"], pair["rejected_digest"]}
        assert _level_db(row["rejected"]) == pytest.approx(_level_db(row["chosen"]), abs=0.1)
        (step,) = row["perturbation"]
        assert 0.2 <= json.loads(step["params"])["clipped_fraction"] <= 0.4
    assert {row["origin"] for row in rows} == {"perturbed"}
    assert len({json.loads(row["perturbation"][0]["params"])["clipped_fraction"] for row in rows}) == len(
        rows
    )
    stream = PairStream(tmp_path / "out", sample_rate=16_000)
    assert {example.pair_id for example in stream} == {row["pair_id"] for row in rows}
    loaded = load_dataset(str(tmp_path / "out"), split="train")
    assert loaded.features["rejected"].sampling_rate is None
    assert set(loaded["origin"]) == {"perturbed"}


def test_the_same_seed_gives_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    """And another one another damage."""
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        _perturb(undisturbed, tmp_path / name, "--seed", seed)

    (a, b, c) = (next((tmp_path / name / "pairs").iterdir()).read_bytes() for name in "abc")
    assert a == b != c


def test_a_panel_has_to_hear_the_damage(undisturbed: Path, tmp_path: Path) -> None:
    """Its scores are those of the run, to the bit; what not every vote hears is left out, with the reason."""
    panel = undisturbed / "tiny.yaml"
    pairs = {pair["pair_id"]: pair for pair in _rows(undisturbed / "workspace" / "dataset")}

    heard = _perturb(undisturbed, tmp_path / "heard", "--panel", panel)
    mild = "chain: [{kind: clipping, threshold: null, clipped_fraction: 0.0001}]"
    unheard = _perturb(undisturbed, tmp_path / "unheard", "--panel", panel, damage=mild)

    rows = _rows(tmp_path / "heard")
    names = ("multi_resolution_stft", "estoi", "spectral_envelope")
    assert rows, heard
    for row in rows:
        assert [row[f"chosen_{name}"] for name in names] == [
            pairs[row["of_pair"]][f"chosen_{name}"] for name in names
        ]
        assert all(row[f"margin_{name}"] > 0 for name in names)
        assert math.isfinite(row["strength"])
    left_out = sum(int(line.split()[2]) for line in unheard.splitlines() if line.startswith("left out"))
    assert not _rows(tmp_path / "unheard")
    assert left_out == len({(pair["degraded_id"], pair["chosen_digest"]) for pair in pairs.values()})
    assert "does not hear the damage" in unheard


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chain: [{kind: noise, snr_db: 5}]", r"damage\.yaml:1:.*chain\.0.*draws from the pool 'noise'"),
        ("chain: [{kind: cliping}]", r"damage\.yaml:1:.*chain\.0\.kind.*cliping.*clipping"),
        ("chain: []", r"damage\.yaml.*chain"),
        ("chains: [{kind: clipping}]", r"damage\.yaml.*chains"),
    ],
)
def test_a_chain_that_cannot_damage_recordings_is_a_mistake(text: str, message: str, tmp_path: Path) -> None:
    """With its place in the file."""
    with pytest.raises(ConfigError, match=message):
        resolve_damage(_write_damage(tmp_path, text))


def test_nothing_is_written_over(undisturbed: Path, tmp_path: Path) -> None:
    """A folder that is there stays as it is."""
    (tmp_path / "out").mkdir()

    with pytest.raises(UserError, match="is there already; choose another --out"):
        _perturb(undisturbed, tmp_path / "out")
