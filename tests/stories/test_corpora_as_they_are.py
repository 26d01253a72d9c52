"""Corpora as people have them: what was known of them is said, what was not is not made up."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.cli.commands.doctor import check_sources
from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import SPEECH, Inventory
from tests.support import tiny
from tests.support.forked_commands import typed
from tests.support.in_process import run_here

SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}


@pytest.fixture(autouse=True)
def _without_progress_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def _config(folder: Path, speech: dict[str, Any], **changes: Any) -> Path:
    """Write a config of one corpus called "v" into ``folder``."""
    settings = tiny.cheap_config(folder, speech=[{"name": "v", **speech}], **changes)
    return tiny.write_config(folder, settings)


def _voices(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        tiny.write_clip(folder / f"{name}.wav", number, 1.2)
    return folder


def _ingested(workspace: Path) -> list[dict[str, Any]]:
    """Return the rows of the sources that the last run has listed."""
    inventory = Inventory.read(Workspace(workspace).inventory)
    assert inventory is not None
    (folder,) = (table.folder for table in inventory.tables if table.name == "ingest")
    columns = ["id", "status", "reason", "language", "speaker"]
    shards = [workspace / "tables" / folder / f"{shard}.parquet" for shard in inventory.shards[SPEECH]]
    return [row for shard in shards for row in pq.read_table(shard, columns=columns).to_pylist()]


def _planned(config: Path) -> tuple[int | None, str]:
    """Return how ``plan`` ends, and all that it says."""
    done = typed("plan", config, "--workspace", config.parent / "w")
    return done.returncode, done.stdout + done.stderr


def _save_splits(folder: Path) -> None:
    """Save a dataset of two splits: ids twice, classes by number, a speaker missing, noisy audio first."""
    clean = _voices(folder / "clips", "a", "b")
    cells = [{"bytes": (clean / f"{name}.wav").read_bytes(), "path": None} for name in ("a", "b")]
    said = zip(("train", "test"), cells, ((0, 7.0), (1, float("nan"))), strict=True)
    splits = {}
    for name, cell, (label, speaker) in said:
        held = {"id": [0], "language": [label], "speaker_id": [speaker]}
        held |= {"noisy": [{"bytes": b"no audio", "path": None}], "clean": [cell]}
        split = datasets.Dataset.from_dict(held).cast_column("noisy", datasets.Audio())
        split = split.cast_column("clean", datasets.Audio())
        splits[name] = split.cast_column("language", datasets.ClassLabel(names=["de", "en"]))
    datasets.DatasetDict(splits).save_to_disk(str(folder / "saved"))


def test_a_saved_dataset_in_a_folder_with_brackets_and_a_terminal_of_ascii(tmp_path: Path) -> None:
    """The named column, names of classes, ids with their split, nobody called nan, and no traceback."""
    folder = tmp_path / "[v1] corpus"
    _save_splits(folder)
    _voices(folder / "voices", "right")
    _voices(tmp_path / "v corpus" / "voices", "wrong")
    speech = [
        {"name": "saved", "path": "saved", "audio": "clean"},
        {"name": "found", "path": "voices/*.wav"},
    ]
    config = tiny.write_config(
        folder, tiny.cheap_config(folder, speech=speech, shard_seconds=9, description="é→")
    )
    ascii_only = {**tiny.environment(), "PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C"}

    ran = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", config, "--workspace", folder / "w", "--executor", "local"],
        cwd=tiny.ROOT,
        env=ascii_only,
        capture_output=True,
        timeout=300,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert b"\\xe9\\u2192" in ran.stdout
    found = {row["id"]: (row["language"], row["speaker"]) for row in _ingested(folder / "w")}
    assert found == {
        "saved/train/0": ("de", "7"),
        "saved/test/0": ("en", None),
        "found/right": (None, None),
    }
    assert {row["status"] for row in _ingested(folder / "w")} == {"ok"}
    assert (folder / "w" / "report.html").is_file()


def test_two_audio_columns_and_none_is_named(tmp_path: Path) -> None:
    """The place in the config, and the columns to choose from."""
    _save_splits(tmp_path)

    unnamed = _planned(_config(tmp_path, {"path": "saved"}))
    misnamed = _planned(_config(tmp_path, {"path": "saved", "audio": "cleann"}))
    elsewhere = _planned(_config(tmp_path, {"path": "clips", "audio": "clean"}))

    assert unnamed[0] == misnamed[0] == elsewhere[0] == 2
    assert "tiny.yaml:5:3: speech.0.path: 2 columns are Audio: noisy, clean; 'audio: COLUMN'" in unnamed[1]
    assert "speech.0.audio: no column 'cleann' is Audio; those that are: noisy, clean" in misnamed[1]
    assert "speech.0.audio: a column of a dataset saved on disk" in elsewhere[1]


def test_a_quote_that_swallows_lines(tmp_path: Path) -> None:
    """The line that opens it is named; no line is lost in silence."""
    _voices(tmp_path, "0", "1", "2")
    (tmp_path / "m.csv").write_text('path,transcript\n0.wav,"Oh no\n1.wav,fine\n2.wav,so he said"\n')

    code, said = _planned(_config(tmp_path, {"path": "m.csv"}))

    assert code == 2
    assert "m.csv, line 2: a quote opens here and takes in '1.wav,fine'" in said


def test_paths_that_start_from_elsewhere(tmp_path: Path) -> None:
    """Every command says where it looked, and where the recordings are."""
    _voices(tmp_path / "voices", "0", "1")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "m.csv").write_text("path\nvoices/0.wav\nvoices/1.wav\n")
    config = _config(tmp_path, {"path": "lists/m.csv"})
    looked = "none of 2 recordings can be read where the paths point; the first is looked for at "

    ends = [
        typed("plan", config, "-w", tmp_path / "w"),
        typed("doctor", config),
        typed("run", config, "-w", tmp_path / "w", "--executor", "local"),
    ]

    assert [end.returncode for end in ends] == [2, 2, 2]
    assert all(f"{looked}{tmp_path}/lists/voices/0.wav" in end.stdout + end.stderr for end in ends)
    assert "write ../voices/0.wav" in ends[0].stderr


def test_some_that_are_not_there_and_some_that_are_no_audio(tmp_path: Path) -> None:
    """``plan`` counts those that can be read, and ``doctor`` opens the first ones."""
    _voices(tmp_path, "b")
    (tmp_path / "a.wav").write_text("no audio")
    (tmp_path / "m.csv").write_text("path\na.wav\nb.wav\nc.wav\n")
    config = _config(tmp_path, {"path": "m.csv"})

    code, said = _planned(config)
    (speech, _) = check_sources(resolve(config))

    assert code == 0
    assert "about 2 utterances" in said
    assert "warning: corpus 'v': 1 of 3 recordings cannot be read where the paths point" in said
    assert f"the first is looked for at {tmp_path}/c.wav" in said
    assert speech.is_there
    after = f"after 1 recording cannot be decoded, {tmp_path}/a.wav: "
    assert f"the first is of 1 channel at 16000 Hz, {after}" in speech.detail


def test_everybody_is_one_speaker(tmp_path: Path) -> None:
    """Two sides of the split are empty: ``plan`` says so, and so does the funnel."""
    _voices(tmp_path / "voices", "book_0_reader_1", "book_1_reader_2")
    speech = {"path": "voices", "speaker": "stem_prefix"}
    config = _config(tmp_path, speech, ingest={"sample_rate": 16000, "splits": SPLITS})

    code, said = _planned(config)
    result = run_here(config, tmp_path / "w")

    assert code == 0
    assert "there are 2 recordings by 1 speaker ('v/book')" in said
    (utterances,) = (step for step in result.exported.funnel.steps if step.name == "utterances")
    assert sum("side of the split without speech" in why for why in utterances.lost) == 2


def test_noise_among_the_speech_and_files_that_are_not_taken(tmp_path: Path) -> None:
    """Recordings of a pool that are taken as clean speech are named, and suffixes that are not read."""
    _voices(tmp_path / "voices", "0", "1")
    hiss = 0.02 * np.random.default_rng(0).standard_normal(48_000)
    (tmp_path / "voices" / "noise").mkdir()
    soundfile.write(tmp_path / "voices" / "noise" / "hiss.wav", hiss, 16_000)
    (tmp_path / "voices" / "2.amb").write_bytes(b"speech")
    config = _config(tmp_path, {"path": "voices"}, pools={"noise": [{"path": "voices/noise"}]})

    code, said = _planned(config)

    assert code == 0
    assert "1 recording of pool 'noise' is taken as clean speech too ('v/noise/hiss')" in said
    assert "corpus 'v'; there are 1 .amb, which are not read" in said


def test_transcripts_of_recordings_that_are_split(tmp_path: Path) -> None:
    """How many there are, before and after."""
    clip, rate = soundfile.read(tiny.SPEECH / "speech-01.flac")
    pause = 1e-5 * np.ones(rate)
    soundfile.write(tmp_path / "long.wav", np.concatenate([clip[: 2 * rate], pause] * 3), rate)
    (tmp_path / "m.csv").write_text("path,transcript\nlong.wav,many words\n")
    config = _config(tmp_path, {"path": "m.csv"}, ingest={"sample_rate": 16000, "max_duration_s": 4})

    code, said = _planned(config)
    result = run_here(config, tmp_path / "w")

    assert code == 0
    assert "warning: 1 recording with a transcript would be split at pauses" in said
    (utterances,) = (step for step in result.exported.funnel.steps if step.name == "utterances")
    assert utterances.lost == {"transcripts left out: split at pauses": 1}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("parquet", "there are 1 .parquet, which are not read; Parquet is read once"),
        ("corp*", "corp*/** takes what"),
    ],
)
def test_places_without_recordings_have_a_way_out(path: str, said: str, tmp_path: Path) -> None:
    """A folder of Parquet, and a pattern that names folders."""
    _voices(tmp_path / "corpus-1", "0")
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / "train.parquet").write_bytes(b"PAR1")

    code, words = _planned(_config(tmp_path, {"path": path}))

    assert code == 2
    assert said in words


def test_a_file_that_changed_after_it_was_listed(tmp_path: Path) -> None:
    """Other audio never lies under the old digest: its row says that it changed, and can be tried again."""
    _voices(tmp_path / "voices", "0", "1")
    run_here(_config(tmp_path, {"path": "voices"}), tmp_path / "w")
    file = tmp_path / "voices" / "0.wav"
    known = file.stat()
    file.write_bytes(file.read_bytes()[:-2] + b"\1\2")
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))  # nothing can be seen from outside
    config = _config(tmp_path, {"path": "voices"}, ingest={"sample_rate": 16000, "min_duration_s": 0.5})

    run_here(config, tmp_path / "w")

    assert [row["reason"] for row in _ingested(tmp_path / "w")] == ["changed", None]
    workspace = Workspace(tmp_path / "w")
    execute(resolve(config), workspace, lambda *_: LocalExecutor(Worker(workspace)), "changed")
    assert [row["status"] for row in _ingested(tmp_path / "w")] == ["ok", "ok"]
