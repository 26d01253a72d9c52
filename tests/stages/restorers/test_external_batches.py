"""Several inputs in one call of a model in an environment of its own."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import Degraded, Reason, Restored, Status
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.restore.calls import ModelCalls
from stages.restore.stage import RestoreStage
from stages.restorers.external import External
from tests.support.speech_like import speech_like

GUIDE = Path(__file__).parents[3] / "stages" / "restorers" / "workers" / "README.md"
RATE = 16_000
WORKER = """
import os
import numpy as np
from unanimous_worker import serve

class Model:
    sample_rate = 16000
    sampling = True

    def load(self, device, weights):
        pass

    def restore(self, samples, sample_rate, seed, settings):
        note(1)
        if settings.get("loud", 9) < abs(samples).max():
            raise ValueError("too loud")
        return samples + 1e-3 * np.random.RandomState(seed % 2**32).standard_normal(samples.size)

    def restore_batch(self, arrays, sample_rate, seeds, settings):
        note(len(arrays))
        if len(arrays) > settings.get("most", 9):
            raise MemoryError
        if any(settings.get("loud", 9) < abs(samples).max() for samples in arrays):
            os._exit(1)
        noise = [np.random.RandomState(s % 2**32).standard_normal(a.size) for s, a in zip(seeds, arrays)]
        return [a + 1e-3 * n for a, n in zip(arrays, noise)]

def note(count):
    with open(os.environ["CALLS"], "a") as file:
        file.write(str(count) + " ")

serve(Model())
"""


@pytest.fixture
def batched(tmp_path: Path, interpreter: Path) -> Iterator[Callable[..., External]]:
    """Return a function that starts the worker above, for calls of ten seconds unless told otherwise."""
    models = []

    def start(batch_seconds: float = 10.0, **settings: Any) -> External:
        (tmp_path / "calls").write_text("")
        (tmp_path / "worker.py").write_text(WORKER)
        model = External(
            interpreter_path=interpreter,
            script_path=tmp_path / "worker.py",
            environment_variables={"CALLS": str(tmp_path / "calls")},
            model_sample_rate=RATE,
            model_sampling=True,
            batch_seconds=batch_seconds,
            batch_tolerance=0.0,
            settings=settings,
        ).with_digests()
        model.load("cpu")
        models.append(model)
        return model

    yield start
    for model in models:
        model.close()


def records(*peaks: float) -> list[Degraded]:
    """Return a second of speech for each peak."""
    speech = speech_like(1.0)
    loudest = np.abs(speech.samples).max()
    audio = [encode_flac(Waveform(speech.samples * np.float32(peak / loudest), RATE)) for peak in peaks]
    return [Degraded(id=f"corpus/{n}", degraded=each, clean=each) for n, each in enumerate(audio)]


def restored(model: External, given: list[Degraded]) -> list[Restored]:
    """Return the rows of ``given``, which may meet in a call."""
    stage = RestoreStage("model", model, num_takes=2, draws={}, seed=0, cache=AudioCache())
    return [row for batch in stage.batches(given) for row in stage.process(batch)]


def calls(folder: Path) -> list[int]:
    """Return how many inputs each call had."""
    return [int(count) for count in (folder / "calls").read_text().split()]


def test_inputs_travel_together(batched: Callable[..., External], tmp_path: Path) -> None:
    """Three recordings with two takes each are one call, and the rows are those that they get alone."""
    given = records(0.5, 0.4, 0.3)

    together = restored(batched(), given)

    assert calls(tmp_path) == [6]
    alone = restored(batched(batch_seconds=0.0), given)
    assert calls(tmp_path) == [1] * 6
    assert together == alone
    assert all(take.is_ok for row in together for take in row.takes)


def test_what_does_not_fit_is_asked_in_halves(batched: Callable[..., External], tmp_path: Path) -> None:
    """A worker that runs out of memory is given fewer, and the rows say so."""
    rows = restored(batched(most=2), records(0.5, 0.4))

    assert calls(tmp_path) == [4, 2, 2]
    assert all(take.is_ok and "out of memory" in (take.detail or "") for row in rows for take in row.takes)


def test_a_death_is_its_own_input_s(batched: Callable[..., External], tmp_path: Path) -> None:
    """Where a call kills the worker, each input is asked alone: only the one that is bad has no value."""
    good, bad = restored(batched(loud=0.6), records(0.5, 0.9))

    assert (good.status, bad.status) == (Status.OK, Status.FAILED)
    assert {take.reason for take in bad.takes} == {Reason.ERROR}
    assert calls(tmp_path) == [4, 4, 1, 1, 1, 1]


def test_each_output_has_the_length_of_its_input(batched: Callable[..., External]) -> None:
    """Lengths differ within a call."""
    inputs = [speech_like(seconds) for seconds in (1.0, 0.9)]
    streams = [np.random.default_rng(n) for n in range(2)]

    outputs = ModelCalls().outputs(batched(), inputs, streams)

    assert [each.samples.size for each in outputs] == [each.samples.size for each in inputs]


def test_the_batches_of_the_guide_run(tmp_path: Path, interpreter: Path) -> None:
    """The guide's method, put into the guide's class, restores inputs of two lengths at once."""
    blocks = [block.partition("```")[0] for block in GUIDE.read_text().split("```python\n")[1:]]
    worker = next(textwrap.dedent(block) for block in blocks if "class Mine" in block)
    method = next(block for block in blocks if "def restore_batch" in block)
    ours = method.replace("restored = self.model(", "assert len(arrays) == 2\n        restored = self.model(")
    begin, serve, end = worker.rpartition("\n\nserve(")
    script = tmp_path / "worker.py"
    script.write_text(
        "import numpy as np\n" + begin + "\n" + textwrap.indent(textwrap.dedent(ours), "    ") + serve + end
    )
    (tmp_path / "mymodel.py").write_text(
        "class load:\n"
        "    def __init__(self, path): pass\n"
        "    def to(self, device): return self\n"
        "    def __call__(self, samples, steps): return steps * samples\n"
    )
    model = External(
        interpreter_path=interpreter,
        script_path=script,
        repository_path=tmp_path,
        path=script,
        model_sample_rate=RATE,
        model_sampling=True,
        batch_seconds=10.0,
        settings={"steps": 2},
    )
    model.load("cpu")
    inputs = [speech_like(seconds) for seconds in (1.0, 0.9)]

    outputs = ModelCalls().outputs(model, inputs, [np.random.default_rng(n) for n in range(2)])

    assert all(np.array_equal(o.samples, 2 * i.samples) for o, i in zip(outputs, inputs, strict=True))
    model.close()


def test_company_needs_one_rate(tmp_path: Path) -> None:
    """A frame has one rate, so a model for any rate is given one input per call."""
    with pytest.raises(ValidationError, match="batch_seconds needs model_sample_rate"):
        External(interpreter_path=tmp_path, script_path=tmp_path, batch_seconds=10.0)
