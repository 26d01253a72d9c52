"""A model in an environment of its own: what becomes of crashes, hangs and garbage."""

import time
from pathlib import Path

import numpy as np
import pytest

from schemas import BrokenError, ConfigError, MissingWeightsError, Reason, RunError
from stages.restorers.external import External
from tests.support.external_workers import Write, reason_of, restored
from tests.support.speech_like import white_noise


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

    assert reason_of(model, np.ones(9, dtype=np.float32)) is Reason.CRASHED
    assert diary.read_text() == "xx"
    diary.unlink()
    once = np.full(9, 2, dtype=np.float32)
    assert np.array_equal(restored(model, once), once)
    assert diary.read_text() == "xx"


def test_last_words_are_in_the_log(external: Write, caplog: pytest.LogCaptureFixture) -> None:
    """What a lost worker wrote to its standard error tells why it was lost."""
    model = external("sys.stderr.write('the GPU fell out')\nsys.stderr.flush()\nos._exit(3)")

    with caplog.at_level("WARNING", logger="unanimous"):
        reason_of(model, white_noise())

    assert "the GPU fell out" in caplog.text


def test_a_hang_is_timed_out(external: Write) -> None:
    """The worker is killed after the time it has, and the next input gets a new one."""
    model = external("time.sleep(60 * float(samples[0]))\nreturn samples", timeout_s=1.5)
    begin = time.monotonic()

    assert reason_of(model, np.ones(9, dtype=np.float32)) is Reason.TIMED_OUT
    assert restored(model, np.zeros(9, dtype=np.float32)).size == 9
    assert time.monotonic() - begin < 10.0


def test_an_exception_keeps_its_words_to_itself(external: Write, caplog: pytest.LogCaptureFixture) -> None:
    """The reason holds the exception's class; its message is in the log; the worker goes on."""
    model = external("if samples[0] == 1:\n    raise KeyError('secret/path')\nreturn samples")
    with caplog.at_level("WARNING", logger="unanimous"), pytest.raises(BrokenError) as caught:
        restored(model, np.ones(9, dtype=np.float32))

    assert (caught.value.reason, caught.value.detail) == (Reason.ERROR, "KeyError")
    assert "secret/path" in caplog.text
    assert restored(model, np.zeros(9, dtype=np.float32)).size == 9


@pytest.mark.parametrize(
    "error", ["MemoryError", "RuntimeError('CUDA out of memory. Tried to allocate 2 GiB')"]
)
def test_memory_that_runs_out_is_told_apart(external: Write, error: str) -> None:
    """The reason says what to do about it, in the words of old versions of torch too."""
    assert reason_of(external(f"raise {error}"), white_noise()) is Reason.OUT_OF_MEMORY


def test_a_worker_that_lost_its_gpu_is_replaced(external: Write) -> None:
    """Nothing would work in it any more, so that the next input gets a new one."""
    model = external(
        "if samples[0] == 1:\n"
        "    raise RuntimeError('CUDA error: device-side assert triggered')\n"
        "return 0 * samples + os.getpid()"
    )
    before = restored(model, np.zeros(9, dtype=np.float32))[0]

    assert reason_of(model, np.ones(9, dtype=np.float32)) is Reason.ERROR
    assert restored(model, np.zeros(9, dtype=np.float32))[0] != before


@pytest.mark.parametrize("shape", ["(2, 9)", "(3, 1, 3)"])
def test_more_than_one_waveform_is_a_reason(external: Write, shape: str) -> None:
    """Two channels are not one, and nobody guesses which is meant."""
    assert reason_of(external(f"return np.zeros({shape})"), white_noise()) is Reason.ERROR


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

    assert reason_of(model, white_noise()) is Reason.ERROR


def test_what_is_missing_stops_the_run(external: Write) -> None:
    """Weights and packages that are not there would be missed by the next record too."""
    with pytest.raises(MissingWeightsError, match="no weights at all"):
        external("return samples", load="raise MissingError('no weights at all')")
    with pytest.raises(MissingWeightsError, match="no_such_package"):
        external("return samples", load="import no_such_package")
    with pytest.raises(MissingWeightsError, match="not_needed_before"):
        restored(external("import not_needed_before"), white_noise())


def test_a_worker_that_does_not_load_stops_the_run(external: Write) -> None:
    """An error while loading, or a death, is told with its last words."""
    with pytest.raises(RunError, match="ValueError: bad weights"):
        external("return samples", load="raise ValueError('bad weights')")
    with pytest.raises(RunError, match=r"worker\.py: .* died \(exit code 1\); it said: too little memory"):
        external("return samples", load="sys.stderr.write('too little memory'); os._exit(1)")
    with pytest.raises(RunError, match=r"died \(exit code 2\); it said: usage: model"):
        external("return samples", load="sys.stderr.write('usage: model\\n'); sys.exit(2)")


def test_an_exit_is_its_record_s(external: Write) -> None:
    """A library that ends the process for one input means that input, as it would in this process."""
    model = external("if samples[0] == 1:\n    sys.exit('no speech')\nreturn 0 * samples + os.getpid()")
    before = restored(model, np.zeros(9, dtype=np.float32))[0]

    assert reason_of(model, np.ones(9, dtype=np.float32)) is Reason.ERROR
    assert restored(model, np.zeros(9, dtype=np.float32))[0] == before


def test_a_death_is_told_by_its_signal(external: Write, caplog: pytest.LogCaptureFixture) -> None:
    """Which worker it was and what ended it are in the log, for a crash in C code says nothing itself."""
    model = external("os.kill(os.getpid(), 11)")

    with caplog.at_level("WARNING", logger="unanimous"):
        reason_of(model, white_noise())

    assert "external worker.py: its worker died (SIGSEGV)" in caplog.text


@pytest.mark.parametrize(
    ("stated", "said"),
    [("output_rate = 0", "output_rate 0: Input should be greater"), ("sample_rate = 'high'", "'high'")],
)
def test_a_model_that_cannot_be_is_told(external: Write, stated: str, said: str) -> None:
    """What a worker says of its model that no model can be is named."""
    with pytest.raises(RunError, match=said):
        external("return samples", load=f"type(self).{stated}")


def test_a_model_that_is_another_than_said_is_refused(external: Write) -> None:
    """The rate of the settings and of the worker must be one."""
    with pytest.raises(ConfigError, match="sample rate 44100, and the settings say 16000"):
        external("return samples", rate=44_100, model_sample_rate=16_000)


def test_a_licence_that_is_another_than_said_is_refused(external: Write, tmp_path: Path) -> None:
    """It travels to each row; of weights that the config names, the config alone can tell."""
    states = {"load": "type(self).licence = 'CC-BY-NC-4.0'", "model_licence": "MIT"}
    (tmp_path / "weights").write_text("weights")

    with pytest.raises(ConfigError, match=r"worker says licence CC-BY-NC-4\.0, and the settings say MIT"):
        external("return samples", **states)

    external("return samples", path=tmp_path / "weights", **states)


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Interpreter and script are both missed at once, with where to read how they are made."""
    model = External(interpreter_path=tmp_path / "gone", script_path=tmp_path / "none.py")

    with pytest.raises(MissingWeightsError, match=r"gone.*none\.py.*README"):
        model.with_digests()
