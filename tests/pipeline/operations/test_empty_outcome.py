"""A run that keeps no pair says where they went, and not how to load them."""

from pathlib import Path

from tests.support.command_line import written
from tests.support.forked_commands import typed


def test_a_run_without_pairs_points_to_what_was_refused(tmp_path: Path) -> None:
    """It ends well all the same: that nothing was unanimous is an answer."""
    config = written(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "text.wav").write_text("no audio")
    workspace = tmp_path / "my workspace"

    ran = typed("run", config, "--speech", tmp_path / "own", "-w", workspace, "--executor", "local")

    assert ran.returncode == 0, ran.stderr
    assert "load it with" not in ran.stdout
    assert f"status '{workspace}' --rows" in ran.stdout
