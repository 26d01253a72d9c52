"""A run that keeps no pair says where they went, and not how to load them."""

from pathlib import Path

from tests.support.command_line import SMALL, written
from tests.support.forked_commands import typed


def test_a_run_without_pairs_points_to_what_was_refused(tmp_path: Path) -> None:
    """It ends well all the same: that nothing was unanimous is an answer."""
    margin = {"metric": "estoi", "margin": 1e6}
    criteria = [margin, "multi_resolution_stft", "spectral_envelope"]
    config = written(tmp_path, preference={**SMALL["preference"], "criteria": criteria})
    workspace = tmp_path / "my workspace"

    ran = typed("run", config, "-w", workspace, "--executor", "local")

    assert ran.returncode == 0, ran.stderr
    assert "load it with" not in ran.stdout
    assert f"status '{workspace}' --rows" in ran.stdout


def test_a_run_without_an_utterance_is_refused(tmp_path: Path) -> None:
    """A corpus of which nothing can be used is a mistake, not an empty dataset."""
    config = written(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "text.wav").write_text("no audio")

    ran = typed("run", config, "--speech", tmp_path / "own", "-w", tmp_path / "w", "--executor", "local")

    assert ran.returncode == 2
    assert "none of its 1 recording can be decoded" in ran.stderr
    assert f"{tmp_path}/own/text.wav: " in ran.stderr
    assert not (tmp_path / "w" / "dataset").exists()
