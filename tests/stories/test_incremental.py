"""What a change makes anew, and what stands: shown by which files are new."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support import operators, tiny

METRICS = ("multi_resolution_stft", "estoi", "spectral_envelope")
MODELS = ("identity", "spectral_gate")
SCORES = {f"score.{metric}.{model}" for metric in METRICS for model in MODELS}
RESTORES = {f"restore.{model}" for model in MODELS}
ALL_BUT_POOL = {"ingest", "plan", "degrade", "prefer", *RESTORES, *SCORES}


def _preference(*criteria: Any) -> dict[str, Any]:
    uncovered = ["perceptual_quality", "content_consistency", "timbre_preservation"]
    return {"criteria": list(criteria), "uncovered": uncovered[: 4 - len(criteria)]}


def test_a_finished_run_has_nothing_left_to_do(finished: tiny.Finished) -> None:
    """The same command again computes nothing, says so, and leaves the dataset alone."""
    dataset = finished.workspace / "dataset"
    before = dataset.stat().st_ino, (dataset / "README.md").stat().st_mtime_ns

    done = tiny.run(finished.config, finished.workspace)

    assert "nothing was left to do" in done.stdout
    assert "dashboard" not in done.stdout, "Ray was started for nothing"
    assert (dataset.stat().st_ino, (dataset / "README.md").stat().st_mtime_ns) == before


def test_a_margin_concerns_the_preferences_alone(finished: tiny.Finished) -> None:
    """Another margin makes new preferences and a new dataset."""
    strict = {"metric": "estoi", "margin": 0.2}

    again = finished.run_again(preference=_preference("multi_resolution_stft", strict, "spectral_envelope"))

    assert again.made == {"prefer"}
    assert again.result.computed == 2
    assert again.kept_tables
    dataset = "dataset/pairs/train-00000-of-00001.parquet"
    assert again.before[dataset] != again.after[dataset]


def test_one_vote_less_concerns_the_preferences_alone(finished: tiny.Finished) -> None:
    """What was measured stays, and stays in the dataset, when it no longer votes."""
    settings = {
        "criteria": ["multi_resolution_stft", "estoi"],
        "uncovered": ["perceptual_quality", "timbre_preservation"],
    }

    again = finished.run_again(preference=settings)

    assert again.made == {"prefer"}
    (file,) = finished.workspace.glob("dataset/pairs/*.parquet")
    assert "chosen_spectral_envelope" in pq.read_schema(file).names


def test_a_new_metric_is_scored_and_nothing_else(finished: tiny.Finished) -> None:
    """A diagnostic that does not vote changes no pair, but stands in the dataset."""
    metrics = [{"kind": kind} for kind in (*METRICS, "si_sdr")]

    again = finished.run_again(metrics=metrics)

    assert again.made == {f"score.si_sdr.{model}" for model in MODELS}
    (file,) = finished.workspace.glob("dataset/pairs/*.parquet")
    assert "margin_si_sdr" in pq.read_schema(file).names


def test_a_new_model_is_restored_and_scored(finished: tiny.Finished) -> None:
    """A model more: its candidates, their scores, and the preferences that now have more to choose from."""
    restorers = [{"kind": "identity"}, {"kind": "spectral_gate", "takes": 2}, {"kind": "wiener"}]

    again = finished.run_again(restorers=restorers)

    assert again.made == {"restore.wiener", "prefer", *(f"score.{metric}.wiener" for metric in METRICS)}
    assert again.kept_tables


def test_new_speech_gets_new_shards(finished: tiny.Finished) -> None:
    """Old shards stand, file for file, untouched even in their time of change."""
    old = {path: path.stat().st_mtime_ns for path in finished.workspace.glob("tables/*/*.parquet")}
    tiny.write_clip(finished.speech / "aa.wav", 4, 1.6)

    again = finished.run_again()

    assert again.made == ALL_BUT_POOL
    assert len(again.new_shards) == 1
    assert again.kept_tables
    assert old == {path: path.stat().st_mtime_ns for path in old}


def test_changed_content_concerns_its_shard(finished: tiny.Finished) -> None:
    """A file with other content makes its own shard anew, in all tables, and no other shard."""
    tiny.write_clip(finished.speech / "a.wav", 5, 1.6)

    again = finished.run_again()

    assert again.made == ALL_BUT_POOL
    assert [name.partition("-")[0] for name in again.new_shards] == ["00000"]


def test_a_touched_file_concerns_nothing(finished: tiny.Finished) -> None:
    """A file that was copied or touched, but says the same, is the same."""
    os.utime(finished.speech / "a.wav")

    again = finished.run_again()

    assert again.result.computed == 0
    assert again.before == again.after


def test_a_removed_file_concerns_its_shard(finished: tiny.Finished) -> None:
    """Without the clip its shard is smaller, and nothing of the clip is in the dataset."""
    (finished.speech / "d.wav").unlink()

    again = finished.run_again()

    assert again.made == ALL_BUT_POOL
    assert [name.partition("-")[0] for name in again.new_shards] == ["00001"]
    assert again.result.exported.funnel.count("sources") == 3


def test_another_range_is_planned_anew(finished: tiny.Finished) -> None:
    """From the plan on everything is new; what was decoded and the noise stand."""
    chain = [{"kind": "noise", "snr_db": {"uniform": [5, 15]}}]

    again = finished.run_again(degradations={"chain": chain})

    assert again.made == ALL_BUT_POOL - {"ingest"}


@pytest.mark.parametrize("change", [{"failure_budget": 0.5}, {"deadline_s": 60}, {"description": "Other."}])
def test_what_no_row_depends_on_makes_no_row(change: dict[str, Any], finished: tiny.Finished) -> None:
    """Budget, deadline and words change no table."""
    again = finished.run_again(**change)

    assert again.result.computed == 0
    assert again.made == set()


def test_who_does_the_work_is_in_no_table(finished: tiny.Finished) -> None:
    """Executor, workers and logging: the same command with others finds everything done."""
    options = ("--executor", "ray", "--workers", "2")

    done = tiny.run(finished.config, finished.workspace, *options)

    assert "nothing was left to do" in done.stdout


def _rows(workspace: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of the dataset, by pair."""
    tables = [pq.read_table(path) for path in sorted(workspace.glob("dataset/pairs/*.parquet"))]
    return {row["pair_id"]: row for table in tables for row in table.to_pylist()}


