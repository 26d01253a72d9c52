"""What is left of a training that was killed, or that the disk had no room for."""

import json
import time
from pathlib import Path

import pytest

from tests.support.forked_commands import FORKS
from tests.support.tiny_training import train_estimate, train_on_full_disk, write_training

WEIGHTS = Path("weights") / "estimate.safetensors"
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the config of a training of seconds."""
    return write_training(tmp_path_factory.mktemp("training"))


def rows_of(curve: Path) -> list[dict[str, float]]:
    """Return what a training has saved so far."""
    found: list[dict[str, float]] = json.loads(curve.read_text()) if curve.exists() else []
    return found


def test_a_training_that_was_killed_ends_with_the_same_weights(config: Path, tmp_path: Path) -> None:
    """By SIGKILL in the middle of its steps: the next one goes on from the last checkpoint."""
    out = tmp_path / "killed"
    process = FORKS.Process(target=train_estimate, args=(config, out, 10**6, 0.0))
    process.start()
    until = time.monotonic() + PATIENCE_S
    while process.is_alive() and len(rows_of(out / "estimate.losses.json")) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.join()
    assert process.exitcode == -9, "it was at work until then"
    saved = int(rows_of(out / "estimate.losses.json")[-1]["step"])

    train_estimate(config, out, saved + 3)
    train_estimate(config, tmp_path / "undisturbed", saved + 3)

    assert (out / WEIGHTS).read_bytes() == (tmp_path / "undisturbed" / WEIGHTS).read_bytes()
    steps = [row["step"] for row in rows_of(out / "estimate.losses.json")]
    assert steps[:2] == [1, 2]
    assert steps[-1] == saved + 3
    assert steps == sorted(set(steps)), "no step was saved twice"


def test_a_full_disk_ends_a_training_that_goes_on_later(config: Path, tmp_path: Path) -> None:
    """It says so, the last checkpoint stays whole, and with room the weights are those of no full disk."""
    (tmp_path / "disk").mkdir()
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=train_on_full_disk, args=(config, tmp_path / "disk", theirs))
    process.start()
    theirs.close()
    told = ours.recv()
    process.join()
    if told is None:
        pytest.skip("may not mount a small disk here")
    said, is_whole, weights = told

    assert f"cannot write to {tmp_path / 'disk'}: No space left on device; make room and run again" in said
    assert "the same command goes on from it" in said
    assert is_whole
    train_estimate(config, tmp_path / "roomy", 4)
    assert weights == (tmp_path / "roomy" / WEIGHTS).read_bytes()
