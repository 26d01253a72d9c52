"""A model in an environment of its own: what it is given, and what comes back."""

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import psutil
import pytest

from schemas import MissingWeightsError
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.external import External
from tests.support.external_workers import BODY, ROOT, Write, restored
from tests.support.numpy_environment import numpy_environment
from tests.support.other_process import assert_ended
from tests.support.speech_like import white_noise


@pytest.mark.parametrize("length", [1, 5_000, 3_000_000])
def test_arrays_go_there_and_back(external: Write, length: int) -> None:
    """One sample or a minute, every bit arrives, with the settings beside it."""
    model = external("return settings['gain'] * samples", settings={"gain": 2.0})
    samples = white_noise(length)

    assert np.array_equal(restored(model, samples), 2 * samples)


def test_the_worker_of_the_guide_runs(tmp_path: Path) -> None:
    """What a newcomer copies from the guide restores, with a package that the model would bring."""
    guide = (ROOT / "stages" / "restorers" / "workers" / "README.md").read_text()
    worker = next(b for b in guide.split("```python\n") if "class Mine" in b).partition("```")[0]
    (tmp_path / "mine_worker.py").write_text(textwrap.dedent(worker))
    (tmp_path / "mine.pt").write_text("3")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "mymodel.py").write_text(
        "class load:\n"
        "    def __init__(self, path): self.gain = float(open(path).read())\n"
        "    def to(self, device): return self\n"
        "    def __call__(self, samples, steps): return self.gain * steps * samples\n"
    )
    model = External(
        interpreter_path=numpy_environment(tmp_path / "environment", tmp_path / "packages"),
        script_path=tmp_path / "mine_worker.py",
        path=tmp_path / "mine.pt",
        model_sample_rate=16_000,
        model_sampling=True,
        settings={"steps": 2},
    ).with_digests()
    model.load("cpu")

    assert np.array_equal(restored(model, np.ones(9, dtype=np.float32)), np.full(9, 6.0))
    model.close()


def test_the_environment_is_its_own(external: Write) -> None:
    """Our packages do not reach the worker; its libraries have one thread and no network."""
    model = external(
        """
        try:
            import pydantic
        except ImportError:
            ours = 0.0
        else:
            ours = 1.0
        offline = float(os.environ["HF_HUB_OFFLINE"])
        return np.array([ours, float(os.environ["OMP_NUM_THREADS"]), offline])
        """
    )

    assert restored(model, white_noise()).tolist() == [0.0, 1.0, 1.0]


