"""Working ahead: in time for the batch, in another thread, and never in the way."""

import threading

from stages.restore.calls import prefetched


def test_all_batches_come_in_order_and_all_but_the_first_are_prepared_before() -> None:
    """When a batch is there, it has been prepared, and only the one after it besides."""
    ready: list[int] = []
    seen = []

    for batch in prefetched(iter(range(5)), ready.append):
        assert batch in ready or batch == 0
        assert set(ready) <= set(range(1, batch + 2))
        seen.append(batch)

    assert seen == [0, 1, 2, 3, 4]
    assert ready == [1, 2, 3, 4]


def test_the_next_one_is_prepared_while_this_one_is_worked_on() -> None:
    """Work on the first batch sees the preparation of the second, in another thread."""
    begun = threading.Event()
    threads = []

    def prepare(_: int) -> None:
        threads.append(threading.get_ident())
        begun.set()

    batches = prefetched(iter(range(2)), prepare)
    next(batches)

    assert begun.wait(timeout=10.0)
    assert list(batches) == [1]
    assert threads != [threading.get_ident()]


def test_a_failed_preparation_is_left_to_the_batch() -> None:
    """Whoever processes the batch meets the same error, with the record's name at hand."""

    def prepare(_: int) -> None:
        raise ValueError("cannot be decoded")

    assert list(prefetched(iter(range(3)), prepare)) == [0, 1, 2]


def test_no_thread_is_left_behind() -> None:
    """Neither at the end nor when a run stops in the middle."""
    before = threading.active_count()
    batches = prefetched(iter(range(100)), lambda _: None)
    next(batches)
    next(batches)

    batches.close()

    assert threading.active_count() == before
