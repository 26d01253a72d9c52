"""A corpus surveyed: listed, looked at by all cores, and put together."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing

from pipeline.sources.corpora import Corpus, list_sources
from pipeline.survey.neighbours import find_neighbours
from pipeline.survey.oddities import KINDS, oddities_of
from pipeline.survey.records import Copies, Neighbours, Oddity, Survey, SurveyedRecording
from pipeline.survey.summary import summarise
from pipeline.survey.workers import survey_all
from schemas import Source
from stages.ingest.stage import IngestSettings

OnFiles = Callable[[int, int], None]
"""Told how many files were read for their digests, of how many."""
OnRecordings = Callable[[int, int, float], None]
"""Told how many recordings are done, of how many, and how many seconds they hold."""


def survey_corpus(
    corpus: Corpus, ingest: IngestSettings, workers: int, on_files: OnFiles, on_recordings: OnRecordings
) -> Survey:
    """Return what ``corpus`` holds, and what a run with these settings would make of it. Writes nothing.

    Raises ``ConfigError`` for a corpus that a run could not list, and ``RunError`` for what every recording
    would meet.
    """
    sources = list_sources([corpus], progress=on_files).sources
    found = _survey_each(sources, ingest, workers, on_recordings)
    neighbours = find_neighbours(corpus.path, sources)
    copies = _find_copies(found)
    recordings = _with_oddities(found, copies, neighbours)
    return Survey(
        corpus=corpus,
        ingest=ingest,
        summary=summarise(recordings),
        copies=copies,
        neighbours=neighbours,
        recordings=tuple(recordings),
    )


def _survey_each(
    sources: Sequence[Source], ingest: IngestSettings, workers: int, told: OnRecordings
) -> list[SurveyedRecording]:
    """Return what was found in the order of ``sources``."""
    by_id: dict[str, SurveyedRecording] = {}
    seconds = 0.0
    with closing(survey_all(sources, ingest, workers)) as batches:
        for batch in batches:
            by_id |= {one.source.id: one for one in batch}
            seconds += sum(one.duration_s for one in batch)
            told(len(by_id), len(sources), seconds)
    return [by_id[source.id] for source in sources]


def _find_copies(recordings: Sequence[SurveyedRecording]) -> tuple[Copies, ...]:
    """Return groups of recordings of the same samples; digests of silence say nothing."""
    members = defaultdict[str, list[SurveyedRecording]](list)
    for one in recordings:
        if one.measured is not None and one.measured.active_level_db is not None:
            members[one.measured.audio].append(one)
    return tuple(
        Copies(
            ids=tuple(one.source.id for one in ones),
            same_bytes=len({one.source.content for one in ones}) == 1,
        )
        for ones in members.values()
        if len(ones) > 1
    )


def _with_oddities(
    recordings: Sequence[SurveyedRecording], copies: Sequence[Copies], neighbours: Neighbours
) -> list[SurveyedRecording]:
    """Return recordings with what stands out about each by itself and beside the others."""
    copied = {name for group in copies for name in group.ids}
    have_text = any(one.source.transcript for one in recordings)
    bare = set(neighbours.audio_without_text)
    found = []
    for one in recordings:
        names = [*oddities_of(one)]
        names += [Oddity.COPY] if one.source.id in copied else []
        lacks = KINDS[Oddity.NO_TRANSCRIPT].badness(one) is not None
        names += [Oddity.NO_TRANSCRIPT] if lacks and (have_text or one.source.name in bare) else []
        found.append(one.model_copy(update={"oddities": tuple(names)}))
    return found
