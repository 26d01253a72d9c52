"""Calling a model: who meets whom in a call, under what, and what happens when memory does not suffice."""

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest

from schemas import Reason, RunError, Status
from stages.audio.waveform import Waveform
from stages.operators.restorer import MixedPrecision, Restorer
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, ModelRequest, group_by_length, load_model
from stages.runtime.attempt import Attempt

torch = pytest.importorskip("torch")

HELD: list[list[float]] = []
"""The lengths of the inputs of each call, in seconds."""


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    HELD.clear()
    yield
    HELD.clear()


class Batched(Restorer):
    """A model that takes ten seconds at once, adds noise, and fails as the test says."""

    kind: ClassVar[str] = "batched_for_tests"
    sampling: ClassVar[bool] = True
    batch_s: ClassVar[float] = 10.0
    most: int = 100
    """How many inputs its memory holds."""
    refused_s: float = 0.0

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the inputs with a little noise."""
        HELD.append([waveform.duration_s for waveform in batch])
        outputs = [
            each.with_samples(each.samples + 0.01 * stream.standard_normal(each.samples.size))
            for each, stream in zip(batch, streams, strict=True)
        ]
        if len(batch) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if any(waveform.duration_s == self.refused_s for waveform in batch):
            raise ValueError("not this one")
        return outputs


class Global(Batched):
    """A model that knows global generators only."""

    global_randomness: ClassVar[bool] = True

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the inputs, each a little louder."""
        HELD.append([waveform.duration_s for waveform in batch])
        return [
            each.scale(1.0 + random.random() + float(np.random.random()) + float(torch.rand(1)))  # noqa: NPY002
            for each in batch
        ]


class Single(Batched):
    """A model without a batch dimension."""

    batch_s: ClassVar[float] = 0.0


class Tolerant(Batched):
    """A model whose bits depend on its company."""

    tolerance: ClassVar[float] = 1e-5


