"""A model in an environment of its own, through a whole run: the example that ships, crashes and hangs."""

from pathlib import Path

import psutil
import pytest

from tests.support import rows, tiny
from tests.support.numpy_environment import numpy_environment

EXTERNAL = tiny.ROOT / "stages" / "restorers" / "workers"
TENTHS = {"crashes": 11, "hangs": 12, "raises": 13, "fine": 14}
TROUBLE = """
import os, time
from unanimous_worker import serve

class Trouble:
    def load(self, device, weights):
        pass

    def restore(self, samples, sample_rate, seed, settings):
        tenths = round(10 * samples.size / sample_rate)
        if tenths == 11: os._exit(1)
        if tenths == 12: time.sleep(3600)
        if tenths == 13: raise ValueError("bad at /some/address")
        return samples

serve(Trouble())
"""


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has numpy and nothing else."""
    return numpy_environment(tmp_path_factory.mktemp("environment"))


def _example(folder: Path, workspace: Path, interpreter: Path, executor: str) -> dict[str, str]:
    settings = ["--set", f"restorers.1.interpreter_path={interpreter}", "--speech", str(folder)]
    tiny.run(EXTERNAL / "example.yaml", workspace, "--executor", executor, "--workers", "2", *settings)
    return tiny.files_of(workspace)


@pytest.mark.ray
def test_the_example_gives_the_same_bytes_on_a_cluster(tmp_path: Path, interpreter: Path) -> None:
    """The config that ships runs; its takes differ, whoever runs them, and no worker is left behind."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])

    local = _example(tmp_path / "speech", tmp_path / "local", interpreter, "local")
    ray = _example(tmp_path / "speech", tmp_path / "ray", interpreter, "ray")

    assert local == ray
    assert set(rows.outcomes(tmp_path / "ray", "restore.expander").values()) == {"ok"}
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(interpreter) in (p.info["cmdline"] or [])]


def test_each_kind_of_trouble_is_one_row(tmp_path: Path, interpreter: Path) -> None:
    """Crash, hang and exception of a worker are their rows' reasons in a single process, too."""
    for number, (name, tenths) in enumerate(TENTHS.items()):
        tiny.write_clip(tmp_path / "speech" / f"{name}.wav", number, tenths / 10)
    (tmp_path / "trouble.py").write_text(TROUBLE)
    model = {"kind": "external", "interpreter_path": str(interpreter), "script_path": "trouble.py"}
    config = tiny.cheap_config(
        tmp_path / "speech",
        restorers=[{"kind": "identity"}, {**model, "timeout_s": 2}],
        failure_budget=0.9,
    )

    tiny.run(tiny.write_config(tmp_path, config), tmp_path / "workspace", "--executor", "local")

    assert rows.outcomes(tmp_path / "workspace", "restore.external") == {
        "crashes": "failed/crashed",
        "hangs": "failed/timed_out",
        "raises": "failed/error",
        "fine": "ok",
    }
