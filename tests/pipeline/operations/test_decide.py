"""Deciding anew on a finished run, and measuring what a margin should be."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.cli.commands.calibrate import margin_lines
from pipeline.config.resolve import resolve
from pipeline.operations.calibrate import Movement
from pipeline.store.arrow import rows_of
from schemas import Preference, WorkspaceError
from stages.calibration.perturbations import INAUDIBLE
from tests.support.command_line import written
from tests.support.in_process import run_here, typed_here

VOTES = ["multi_resolution_stft", "estoi", "spectral_envelope"]
CHOOSING: dict[str, Any] = {"criteria": VOTES, "uncovered": ["perceptual_quality"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a config without margins and its finished run, the clean reference a candidate."""
    folder = tmp_path_factory.mktemp("decide")
    criteria = [{"metric": vote, "margin": 0} for vote in VOTES]
    config = written(folder, score_clean=True, preference={**CHOOSING, "criteria": criteria})
    run_here(config, folder / "workspace")
    return folder


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "own"))


def preferences(workspace: Path) -> dict[str, bytes]:
    """Return every shard of preferences, by table and shard."""
    return {
        f"{path.parent.name}/{path.name}": path.read_bytes() for path in workspace.glob("tables/prefer-*/*")
    }


def rows(workspace: Path) -> list[Preference]:
    """Return the preferences of the table that was made last."""
    path = max(workspace.glob("tables/prefer-*/*"), key=lambda path: path.stat().st_mtime_ns)
    return rows_of(Preference, pq.read_table(path))


def test_decides_byte_for_byte_as_a_run_would(own: Path, tmp_path: Path) -> None:
    """Other margins, rule and veto; the run that follows finds them there and only exports."""
    ran = Path(shutil.copytree(own, tmp_path / "ran"))
    vetoes = [{"score": "estoi", "at_least": 0.4}]
    for folder in (own, ran):
        written(
            folder, score_clean=True, preference={**CHOOSING, "vetoes": vetoes, "pairs": {"keep": "best"}}
        )

    said = typed_here("decide", own / "small.yaml", "--workspace", own / "workspace")
    run_here(ran / "small.yaml", ran / "workspace")

    assert "1 shard anew" in said
    assert len(preferences(own / "workspace")) == 2
    assert preferences(own / "workspace") == preferences(ran / "workspace")
    assert run_here(own / "small.yaml", own / "workspace").computed == 0


def test_decides_what_is_set_on_the_command_line(own: Path) -> None:
    """Once; the second time there is nothing to decide."""
    words = ("decide", own / "small.yaml", "--workspace", own / "workspace", "--set")

    first = typed_here(*words, "preference.pairs.keep=best")
    again = typed_here(*words, "preference.pairs.keep=best")

    assert "decided   1 shard anew" in first
    assert "decided   0 shards anew" in again
    assert first.split("decided")[0] == again.split("decided")[0]
    assert all(len(row.pairs) <= 1 for row in rows(own / "workspace"))


def test_a_metric_without_scores_cannot_decide(own: Path) -> None:
    """The message names what is missing and what makes it."""
    metrics = [{"kind": kind} for kind in (*VOTES, "pesq")]
    config = written(
        own, score_clean=True, metrics=metrics, preference={**CHOOSING, "criteria": [*VOTES, "pesq"]}
    )

    with pytest.raises(WorkspaceError, match=r"lacks 3 tables \(score.pesq.identity, .*'run' makes"):
        typed_here("decide", config, "--workspace", own / "workspace")


def test_without_a_workspace_there_is_nothing_to_decide_on(tmp_path: Path) -> None:
    """Said as it is."""
    with pytest.raises(WorkspaceError, match="there is no workspace"):
        typed_here("decide", written(tmp_path), "--workspace", tmp_path / "nowhere")