class Matrix(MixedPrecision):
    """A model of one matrix product, that also says what it was called under."""

    kind: ClassVar[str] = "matrix_for_tests"

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the inputs as often rounded as the precision asks for."""
        assert torch.is_inference_mode_enabled()
        outputs = []
        for waveform in batch:
            square = torch.from_numpy(waveform.samples[:1024].reshape(32, 32).copy())
            product = square @ torch.eye(32)
            outputs.append(waveform.with_samples(product.float().reshape(-1).numpy()))
        return outputs


def questions(*lengths_s: float) -> list[ModelRequest]:
    """Return one question for each length, each with a stream of its own."""
    return [
        ModelRequest(
            f"question {place}",
            length_s,
            partial(Waveform, np.ones(round(1_000 * length_s), np.float32), 1_000),
            partial(rng_for, 0, "question", place),
        )
        for place, length_s in enumerate(lengths_s)
    ]


def samples(answers: Sequence[Attempt[Waveform]]) -> list[list[float]]:
    """Return what was answered."""
    return [each.value.samples.tolist() if each.value else [] for each in answers]


def test_groups_are_of_about_one_length_and_within_the_budget() -> None:
    """Longest first; a group is as many as the longest of them allows; what is too long goes alone."""
    lengths = [1.0, 12.0, 3.0, 0.5, 5.0, 1.0, 4.0, 1.0]

    groups = list(group_by_length(lengths, lambda length: (1, length), 10.0))

    assert groups == [[12.0], [5.0, 4.0], [3.0, 1.0, 1.0], [1.0, 0.5]]


def test_items_of_several_inputs_count_as_many() -> None:
    """Three takes of two seconds are six seconds."""
    groups = list(group_by_length("abcd", lambda _: (3, 2.0), 12.0))

    assert groups == [["a", "b"], ["c", "d"]]


def test_answers_come_in_the_order_of_the_questions() -> None:
    """However they were grouped, and bit for bit as if each had been asked alone."""
    lengths = (1.0, 4.0, 0.2, 4.0, 3.0, 2.0)
    alone = [answer for each in questions(*lengths) for answer in ModelCalls().results(Batched(), [each])]
    HELD.clear()

    together = ModelCalls().results(Batched(), questions(*lengths))

    assert HELD == [[4.0, 4.0], [3.0, 2.0, 1.0], [0.2]]
    assert samples(together) == samples(alone)


def test_without_a_batch_dimension_one_after_the_other() -> None:
    """A model that loops gains nothing from company."""
    ModelCalls().results(Single(), questions(1.0, 1.0))

    assert HELD == [[1.0], [1.0]]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_out_of_memory_halves_the_batch_and_the_answers_say_so(most: int) -> None:
    """Down to what fits; the answers are the same, since streams begin anew."""
    unharmed = ModelCalls().results(Batched(), questions(*[1.0] * 8))
    HELD.clear()

    answers = ModelCalls().results(Batched(most=most), questions(*[1.0] * 8))

    sizes = [len(held) for held in HELD]
    assert sizes[0] == 8
    assert max(size for size in sizes if size <= most) == min(most, 2)
    assert samples(answers) == samples(unharmed)
    assert {answer.outcome.detail for answer in answers} == {"out of memory with 8 inputs at once"}
    assert {answer.outcome.status for answer in answers} == {Status.OK}


def test_what_does_not_even_fit_alone_is_a_reason() -> None:
    """A batch of one that is too much is out of memory, and the table says nothing of sizes."""
    answers = ModelCalls().results(Batched(most=0), questions(1.0, 2.0))

    assert [answer.outcome.reason for answer in answers] == [Reason.OUT_OF_MEMORY] * 2
    assert "GiB" not in str([answer.outcome for answer in answers])


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory",
        "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried",
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0",
    ],
)
def test_memory_has_many_words(words: str) -> None:
    """Torch and onnxruntime say it in messages only."""

    class Full(Batched):
        def restore(self, batch, streams):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG002
            raise RuntimeError(words)

    (answer,) = ModelCalls().results(Full(), questions(1.0))

    assert answer.outcome.reason is Reason.OUT_OF_MEMORY


def test_a_lost_gpu_stops_the_run() -> None:
    """No record is to blame for it."""

    class Lost(Batched):
        def restore(self, batch, streams):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG002
            raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RunError, match="device-side assert"):
        ModelCalls().results(Lost(), questions(1.0))


def test_a_bad_input_does_not_take_its_neighbours_along() -> None:
    """Each is tried alone, with its stream from the beginning."""
    unharmed = ModelCalls().results(Batched(), questions(1.0, 2.0, 1.5))

    answers = ModelCalls().results(Batched(refused_s=2.0), questions(1.0, 2.0, 1.5))

    assert [answer.outcome.is_ok for answer in answers] == [True, False, True]
    assert samples(answers)[::2] == samples(unharmed)[::2]


def test_models_of_global_generators_are_called_one_by_one_from_the_stream() -> None:
    """Company, order and what was drawn before change nothing; other streams do."""
    alone = [ModelCalls().results(Global(), [each]) for each in questions(1.0, 1.0, 2.0)]
    random.random()
    HELD.clear()

    together = ModelCalls().results(Global(), questions(1.0, 1.0, 2.0))

    assert [len(held) for held in HELD] == [1, 1, 1]
    assert samples(together) == [samples(answers)[0] for answers in alone]
    assert samples(together)[0] != samples(together)[1]


def test_company_of_other_records_is_for_whoever_keeps_the_bits() -> None:
    """On the CPU rows do not depend on where a shard ends; on a GPU they are promised by digest."""
    calls = ModelCalls()

    assert calls.can_share_batches(Batched())
    assert not calls.can_share_batches(Tolerant())
    calls.device = "cuda:0"
    assert calls.can_share_batches(Tolerant())
    assert not calls.can_share_batches(Matrix())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_precision_is_what_was_asked_for(precision: str) -> None:
    """Full by default; in 16 bits the model rounds as that format does, and the spec says so."""
    value = 1.0 + 2.0**-12  # has more digits than either format
    one = ModelRequest(
        "one", 1.0, lambda: Waveform(np.full(1024, value, np.float32), 1_000), lambda: rng_for(0)
    )

    (full,) = ModelCalls().results(Matrix(), [one])
    (rounded,) = ModelCalls().results(Matrix(precision=precision), [one])

    assert full.value is not None
    assert rounded.value is not None
    assert full.value.samples[0] == np.float32(value)
    assert rounded.value.samples[0] == 1.0
    assert Matrix().fingerprint_params != Matrix(precision=precision).fingerprint_params


class Recurrent(MixedPrecision):
    """A model without a kernel for its precision, or for anything."""

    kind: ClassVar[str] = "recurrent_for_tests"
    lacks_all: bool = False

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Draw from generators that it was not given, then fail as its kernels do."""
        torch.rand(1)
        random.random()
        if self.lacks_all or torch.is_autocast_enabled("cpu"):
            raise NotImplementedError("no kernel for this. See the manual")
        return batch


def test_a_precision_without_a_kernel_is_found_when_a_model_is_loaded() -> None:
    """Before any record is lost, with the way out; the model itself is as it was, and so is what draws."""
    before = torch.get_rng_state(), random.getstate()

    with pytest.raises(RunError) as told:
        load_model(Recurrent(precision="bfloat16"), "cpu")

    assert str(told.value) == (
        "this processor cannot run recurrent_for_tests in bfloat16: no kernel for this; "
        "set precision: float32, or run on a GPU"
    )
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()


@pytest.mark.parametrize("settings", [{}, {"precision": "bfloat16", "lacks_all": True}])
def test_what_is_not_about_precision_is_left_to_the_records(settings: Mapping[str, Any]) -> None:
    """A model in 32 bits is not tried, and one that fails at a trial in either way may mind its length."""
    load_model(Recurrent(**settings), "cpu")


def test_precision_is_one_for_all_takes() -> None:
    """It is tried once, when the model is loaded."""
    assert "precision" in Recurrent.undrawable()


def test_time_inside_the_model_is_known() -> None:
    """With the seconds of audio that it was given."""
    calls = ModelCalls()

    calls.results(Batched(), questions(1.0, 4.0))

    assert calls.time.audio_s == pytest.approx(5.0)
    assert 0.0 < calls.time.inside_s < 5.0
    assert calls.time.real_time_factor == pytest.approx(calls.time.inside_s / 5.0)
