"""Processes of a survey: one that is killed by a recording takes no other recording with it."""

import os
from collections.abc import Callable
from pathlib import Path

import soundfile

from pipeline.survey.workers import BATCH, survey_all
from schemas import Reason, Source, Status
from stages.ingest.stage import IngestSettings
from tests.support.bundled_speech import bundled
from tests.support.small_corpora import listed


class DeadlySource(Source):
    """Kills the process that is handed it, as a decoder does that runs into a damaged file."""

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        """Be taken out of its box as the end of the process."""
        return os._exit, (1,)


def test_a_recording_that_kills_its_process_is_crashed_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Its neighbours in the same batch, and those that were waiting, are surveyed."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, bundled(1).samples, 16_000)
    said = listed(path)[0].model_dump()
    sources = [Source(**{**said, "id": str(number)}) for number in range(2 * BATCH)]
    sources[3] = DeadlySource(**{**said, "id": "deadly"})

    found = {one.source.id: one for batch in survey_all(sources, IngestSettings(), 1) for one in batch}

    assert (found["deadly"].status, found["deadly"].reason) == (Status.FAILED, Reason.CRASHED)
    assert len(found) == len(sources)
    assert all(one.is_ok for name, one in found.items() if name != "deadly")
