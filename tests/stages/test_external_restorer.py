"""A model in an environment of its own: what comes back, and what becomes of crashes, hangs and garbage."""

import os
import pickle
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from schemas import BrokenError, ConfigError, MissingWeightsError, Reason, RunError
from stages.restorers.external import External
from stages.rng import rng_for
from stages.waveform import Waveform
from tests.numpy_environment import numpy_environment

ROOT = Path(__file__).parents[2]
Write = Callable[..., External]

BODY = """
import os, sys, time
import numpy as np
from unanimous_worker import MissingError, serve

class Model:
    sample_rate = {rate!r}
    sampling = {sampling!r}

    def load(self, device, weights):
        {load}

    def restore(self, samples, sample_rate, seed, settings):
        {restore}

serve(Model())
"""


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has numpy and nothing else."""
    return numpy_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def external(tmp_path: Path, interpreter: Path) -> Iterator[Write]:
    """Return a function that writes a worker and loads the model in it."""
    models = []

    def write(
        restore: str, load: str = "pass", rate: int | None = None, *, sampling: bool = False, **fields: Any
    ) -> External:
        script = tmp_path / "worker.py"
        indented = textwrap.indent(textwrap.dedent(restore), " " * 8).strip()
        script.write_text(BODY.format(rate=rate, sampling=sampling, load=load, restore=indented))
        settings = {"interpreter_path": interpreter, "script_path": script, "model_sample_rate": rate}
        model = External.model_validate({**settings, "model_sampling": sampling, **fields}).pinned()
        models.append(model)
        model.load("cpu")
        return model

    yield write
    for model in models:
        model.close()


def _noise(length: int = 5_000) -> np.ndarray:
    return (0.1 * rng_for(0, "noise").standard_normal(length)).astype(np.float32)


def _restored(model: External, samples: np.ndarray, take: int = 0) -> np.ndarray:
    return model.restore([Waveform(samples, 16_000)], [rng_for(0, "take", take)])[0].samples


def _reason(model: External, samples: np.ndarray) -> Reason:
    with pytest.raises(BrokenError) as caught:
        _restored(model, samples)
    return caught.value.reason


@pytest.mark.parametrize("length", [1, 5_000, 3_000_000])
def test_arrays_go_there_and_back(external: Write, length: int) -> None:
    """One sample or a minute, every bit arrives, with the settings beside it."""
    model = external("return settings['gain'] * samples", settings={"gain": 2.0})
    samples = _noise(length)

    assert np.array_equal(_restored(model, samples), 2 * samples)


def test_the_worker_of_the_guide_runs(tmp_path: Path) -> None:
    """What a newcomer copies from the guide restores, with a package that the model would bring."""
    guide = (ROOT / "configs" / "external" / "README.md").read_text()
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
    ).pinned()
    model.load("cpu")

    assert np.array_equal(_restored(model, np.ones(9, dtype=np.float32)), np.full(9, 6.0))
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

    assert _restored(model, _noise()).tolist() == [0.0, 1.0, 1.0]


def test_works_where_it_is_told_to(external: Write, tmp_path: Path) -> None:
    """A checkout is the working directory and can be imported; variables of the user's come first."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "network.py").write_text("GAIN = 3.0")
    model = external(
        "import network\nreturn float(os.environ['HF_HUB_OFFLINE']) * network.GAIN * samples",
        repository_path=tmp_path / "checkout",
        environment_variables={"HF_HUB_OFFLINE": "0.5"},
    )
    samples = _noise()

    assert _restored(model, samples) == pytest.approx(1.5 * samples)


def test_a_sampling_model_follows_its_stream(external: Write) -> None:
    """The same stream gives the same samples, another stream others, in any order, in any worker."""
    script = "import random\nreturn np.random.standard_normal(9) + random.random()"
    model = external(script, sampling=True)
    samples = _noise()
    first, other, again = (_restored(model, samples, take) for take in (0, 1, 0))
    model.close()

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(_restored(model, samples, 1), other)