def test_a_grown_run_holds_the_rows_of_a_fresh_one(finished: tiny.Finished, tmp_path: Path) -> None:
    """Shards are cut otherwise, since speech came in another order; pairs, scores and audio are the same."""
    tiny.write_clip(finished.speech / "aa.wav", 4, 1.6)
    tiny.write_clip(finished.speech / "bb.wav", 6, 1.6)

    finished.run_again()
    tiny.run_here(finished.config, tmp_path / "fresh")

    grown, fresh = tiny.files_of(finished.workspace), tiny.files_of(tmp_path / "fresh")
    assert {Path(path).stem for path in grown} != {Path(path).stem for path in fresh}
    assert _rows(finished.workspace) == _rows(tmp_path / "fresh")
    assert len(_rows(finished.workspace)) > 0


def test_a_raised_version_makes_anew_what_the_operator_made(tmp_path: Path) -> None:
    """An operator whose results change says so, and all that descends from it follows."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    fragile = {"operators": ["fragile.py"], "restorers": [{"kind": "identity"}, {"kind": "fragile"}]}
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **fragile))
    operators.write_fragile(tmp_path, version=1)
    tiny.run(config, tmp_path / "workspace", "--executor", "local")
    before = set(tiny.files_of(tmp_path / "workspace"))

    operators.write_fragile(tmp_path, version=2)
    tiny.run(config, tmp_path / "workspace", "--executor", "local")

    made = tiny.tables_of(set(tiny.files_of(tmp_path / "workspace")) - before)
    assert made == {"restore.fragile", "score.multi_resolution_stft.fragile", "prefer"}


def test_another_package_version_scores_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an upgraded library would say now is not known: its scores are made again, and no others."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    metrics = {"metrics": [{"kind": "multi_resolution_stft"}, {"kind": "pesq"}]}
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **metrics))
    workspace = tmp_path / "workspace"
    tiny.run_here(config, workspace)
    before = set(tiny.files_of(workspace))
    upgrade = tmp_path / "upgrade" / "pesq-99.dist-info"
    upgrade.mkdir(parents=True)
    (upgrade / "METADATA").write_text("Metadata-Version: 2.1\nName: pesq\nVersion: 99\n")
    monkeypatch.syspath_prepend(str(upgrade.parent))

    tiny.run_here(config, workspace)

    made = set(tiny.files_of(workspace)) - before
    assert tiny.tables_of(made) == {"score.pesq.identity", "score.pesq.spectral_gate"}
    facts = json.loads((workspace / "dataset" / "unanimous.json").read_text())
    packages = {each["name"]: each["identity"]["packages"] for each in facts["metrics"]}
    assert packages["pesq"] == {"pesq": "99"}


def test_a_rewritten_operator_of_the_same_version_makes_nothing(tmp_path: Path) -> None:
    """Comments and refactoring are no reason to compute: only the version is."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    fragile = {"operators": ["fragile.py"], "restorers": [{"kind": "identity"}, {"kind": "fragile"}]}
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **fragile))
    module = operators.write_fragile(tmp_path)
    tiny.run(config, tmp_path / "workspace", "--executor", "local")

    module.write_text(module.read_text() + "\n# said otherwise\n")
    done = tiny.run(config, tmp_path / "workspace", "--executor", "local")

    assert "nothing was left to do" in done.stdout
