"""Isolation: what becomes of a metric that crashes, hangs or cannot be loaded."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from schemas import MissingWeightsError, Outcome, Reason, RunError, Status
from stages.audio.waveform import Waveform
from stages.metrics import METRICS
from stages.metrics.pesq import Pesq
from stages.operators import user_modules
from stages.operators.metric import Comparison, Measured
from stages.score.isolated_metric import IsolatedMetric
from tests.support.other_process import assert_ended
from tests.support.speech_like import noisy, speech_like

TROUBLE = '''
import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path

from schemas import MissingWeightsError, Outcome, Reason, Status, UnfitError
from stages.operators.metric import METRICS, Aspect, Better, Metric, Output


@METRICS.register
class Trouble(Metric):
    """Does what the first sample of the candidate says."""

    kind = "trouble"
    isolated = True
    outputs = {"": Output(aspect=Aspect.SIGNAL_FIDELITY, better=Better.HIGHER)}
    diary: str = ""
    at_load: str = ""

    def load(self, device):
        if self.at_load == "exit":
            os._exit(1)
        if self.at_load == "missing":
            raise MissingWeightsError("no weights")

    def score(self, batch):
        return [self._one(round(float(comparison.candidate.samples[0]))) for comparison in batch]

    def _one(self, what):
        if self.diary:
            with Path(self.diary).open("a") as diary:
                diary.write(f"{what}\\n")
        if what == 1:
            os._exit(3)
        if what == 2:
            ctypes.string_at(0)
        if what == 3:
            time.sleep(60)
        if what == 4:
            raise KeyError("secret/path")
        if what == 5:
            return Outcome(status=Status.UNFIT, reason=Reason.TOO_SHORT, detail="because")
        if what == 6:
            os.write(1, b"printed by C code" * 1000)
        if what == 8:
            ctypes.PyDLL(None).sleep(60)  # no thread of Python's goes on meanwhile
        if what == 7 and len(Path(self.diary).read_text().split()) == 1:
            os._exit(3)
        if what == 9:
            raise UnfitError(Reason.TOO_SHORT, "because")
        return {"": float(what)}
'''
FINE, EXITS, SEGFAULTS, HANGS, RAISES, UNFIT, PRINTS, EXITS_ONCE, HANGS_IN_FOREIGN_CODE, REFUSES = range(10)


@pytest.fixture(scope="module", autouse=True)
def _trouble() -> None:
    module = user_modules.OperatorModule(name="unanimous_user_trouble", path="trouble.py", source=TROUBLE)
    user_modules.install_modules([module])


def trouble(timeout_s: float = 20.0, **settings: str) -> IsolatedMetric:
    """Return the metric of the user's module in a process of its own."""
    return IsolatedMetric(METRICS["trouble"].model_validate(settings), timeout_s)


@pytest.fixture(scope="module")
def metric() -> Iterator[IsolatedMetric]:
    """Return the metric with patience for healthy calls only; a crash of its process is its own to mend."""
    metric = trouble()
    yield metric
    metric.close()


def told(*orders: int) -> list[Comparison]:
    """Return comparisons that order the metric about."""
    waveforms = [Waveform(np.full(100, order, dtype=np.float32), 16_000) for order in orders]
    return [Comparison(waveform, waveform) for waveform in waveforms]


def outcome(result: Measured | Outcome) -> float | Reason:
    """Return the value or the reason."""
    if isinstance(result, Outcome):
        assert result.reason is not None
        return result.reason
    return result[""]


@pytest.mark.parametrize("crash", [EXITS, SEGFAULTS])
def test_a_crash_is_one_comparisons_reason(metric: IsolatedMetric, crash: int) -> None:
    """Its neighbours in the batch have their values."""
    results = metric.score(told(FINE, crash, FINE))

    assert [outcome(result) for result in results] == [0.0, Reason.CRASHED, 0.0]