def test_prints_do_not_come_between(external: Write) -> None:
    """What the model and its C code print goes to standard error."""
    model = external("print('hello' * 10_000, flush=True)\nos.write(1, b'garbage' * 9000)\nreturn samples")
    samples = _noise()

    assert np.array_equal(_restored(model, samples), samples)
    assert np.array_equal(_restored(model, samples), samples)


def test_a_crash_is_tried_once_more(external: Write, tmp_path: Path) -> None:
    """What kills the worker twice has crashed, what kills it once is restored, and the next input is fine."""
    diary = tmp_path / "diary"
    model = external(
        f"""
        with open({str(diary)!r}, "a") as file:
            file.write("x")
        if samples[0] == 1 or (samples[0] == 2 and os.path.getsize({str(diary)!r}) == 1):
            os._exit(3)
        return samples
        """
    )

    assert _reason(model, np.ones(9, dtype=np.float32)) is Reason.CRASHED
    assert diary.read_text() == "xx"
    diary.unlink()
    once = np.full(9, 2, dtype=np.float32)
    assert np.array_equal(_restored(model, once), once)
    assert diary.read_text() == "xx"


def test_last_words_are_in_the_log(external: Write, caplog: pytest.LogCaptureFixture) -> None:
    """What a lost worker wrote to its standard error tells why it was lost."""
    model = external("sys.stderr.write('the GPU fell out')\nsys.stderr.flush()\nos._exit(3)")

    with caplog.at_level("WARNING", logger="unanimous"):
        _reason(model, _noise())

    assert "the GPU fell out" in caplog.text


def test_a_hang_is_timed_out(external: Write) -> None:
    """The worker is killed after the time it has, and the next input gets a new one."""
    model = external("time.sleep(60 * float(samples[0]))\nreturn samples", timeout_s=1.5)
    begin = time.monotonic()

    assert _reason(model, np.ones(9, dtype=np.float32)) is Reason.TIMED_OUT
    assert _restored(model, np.zeros(9, dtype=np.float32)).size == 9
    assert time.monotonic() - begin < 10.0


def test_an_exception_keeps_its_words_to_itself(external: Write, caplog: pytest.LogCaptureFixture) -> None:
    """The reason holds the exception's class; its message is in the log; the worker goes on."""
    model = external("if samples[0] == 1:\n    raise KeyError('secret/path')\nreturn samples")
    with caplog.at_level("WARNING", logger="unanimous"), pytest.raises(BrokenError) as caught:
        _restored(model, np.ones(9, dtype=np.float32))

    assert (caught.value.reason, caught.value.detail) == (Reason.ERROR, "KeyError")
    assert "secret/path" in caplog.text
    assert _restored(model, np.zeros(9, dtype=np.float32)).size == 9


def test_memory_that_runs_out_is_told_apart(external: Write) -> None:
    """The reason says what to do about it."""
    assert _reason(external("raise MemoryError"), _noise()) is Reason.OUT_OF_MEMORY


@pytest.mark.parametrize("shape", ["(2, 9)", "(3, 1, 3)"])
def test_more_than_one_waveform_is_a_reason(external: Write, shape: str) -> None:
    """Two channels are not one, and nobody guesses which is meant."""
    assert _reason(external(f"return np.zeros({shape})"), _noise()) is Reason.ERROR


def test_axes_of_length_one_do_not_matter(external: Write) -> None:
    """``(1, 1, samples)`` is one waveform."""
    samples = _noise()

    assert np.array_equal(_restored(external("return samples[None, None]"), samples), samples)