def test_the_clean_reference_is_scored_and_never_chosen(finished: Path) -> None:
    """It beats every restoration by metrics that compare with it; such pairs are counted, not kept."""
    found = rows(finished / "workspace")

    assert [row.num_candidates for row in found] == [4, 4]
    assert not [pair for row in found for pair in row.pairs if pair.chosen_model == "clean"]
    assert {removal.by for row in found for removal in row.removed} == {"clean chosen"}
    for row in found:
        assert sum(removal.pairs for removal in row.removed) + len(row.pairs) == row.num_unanimous


def test_the_clean_reference_wins_where_that_is_asked_for(own: Path) -> None:
    """Every restoration then loses to it."""
    typed_here(
        "decide", own / "small.yaml", "-w", own / "workspace", "--set", "preference.pairs.clean_may_win=true"
    )

    for row in rows(own / "workspace"):
        losers = {(p.rejected_model, p.rejected_take) for p in row.pairs if p.chosen_model == "clean"}
        assert len(losers) == row.num_candidates - 1


def test_status_and_funnel_count_what_vetoes_removed(own: Path) -> None:
    """Under their names, so that a bound that is too tight shows."""
    vetoes = [{"score": "estoi", "at_least": 1.1, "name": "unclear"}]
    config = written(own, preference={**CHOOSING, "criteria": VOTES, "vetoes": vetoes})
    result = run_here(config, own / "workspace")

    said = typed_here("status", own / "workspace")

    unanimous, pairs = result.exported.funnel.count("unanimous"), result.exported.funnel.steps[-1]
    assert unanimous > 0
    assert (pairs.count, pairs.lost) == (0, {"unclear": unanimous})
    assert f"unclear × {unanimous} removed" in said


def test_plan_predicts_from_the_first_shard(finished: Path) -> None:
    """From what was measured once there is something; before, from a model that says so."""
    config, workspace = finished / "small.yaml", finished / "workspace"

    measured = typed_here("plan", config, "--workspace", workspace, "--pairs", "1000")
    guessed = typed_here("plan", config, "--workspace", finished / "none", "--pairs", "1000")

    assert "measured on 2 utterances" in measured
    assert "1,000 pairs need about" in measured
    assert "a guess until a shard is finished" in guessed


def test_a_run_says_after_its_first_shard_what_to_expect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it has taken its time."""
    run_here(written(tmp_path), tmp_path / "workspace")

    assert "after the first shard:\npairs  " in capsys.readouterr().out


def test_calibrate_prints_margins_that_a_config_takes(tmp_path: Path) -> None:
    """YAML to paste; a scale that nothing inaudible exceeds; nothing of it is read by itself."""
    metrics = [{"kind": kind} for kind in (*VOTES, "dnsmos")]
    config = written(tmp_path, metrics=metrics)

    said = typed_here("calibrate", config, "--workspace", tmp_path / "workspace", "--utterances", "2")

    proposed = yaml.safe_load(said.partition("# scores that are no criteria")[0])["preference"]["criteria"]
    assert [entry["metric"] for entry in proposed] == VOTES
    assert all(entry["margin"] == entry["scale"] > 0 for entry in proposed)
    assert "metric: dnsmos_ovrl" in said
    again = written(tmp_path, metrics=metrics, preference={**CHOOSING, "criteria": proposed})
    assert [c.margin for c in resolve(again).criteria] == [entry["margin"] for entry in proposed]


def test_calibrate_says_what_it_could_not_measure(tmp_path: Path) -> None:
    """A score without a value has no margin, and the reasons are counted."""
    run = resolve(written(tmp_path))
    known = Movement(moved={change: [0.1, 0.2] for change in INAUDIBLE})
    found = {"multi_resolution_stft": known, "estoi": Movement(), "spectral_envelope": known}
    found["estoi"].missing.update({"too_short": 10})

    lines = list(margin_lines(run, found, 2))

    assert "# estoi could not be measured: too_short × 10" in lines
    criteria = yaml.safe_load("\n".join(lines))["preference"]["criteria"]
    assert [entry["metric"] for entry in criteria] == ["multi_resolution_stft", "spectral_envelope"]
    assert criteria[0]["margin"] == pytest.approx(0.2, abs=0.01)
