"""Who works on a cluster: GPUs and environments are held for a purpose, and nobody waits for ever."""

from collections import Counter

import pytest

from pipeline.execution.ray.scaling import Capacity, classes_to_release
from pipeline.tables.tickets import CPU, gpus_of

ONE_GPU = Capacity(cpus=4, gpus=1.0)


@pytest.mark.parametrize(
    ("resource", "gpus"),
    [(CPU, 0.0), ("gpu:0.5", 0.5), ("gpu:1 sgmse", 1.0), ("cpu voicefixer", 0.0), (None, 0.0)],
)
def test_a_class_says_its_share_of_a_gpu(resource: str | None, gpus: float) -> None:
    """An environment's name does not change it."""
    assert gpus_of(resource) == gpus


def test_gpus_are_shared_by_all_classes() -> None:
    """What one class holds is not there for another; three thirds are one."""
    third = f"gpu:{1 / 3}"

    assert ONE_GPU.room_for("gpu:1 sgmse", {}) == 1
    assert ONE_GPU.room_for("gpu:1 sgmse", {"gpu:1 flowse": 1}) == 0
    assert ONE_GPU.room_for("gpu:0.5", {"gpu:0.5 flowse": 1}) == 1
    assert ONE_GPU.room_for(third, {third: 2}) == 1


def test_environments_without_a_gpu_have_places_of_their_own() -> None:
    """As many as there are CPUs, beside the CPU workers, which are idle while a worker process computes."""
    assert ONE_GPU.room_for("cpu voicefixer", {CPU: 4}) == 4
    assert ONE_GPU.room_for("cpu voicefixer", {CPU: 4, "cpu voicefixer": 4}) == 0
    assert Capacity(cpus=0, gpus=0.0).room_for(CPU, {}) == 1


def test_workers_go_when_their_tickets_have_run_out() -> None:
    """The GPU and the environment are given back; CPU workers stay."""
    held = Counter({CPU: 4, "gpu:1": 1, "cpu voicefixer": 2})

    leaving = classes_to_release(held, Counter({"gpu:1": 1}), Counter({"gpu:1": 1}), ONE_GPU)

    assert leaving == {"cpu voicefixer"}


def test_who_waits_for_another_makes_room_for_it() -> None:
    """A class with nothing ready gives its GPU to one that has: its own tickets may depend on that."""
    held = Counter({"gpu:1 sgmse": 1})
    waiting = Counter({"gpu:1 sgmse": 5, "gpu:1": 1})

    assert classes_to_release(held, waiting, Counter({"gpu:1": 1}), ONE_GPU) == {"gpu:1 sgmse"}
    assert not classes_to_release(held, waiting, Counter({"gpu:1": 1}), Capacity(cpus=4, gpus=2.0))
    assert not classes_to_release(held, waiting, Counter({"gpu:1": 1, "gpu:1 sgmse": 1}), ONE_GPU)