def test_an_answer_that_is_no_frame_is_a_reason(interpreter: Path, tmp_path: Path) -> None:
    """A worker that does not keep standard output to itself is ended, not believed."""
    script = tmp_path / "worker.py"
    script.write_text(
        "import json, struct, sys\n"
        "def write(body): sys.stdout.buffer.write(body); sys.stdout.buffer.flush()\n"
        "head = dict(answer='loaded', protocol=1, name='', sample_rate=None, sampling=False, arrays=[])\n"
        "body = json.dumps(head).encode()\n"
        "sys.stdin.buffer.read(4)\n"
        "write(struct.pack('<I', len(body)) + body)\n"
        "while True: write(b'loading 100% \\n')\n"
    )
    model = External(interpreter_path=interpreter, script_path=script)
    model.load("cpu")

    assert _reason(model, _noise()) is Reason.ERROR


def test_what_is_missing_stops_the_run(external: Write) -> None:
    """Weights and packages that are not there would be missed by the next record too."""
    with pytest.raises(MissingWeightsError, match="no weights at all"):
        external("return samples", load="raise MissingError('no weights at all')")
    with pytest.raises(MissingWeightsError, match="no_such_package"):
        external("return samples", load="import no_such_package")
    with pytest.raises(MissingWeightsError, match="not_needed_before"):
        _restored(external("import not_needed_before"), _noise())


def test_a_worker_that_does_not_load_stops_the_run(external: Write) -> None:
    """An error while loading, or a death, is told with its last words."""
    with pytest.raises(RunError, match="ValueError: bad weights"):
        external("return samples", load="raise ValueError('bad weights')")
    with pytest.raises(RunError, match="too little memory"):
        external("return samples", load="sys.stderr.write('too little memory'); os._exit(1)")


def test_a_model_that_is_another_than_said_is_refused(external: Write) -> None:
    """The rate of the settings and of the worker must be one."""
    with pytest.raises(ConfigError, match="sample rate 44100, and the settings say 16000"):
        external("return samples", rate=44_100, model_sample_rate=16_000)


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Interpreter and script are both missed at once, with where to read how they are made."""
    model = External(interpreter_path=tmp_path / "gone", script_path=tmp_path / "none.py")

    with pytest.raises(MissingWeightsError, match=r"gone.*none\.py.*README"):
        model.pinned()


def test_is_known_by_its_script_and_not_by_its_places(external: Write, tmp_path: Path) -> None:
    """The interpreter's place and our patience change nothing; another script, setting or revision does."""
    model = external("return samples")
    patient, revised = (model.model_copy(update=u) for u in ({"timeout_s": 9.0}, {"revision": "torch 2"}))

    assert patient.fingerprint_params == model.fingerprint_params
    assert revised.fingerprint_params != model.fingerprint_params
    assert external("return -samples").fingerprint_params != model.fingerprint_params
    assert str(tmp_path) not in str(model.fingerprint_params)
    with pytest.raises(MissingWeightsError, match=r"worker\.py has SHA-256"):
        model.pinned()


def test_survives_the_way_to_a_worker(external: Write) -> None:
    """A loaded model is pickled without its process, and loads another."""
    model = external("return samples")

    sent = pickle.loads(pickle.dumps(model))
    sent.load("cpu")

    assert sent.spec == model.spec
    assert _restored(sent, _noise()).size == 5_000
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


def test_the_worker_ends_with_its_parent(interpreter: Path, tmp_path: Path) -> None:
    """A parent that is killed without warning leaves no orphan, even one that is busy."""
    script = tmp_path / "worker.py"
    script.write_text(BODY.format(rate=None, sampling=False, load="pass", restore="time.sleep(60)"))
    code = (
        "import os, threading, psutil, numpy as np\n"
        "from stages.external import Environment, ExternalModel\n"
        "from pathlib import Path\n"
        f"model = ExternalModel('m', Environment(Path({str(interpreter)!r}), Path({str(script)!r})), 60.0)\n"
        "model.load('cpu', None)\n"
        "threading.Timer(0.5, lambda: os.kill(os.getpid(), 9)).start()\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "model.restore(np.zeros(9, dtype=np.float32), 16_000, 0, {})"
    )

    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    child = int(said.stdout)
    deadline = time.monotonic() + 10.0
    while psutil.pid_exists(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(child)
