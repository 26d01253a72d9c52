"""Rounds: what has not changed is taken over, what has is told apart, and every row says which it is."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.config.resolve import resolve
from pipeline.operations.rounds import begin_round, inherit_shards, take_over
from pipeline.store.table_store import METADATA_KEY
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from schemas import ConfigError, WorkspaceError
from tests.support import tiny
from tests.support.forked_commands import typed
from tests.support.in_process import run_here
from tests.support.made_once import made_once

MODEL = """
from pathlib import Path

class Trained:
    version = 1

    def load(self, device, weights):
        self.gain = float(Path(weights).read_text())

    def restore(self, samples, sample_rate, stream):
        return samples - self.gain * samples ** 3
"""
BASE = "identity"
POLICIES = ({"policy": 0.1}, {"policy": 0.2}, {"policy": 0.3, "first": 0.1})
"""Models and what their weights hold, by round: the last has the first one's again, under another name."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """A folder with speech, weights and a config and workspace of each round."""

    folder: Path

    def workspace(self, number: int) -> Path:
        """Return where a round is."""
        return self.folder / f"round-{number}"

    def config(self, number: int, weights: Mapping[str, float], **changes: Any) -> Path:
        """Write the config of a round; ``weights`` are those of each model by its name."""
        learned = [
            {"kind": "python", "target": "trained:Trained", "name": name, "path": str(self._weights(gain))}
            for name, gain in weights.items()
        ]
        uncovered = ["perceptual_quality", "content_consistency", "timbre_preservation"]
        settings: dict[str, Any] = {
            "name": f"r{number}",
            "operators": [str(self.folder / "trained.py")],
            "restorers": [{"kind": BASE}, *learned],
            "metrics": [{"kind": "multi_resolution_stft"}, {"kind": "si_sdr"}],
            "preference": {
                "criteria": [{"metric": "multi_resolution_stft", "margin": 0}],
                "uncovered": uncovered,
            },
            "round": {} if number == 0 else {"of": str(self.workspace(number - 1))},
            **changes,
        }
        path = tiny.write_config(self.folder, tiny.cheap_config(self.folder / "speech", **settings))
        return path.rename(self.folder / f"r{number}.yaml")

    def rows(self, number: int, table: str = "pairs") -> list[dict[str, Any]]:
        """Return the rows of a round's dataset."""
        found: list[dict[str, Any]] = pq.read_table(self.workspace(number) / "dataset" / table).to_pylist()
        return found

    def files(self, number: int) -> dict[str, str]:
        """Return the digests of the tables of a round."""
        found = tiny.files_of(self.workspace(number))
        return {path: digest for path, digest in found.items() if path.startswith("tables/")}

    def _weights(self, gain: float) -> Path:
        path = self.folder / f"{gain}.weights"
        path.write_text(str(gain))
        return path


def _run_rounds(folder: Path) -> None:
    """Run three rounds; to the first one speech has come in another order than it is listed in."""
    rounds = Rounds(folder)
    (folder / "trained.py").write_text(MODEL)
    for clips in (["b"], ["a", "b"]):
        tiny.write_speech(folder / "speech", sorted(clips, reverse=True), seconds=0.8)
        run_here(rounds.config(0, POLICIES[0]), rounds.workspace(0))
    for number in (1, 2):
        run_here(rounds.config(number, POLICIES[number]), rounds.workspace(number))


@pytest.fixture(scope="session")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """Return three finished rounds."""
    return Rounds(made_once(tmp_path_factory, "rounds", _run_rounds))


@pytest.fixture
def own(tmp_path: Path) -> Rounds:
    """Return a folder in which no round was run."""
    tiny.write_speech(tmp_path / "speech", ["a"], seconds=0.8)
    (tmp_path / "trained.py").write_text(MODEL)
    return Rounds(tmp_path)


def test_only_what_has_changed_is_made_again(rounds: Rounds) -> None:
    """A round with another policy has of the old round's bytes all that does not come of the policy."""
    before, after = rounds.files(0), rounds.files(1)

    alike = before.keys() & after.keys()
    assert {path: before[path] for path in alike} == {path: after[path] for path in alike}
    made = {"restore.policy", "score.multi_resolution_stft.policy", "score.si_sdr.policy", "prefer"}
    assert tiny.tables_of(after.keys() - alike) == made
    tickets = (rounds.workspace(1) / "logs" / "tickets.jsonl").read_text().splitlines()
    assert len(tickets) == len(after.keys() - alike)


def test_a_round_has_the_bytes_of_a_run_from_nothing(rounds: Rounds, tmp_path: Path) -> None:
    """What was taken over is what would have been made; and a round that has begun needs no parent."""
    again = Rounds(Path(shutil.copytree(rounds.folder, tmp_path / "again")))
    config = again.config(1, POLICIES[1], round={"of": str(again.folder / "gone")})
    begun = json.loads((again.workspace(1) / "round.json").read_text())
    (again.workspace(1) / "round.json").write_text(json.dumps({**begun, "of": str(again.folder / "gone")}))
    shutil.rmtree(again.workspace(1) / "tables")

    run_here(config, again.workspace(1))

    assert again.files(1) == rounds.files(1)
    assert again.rows(1) == rounds.rows(1)