def test_a_crash_is_tried_once_more(tmp_path: Path) -> None:
    """What kills the process twice has crashed; what kills it once has its value."""
    diary = tmp_path / "diary"

    (twice,) = trouble(diary=str(diary)).score(told(EXITS))

    assert outcome(twice) is Reason.CRASHED
    assert diary.read_text().split() == ["1", "1"]

    diary.unlink()
    (once,) = trouble(diary=str(diary)).score(told(EXITS_ONCE))

    assert outcome(once) == 7.0


def test_a_hang_is_timed_out() -> None:
    """The process is killed after the time it has, and the next comparison gets a new one."""
    metric = trouble(timeout_s=1.5)
    metric.load("cpu")
    begin = time.monotonic()

    results = metric.score(told(HANGS, FINE))

    assert [outcome(result) for result in results] == [Reason.TIMED_OUT, 0.0]
    assert time.monotonic() - begin < 10.0


def test_an_exception_keeps_its_words_to_itself(metric: IsolatedMetric) -> None:
    """The reason holds the exception's class, as it would in this process, and not its message."""
    (result,) = metric.score(told(RAISES))

    assert isinstance(result, Outcome)
    assert (result.reason, result.detail) == (Reason.ERROR, "KeyError")


def test_a_reason_comes_back_as_it_was(metric: IsolatedMetric) -> None:
    """What the metric says of a comparison is what its caller hears, whether it was returned or raised."""
    results = metric.score(told(UNFIT, REFUSES))

    assert results == [Outcome(status=Status.UNFIT, reason=Reason.TOO_SHORT, detail="because")] * 2


def test_prints_do_not_come_between(metric: IsolatedMetric) -> None:
    """What C code prints goes to the log, not into the answers."""
    results = metric.score(told(PRINTS, FINE))

    assert [outcome(result) for result in results] == [6.0, 0.0]


def test_missing_weights_stop_the_run() -> None:
    """What the next record would meet too is raised here as it was there."""
    with pytest.raises(MissingWeightsError, match="no weights"):
        trouble(at_load="missing").load("cpu")


def test_dying_while_loading_stops_the_run() -> None:
    """A metric that cannot be loaded is not tried on record after record."""
    with pytest.raises(RunError, match="trouble"):
        trouble(at_load="exit").load("cpu")


def test_the_child_ends_when_it_is_let_go() -> None:
    """No process is left behind."""
    before = set(psutil.Process().children())
    metric = trouble()
    metric.load("cpu")
    (child,) = set(psutil.Process().children()) - before

    del metric

    assert not psutil.pid_exists(child.pid)


def test_the_child_has_one_thread_per_library() -> None:
    """Its environment says so, whatever the parent's says."""
    before = set(psutil.Process().children())
    metric = trouble()
    metric.load("cpu")
    (child,) = set(psutil.Process().children()) - before

    environment = child.environ()

    metric.close()
    assert {environment[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"1"}


@pytest.mark.parametrize("order", [FINE, HANGS, HANGS_IN_FOREIGN_CODE], ids=["idle", "busy", "foreign code"])
def test_the_child_ends_with_its_parent(order: int, tmp_path: Path) -> None:
    """A parent that is killed without warning leaves no orphan, whatever that is at."""
    (tmp_path / "trouble.py").write_text(TROUBLE)
    code = (
        "import os, sys, threading, psutil\n"
        "from pipeline.config.files import module_in\n"
        "from stages.operators import user_modules\n"
        "from tests.stages.score.test_isolated_metric import *\n"
        f"user_modules.install_modules([module_in(Path({str(tmp_path)!r}) / 'trouble.py')])\n"
        "metric = trouble(60.0); metric.load('cpu')\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), 9)).start()\n"
        f"metric.score(told({order})); threading.Event().wait()"
    )
    root = str(Path(__file__).parents[3])

    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )

    assert_ended(int(said.stdout))


def test_values_are_those_of_the_metric_itself() -> None:
    """PESQ in a process of its own is PESQ."""
    clean = speech_like()
    comparisons = [Comparison(noisy(clean, snr_db), clean) for snr_db in (5.0, 20.0)]
    direct = Pesq()
    direct.load("cpu")
    isolated = IsolatedMetric(Pesq(), 20.0)

    assert list(isolated.score(comparisons)) == list(direct.score(comparisons))