def test_works_where_it_is_told_to(external: Write, tmp_path: Path) -> None:
    """A checkout is the working directory and can be imported; variables of the user's come first."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "network.py").write_text("GAIN = 3.0")
    model = external(
        "import network\nreturn float(os.environ['HF_HUB_OFFLINE']) * network.GAIN * samples",
        repository_path=tmp_path / "checkout",
        environment_variables={"HF_HUB_OFFLINE": "0.5"},
    )
    samples = white_noise()

    assert restored(model, samples) == pytest.approx(1.5 * samples)


def test_places_may_be_relative(
    external: Write, interpreter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the worker works in the checkout, and not where the places are counted from."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "gain").write_text("3")
    monkeypatch.chdir(tmp_path)

    model = external(
        "return self.gain * samples",
        load="self.gain = float(open(weights).read())",
        interpreter_path=os.path.relpath(interpreter),
        script_path="worker.py",
        repository_path="checkout",
        path="gain",
    )

    assert np.array_equal(restored(model, white_noise()), 3 * white_noise())


def test_a_sampling_model_follows_its_stream(external: Write) -> None:
    """The same stream gives the same samples, another stream others, in any order, in any worker."""
    script = "import random\nreturn np.random.standard_normal(9) + random.random()"
    model = external(script, sampling=True)
    samples = white_noise()
    first, other, again = (restored(model, samples, take) for take in (0, 1, 0))
    model.close()

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(restored(model, samples, 1), other)


def test_prints_do_not_come_between(external: Write) -> None:
    """What the model and its C code print goes to standard error."""
    model = external("print('hello' * 10_000, flush=True)\nos.write(1, b'garbage' * 9000)\nreturn samples")
    samples = white_noise()

    assert np.array_equal(restored(model, samples), samples)
    assert np.array_equal(restored(model, samples), samples)


def test_a_worker_says_how_sure_it_is(external: Write) -> None:
    """As a pair with the samples; what is no number of use is left out."""
    speech = np.ones(8, dtype=np.float32)
    for said, expected in (("-1.5", -1.5), ("float('inf')", None)):
        model = external(restore=f"return samples, {said}")
        (made,) = model.restore([Waveform(speech, 16_000)], [rng_for(0, "take")])
        assert getattr(made, "confidence", None) == expected
        np.testing.assert_array_equal(made.samples, speech)


def test_axes_of_length_one_do_not_matter(external: Write) -> None:
    """``(1, 1, samples)`` is one waveform."""
    samples = white_noise()

    assert np.array_equal(restored(external("return samples[None, None]"), samples), samples)


def test_is_known_by_its_script_and_not_by_its_places(external: Write, tmp_path: Path) -> None:
    """The interpreter's place and our patience change nothing; another script, setting or revision does."""
    model = external("return samples")
    patient, revised = (model.model_copy(update=u) for u in ({"timeout_s": 9.0}, {"revision": "torch 2"}))

    assert patient.fingerprint_params == model.fingerprint_params
    assert revised.fingerprint_params != model.fingerprint_params
    assert external("return -samples").fingerprint_params != model.fingerprint_params
    assert str(tmp_path) not in str(model.fingerprint_params)
    with pytest.raises(MissingWeightsError, match=r"worker\.py has SHA-256"):
        model.with_digests()


def test_survives_the_way_to_a_worker(external: Write) -> None:
    """A loaded model is pickled without its process, and loads another."""
    model = external("return samples")

    sent = pickle.loads(pickle.dumps(model))
    sent.load("cpu")

    assert sent.spec == model.spec
    assert restored(sent, white_noise()).size == 5_000
    sent.close()


def test_the_worker_ends_when_it_is_let_go(external: Write) -> None:
    """No process is left behind, nor what it started itself."""
    before = set(psutil.Process().children(recursive=True))
    model = external("return samples", load="import subprocess; subprocess.Popen(['sleep', '60'])")
    started = set(psutil.Process().children(recursive=True)) - before
    assert len(started) == 2

    model.close()

    psutil.wait_procs(started, timeout=5)
    assert not any(process.is_running() and process.status() != "zombie" for process in started)


@pytest.mark.parametrize(
    "busy",
    ["pass", "time.sleep(60)", "__import__('ctypes').PyDLL(None).sleep(60)"],
    ids=["idle", "busy", "busy in foreign code"],
)
def test_the_worker_ends_with_its_parent(busy: str, interpreter: Path, tmp_path: Path) -> None:
    """A parent that is killed without warning leaves no orphan, nor what that has started itself.

    Not even one in which foreign code holds the interpreter, so that none of its threads goes on.
    """
    script = tmp_path / "worker.py"
    load = "import subprocess; self.other = subprocess.Popen(['sleep', '60'])"
    restore = f"{busy}; return samples"
    script.write_text(BODY.format(rate=None, sampling=False, load=load, restore=restore))
    code = (
        "import os, threading, psutil, numpy as np\n"
        "from stages.runtime.external_model import Environment, ExternalModel\n"
        "from pathlib import Path\n"
        f"model = ExternalModel('m', Environment(Path({str(interpreter)!r}), Path({str(script)!r})), 60.0)\n"
        "model.load('cpu', None)\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), 9)).start()\n"
        "print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)\n"
        "model.restore([np.zeros(9, dtype=np.float32)], 16_000, [0], {})\n"
        "threading.Event().wait()"
    )

    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert len(said.stdout.split()) == 2
    for pid in map(int, said.stdout.split()):
        assert_ended(pid)