def test_each_row_says_its_round_and_which_models_it_is_of(rounds: Rounds) -> None:
    """Number, the dataset before, the model, and whether that is a policy as it was two rounds ago."""
    said = json.loads((rounds.workspace(1) / "dataset" / "unanimous.json").read_text())
    takes = {row["model"]: row for row in rounds.rows(2, "candidates") if row["kind"] == "restored"}
    (first,) = {row["model_fingerprint"] for row in rounds.rows(0, "scores") if row["model"] == "policy"}

    assert {(row["round"], row["round_parent"]) for row in rounds.rows(2)} == {(2, said["key"])}
    assert {(row["round"], row["round_parent"]) for row in rounds.rows(0)} == {(0, None)}
    assert {name: take["model_round"] for name, take in takes.items()} == {BASE: 0, "policy": 2, "first": 0}
    assert {name for name, take in takes.items() if take["is_stale"]} == {"first"}
    assert takes["first"]["model_fingerprint"] == first != takes["policy"]["model_fingerprint"]
    assert {row["chosen_model"] for row in rounds.rows(2) if row["chosen_is_stale"]} <= {"first"}
    card = (rounds.workspace(2) / "dataset" / "README.md").read_text()
    assert "the takes of `first`; `…_is_stale` marks them" in card
    verified = typed("verify", rounds.workspace(2) / "dataset", "--operators", rounds.folder / "trained.py")
    assert verified.returncode == 0, verified.stdout


def test_the_report_sets_rounds_beside_each_other(rounds: Rounds, finished: tiny.Finished) -> None:
    """All of them, the last one too; a run that is not one of several says nothing of rounds anywhere."""
    report = (rounds.workspace(2) / "report.html").read_text()
    (file,) = finished.workspace.glob("dataset/pairs/*.parquet")

    assert all(f"<td>r{number} <code>" in report for number in range(3))
    assert "How often judges agree with the pairs." in report
    assert 'id="rounds"' not in (finished.workspace / "report.html").read_text()
    assert not [name for name in pq.read_schema(file).names if "round" in name or "stale" in name]
    assert not (finished.workspace / "round.json").exists()


def test_rows_that_failed_are_not_taken_over(rounds: Rounds, tmp_path: Path) -> None:
    """Nor what was made of them: another try may do better."""
    again = Rounds(Path(shutil.copytree(rounds.folder, tmp_path / "again")))
    shard, other = sorted(again.workspace(0).glob("tables/restore.policy-*/*.parquet"))
    found = pq.read_table(shard)
    said = json.loads(found.schema.metadata[METADATA_KEY]) | {"counts": {"failed/error": 1}}
    pq.write_table(found.replace_schema_metadata({METADATA_KEY: json.dumps(said)}), shard)
    workspace = Workspace(tmp_path / "next")

    run = begin_round(resolve(again.config(1, POLICIES[0])), workspace)
    inherit_shards(run, workspace)
    take_over(run, assemble(run, workspace), workspace, lambda _: None)

    left_out = {path for path in again.files(0) if path not in tiny.files_of(workspace.root)}
    descends = {"restore.policy", "score.multi_resolution_stft.policy", "score.si_sdr.policy", "prefer"}
    assert tiny.tables_of(left_out) == descends
    assert {Path(path).stem for path in left_out} == {shard.stem} != {other.stem}


def test_policies_that_are_named_are_marked_whatever_they_are_called(own: Rounds, rounds: Rounds) -> None:
    """Where each round calls the model otherwise, it cannot be told that it is the same one."""
    of = str(rounds.workspace(1))
    named = {"of": of, "policies": ["policy", "older"]}
    models = {"policy": 0.4, "older": 0.1}

    run = begin_round(resolve(own.config(2, models, round=named)), Workspace(own.workspace(2)))

    assert run.lineage is not None
    assert run.lineage.policies == ("policy", "older")
    with pytest.raises(ConfigError, match=r"round\.policies\.0.*no restorer is called 'polixy'.*'policy'"):
        resolve(own.config(2, models, round={"policies": ["polixy"]}))


def test_a_parent_that_is_not_there_is_one_line(own: Rounds) -> None:
    """Gone, unfinished or itself: what, where, and the way out; nothing is made."""
    config = own.config(1, POLICIES[1])

    with pytest.raises(WorkspaceError, match=r"round\.of: there is no workspace .*round-0.*config's folder"):
        run_here(config, own.workspace(1))
    own.workspace(0).mkdir()
    with pytest.raises(WorkspaceError, match=r"round-0 has no finished dataset .*'run' and its config"):
        run_here(config, own.workspace(1))
    with pytest.raises(WorkspaceError, match="is this run's own workspace"):
        run_here(config, own.workspace(0))

    assert not tiny.files_of(own.workspace(1))


def test_a_parent_of_another_config_is_one_line(rounds: Rounds, tmp_path: Path) -> None:
    """What this round began after is not there any more: another dataset is in its place."""
    again = Rounds(Path(shutil.copytree(rounds.folder, tmp_path / "again")))
    config, workspace = again.config(1, POLICIES[1]), Workspace(tmp_path / "next")
    begin_round(resolve(config), workspace)
    mark = again.workspace(0) / "dataset" / "unanimous.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"key": "0" * 16}))

    with pytest.raises(WorkspaceError, match=r"another config by now, r0 .* began after r0 .*--workspace"):
        begin_round(resolve(config), workspace)
