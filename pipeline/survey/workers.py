"""Many recordings at once: a process for each core, one thread in each, and a file that kills its process."""

import multiprocessing
import os
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Self

from pipeline.survey.measures import survey_recording
from pipeline.survey.records import SurveyedRecording
from pipeline.survey.worker_process import prepare_process
from schemas import Reason, RunError, Source, Status
from stages.ingest.stage import IngestSettings
from stages.threads import ONE_THREAD

BATCH = 16
"""Recordings per task: few enough for progress, enough to hide what a task costs."""
AHEAD = 3
"""Tasks per process that are handed out at a time: what is suspect if a process dies."""

START_METHOD = "forkserver"
"""A fork of this process may inherit a held lock; a new interpreter for each would import all again."""

Surveyed = list[SurveyedRecording]


def preload_workers() -> None:
    """Have processes forked from one that has imported what they need; for the whole of this process."""
    os.environ.update(ONE_THREAD)
    multiprocessing.get_context(START_METHOD).set_forkserver_preload([__name__])


def survey_all(
    sources: Sequence[Source], settings: IngestSettings, workers: int
) -> Generator[Surveyed, None, None]:
    """Yield what is found in batches, as they are done; the processes are gone when this ends, however.

    A recording that kills its process twice is ``failed``, with the reason ``crashed``.
    """
    batches = [tuple(sources[at : at + BATCH]) for at in range(0, len(sources), BATCH)]
    while batches:
        suspects = []
        with _Pool(settings, min(workers, len(batches))) as pool:
            while batches or pool.at_work:
                try:
                    pool.fill(batches)
                    yield from pool.take_done()
                except BrokenProcessPool:
                    suspects = pool.at_work
                    break
        yield from _survey_one_by_one([source for batch in suspects for source in batch], settings)


class _Pool:
    """Processes, and the batches that they are at work on."""

    def __init__(self, settings: IngestSettings, workers: int) -> None:
        os.environ.update(ONE_THREAD)  # for the processes to come
        self._survey = partial(_survey_batch, settings=settings)
        self._most = AHEAD * workers
        self._futures: dict[Future[Surveyed], tuple[Source, ...]] = {}
        self._executor = ProcessPoolExecutor(
            workers, mp_context=multiprocessing.get_context(START_METHOD), initializer=prepare_process
        )

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def _start(self) -> None:
        """See the first process begin, or raise ``RunError``."""
        # they inherit it: a Ctrl-C while they import is for who started them, and waits until they are there
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._executor.submit(os.getpid).result()
        except BrokenProcessPool as error:  # or else its first recordings would be blamed
            raise RunError("no process can be started: it ends before it is given anything to do") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self._executor.shutdown(cancel_futures=True)
            return
        processes = list((self._executor._processes or {}).values())  # noqa: SLF001 - public from 3.14 on
        for process in processes:
            process.terminate()
        self._executor.shutdown(cancel_futures=True)  # its thread sees them end, and is waited for
        for process in processes:
            process.join()

    @property
    def at_work(self) -> list[tuple[Source, ...]]:
        """The batches that were handed out and did not come back."""
        return list(self._futures.values())

    def fill(self, batches: list[tuple[Source, ...]]) -> None:
        """Hand out batches from the front, up to as many as may be under way."""
        while batches and len(self._futures) < self._most:
            self._futures[self._executor.submit(self._survey, batches[0])] = batches[0]
            del batches[0]

    def take_done(self) -> Iterator[Surveyed]:
        """Wait for a batch, and yield those that are done; raises ``BrokenProcessPool``."""
        for future in wait(self._futures, return_when=FIRST_COMPLETED).done:
            found = future.result()
            del self._futures[future]
            yield found


def _survey_batch(batch: Sequence[Source], settings: IngestSettings) -> Surveyed:
    return [survey_recording(source, settings) for source in batch]


def _survey_one_by_one(sources: Sequence[Source], settings: IngestSettings) -> Iterator[Surveyed]:
    """Yield what is found by one process, which gets one recording at a time and is replaced if it dies."""
    left = list(sources)
    while left:
        with _Pool(settings, 1) as pool:
            while left:
                source = left.pop(0)
                pool.fill([(source,)])
                try:
                    yield from pool.take_done()
                except BrokenProcessPool:
                    yield [_crashed(source)]
                    break


def _crashed(source: Source) -> SurveyedRecording:
    detail = "a process that reads it dies"
    return SurveyedRecording(source=source, status=Status.FAILED, reason=Reason.CRASHED, detail=detail)
