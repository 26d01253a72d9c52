"""The audit of a finished run: in its workspace, in the dataset's card, and on the command line."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit.audit import audit_of, read_audit
from pipeline.audit.records import Audit, Group, ScoreRole
from pipeline.audit.text import audit_lines
from pipeline.config.resolve import resolve
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from schemas import WorkspaceError
from tests.support.command_line import written
from tests.support.in_process import run_here, typed_here

VOTES = ["multi_resolution_stft", "estoi"]
METRICS = [{"kind": kind} for kind in (*VOTES, "spectral_envelope")]
CHOOSING: dict[str, Any] = {
    "criteria": [{"metric": vote, "margin": 0} for vote in VOTES],
    "held_out": ["spectral_envelope"],
    "uncovered": ["perceptual_quality", "timbre_preservation"],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a config and its finished run, with a held-out score and the clean scored."""
    folder = tmp_path_factory.mktemp("audit")
    config = written(folder, score_clean=True, metrics=METRICS, preference=CHOOSING)
    run_here(config, folder / "workspace")
    return folder


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "own"))


def audit_in(folder: Path) -> Audit:
    """Return the audit that a run has kept."""
    audit = read_audit(Workspace(folder / "workspace").audit)
    assert audit is not None
    return audit


def test_every_run_ends_with_an_audit(finished: Path) -> None:
    """It counts what the run's own records count."""
    audit = audit_in(finished)
    funnel = Workspace(finished / "workspace")
    config = resolve(finished / "small.yaml")
    result = run_here(finished / "small.yaml", finished / "workspace").exported.funnel

    whole = audit.yields[0]
    assert (whole.by, whole.inputs) == (Group.ALL, result.count("degraded"))
    assert whole.comparisons == result.count("compared")
    assert whole.unanimous == result.count("unanimous")
    assert whole.pairs == audit.pairs == result.count("pairs")
    assert audit.candidates == result.count("candidates")
    assert sum(model.chosen for model in audit.models) == audit.pairs
    assert [score.name for score in audit.scores_that(ScoreRole.HELD_OUT)] == ["spectral_envelope"]
    assert audit.selections == ("unanimous", *VOTES, "random", "the louder")
    assert {agreement.name for agreement in audit.agreement if agreement.by is Group.DEGRADATION} == {
        "clipping"
    }
    assert audit == audit_of(config, assemble(config, funnel, keep=False), funnel.store)


def test_the_card_and_the_command_say_the_same(finished: Path) -> None:
    """In Markdown."""
    lines = audit_lines(audit_in(finished))

    card = (finished / "workspace" / "dataset" / "README.md").read_text(encoding="utf-8")
    said = typed_here("audit", finished / "workspace")

    assert "\n".join(lines) in card
    assert "\n".join(lines) in said
    assert "### Judged by scores that did not choose" in said
    judged = audit_in(finished).judgement("unanimous", "spectral_envelope")
    assert judged.win_rate is not None
    assert f"- `spectral_envelope`, held out, agrees with {100 * judged.win_rate.value:.1f} %" in said
    assert f" of {judged.pairs:.0f} pairs." in said
    assert "by `spectral_envelope`" in said
    assert "- the longer: no two restorations differ in it." in said
    assert "of the pairs the chosen side is louder, before it was brought to the level of its input." in said
    assert "- the less noisy: not known; `dnsmos` was not run." in said


def test_nothing_is_made_again_while_nothing_changes(own: Path) -> None:
    """The file stands as long as what it depends on does."""
    path = own / "workspace" / "audit.json"
    kept, stamp = path.read_bytes(), path.stat().st_mtime_ns

    run_here(own / "small.yaml", own / "workspace")
    assert path.stat().st_mtime_ns == stamp

    path.unlink()
    run_here(own / "small.yaml", own / "workspace")
    assert path.read_bytes() == kept


def test_other_criteria_are_audited_without_a_run(own: Path) -> None:
    """What the command line sets counts, and the workspace stays as it is."""
    path = own / "workspace" / "audit.json"
    before = path.read_bytes()

    said = typed_here("audit", own / "small.yaml", "-w", own / "workspace", "--set", "preference.held_out=[]")

    assert "No score is held out (`preference.held_out`); these had no vote all the same." in said
    assert path.read_bytes() == before


def test_an_export_elsewhere_has_its_own_audit(own: Path, tmp_path: Path) -> None:
    """In its card; the workspace keeps that of its run."""
    path = own / "workspace" / "audit.json"
    before = path.read_bytes()
    words = ("-w", own / "workspace", "--out", tmp_path / "copy", "--set", "preference.held_out=[]")

    typed_here("export", own / "small.yaml", *words)

    assert "No score is held out" in (tmp_path / "copy" / "README.md").read_text(encoding="utf-8")
    assert path.read_bytes() == before
    assert not (tmp_path / "audit.json").exists()


def test_a_run_without_pairs_has_an_audit_that_says_so(own: Path) -> None:
    """Nothing is won by nobody; what scores say of each other is there all the same."""
    bound = "preference.vetoes=[{score: estoi, at_least: 2}]"

    said = typed_here("audit", own / "small.yaml", "-w", own / "workspace", "--set", bound)

    assert said.partition("\n\n")[2].startswith("0 pairs from ")
    assert "resamples of the utterances; pairs of fewer than 5 utterances have none." in said
    assert "### Scores of the pairs\n\nThere are no pairs." in said
    assert "nan" not in said.replace("unanimous", "")
    assert "| between criteria, on average" in said


def test_an_unfinished_run_is_audited_in_part(own: Path) -> None:
    """Shards without all their scores are counted, not guessed at; without any there is nothing to say."""
    config = written(own, score_clean=True, metrics=METRICS, preference=CHOOSING, shard_seconds=1)
    run_here(config, own / "begun")
    store = Workspace(own / "begun").store
    scores, *_ = sorted(
        folder.name for folder in (own / "begun" / "tables").glob("score.spectral_envelope.*")
    )
    store.remove(scores, min(store.shards(scores)))
    run = resolve(config)

    said = typed_here("audit", config, "-w", own / "begun")

    assert "Of 2 shards, 1 had not all scores yet." in said
    assert " for 1 degraded version of 1 utterance." in said
    graph = assemble(run, Workspace(own / "workspace"), keep=False)

    with pytest.raises(WorkspaceError, match="has no shard with all its scores; 'run' makes them"):
        audit_of(run, graph, Workspace(own / "nowhere").store)


def test_a_workspace_without_an_audit_says_what_makes_one(own: Path) -> None:
    """Also where the file is not of this version."""
    path = own / "workspace" / "audit.json"

    path.write_text('{"key": "older"}')

    with pytest.raises(WorkspaceError, match="holds no audit: 'run' makes one"):
        typed_here("audit", own / "workspace")


def test_clean_speech_that_was_not_scored_flags_nothing(own: Path) -> None:
    """And the text says how to have it scored."""
    said = typed_here("audit", own / "small.yaml", "-w", own / "workspace", "--set", "score_clean=false")

    assert "The clean reference was not scored; `score_clean: true` does that." in said
