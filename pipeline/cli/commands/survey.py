"""``survey``: what a corpus holds, as tables, as JSON and as a page."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from pipeline.execution.interrupts import catch_stop_signals
from pipeline.sources.corpora import Corpus
from pipeline.store.files import expand_home
from pipeline.store.local_files import file_at
from pipeline.survey.oddities import KINDS
from pipeline.survey.page import write_page
from pipeline.survey.records import Neighbours, RateGroup, Survey, SurveySummary
from pipeline.survey.survey import survey_corpus
from pipeline.survey.workers import preload_workers
from pipeline.text import align_columns, count, format_clock, format_digits, say
from schemas import UserError
from stages.ingest.stage import IngestSettings

SHOWN = 8
"""Rows of a table that may have any number of them."""
NAMED = 3
EVERY_S = 5.0
"""Between lines of progress where they cannot be written over."""


def survey_command(
    path: str,
    speaker: str | None,
    bounds: Mapping[str, float],
    html: Path | None,
    workers: int | None,
    *,
    as_json: bool,
) -> None:
    """Survey, write the page if asked, and print tables or JSON.

    Raises ``UserError`` for settings that cannot be, and for a page that would lie in the corpus.
    """
    corpus, ingest = _settings(path, speaker, bounds)
    if html is not None:
        _check_place(html, corpus)
    preload_workers()
    found = _survey(corpus, ingest, workers or len(os.sched_getaffinity(0)))
    if html is not None:
        write_page(found, html)
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    for line in survey_lines(found):
        say(line)
    if html is not None:
        say(f"\npage      {html}")


def _settings(path: str, speaker: str | None, bounds: Mapping[str, float]) -> tuple[Corpus, IngestSettings]:
    name = expand_home(path).absolute().stem.replace("#", "_") or "corpus"
    try:
        corpus = Corpus.model_validate({"name": name, "path": path, "speaker": speaker})
        return corpus, IngestSettings.model_validate(bounds)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{where}: {first['msg']}, got {first['input']!r}") from error


def _check_place(html: Path, corpus: Corpus) -> None:
    folder = expand_home(corpus.path).resolve()
    if html.resolve().is_relative_to(folder):
        raise UserError(
            f"{html} would lie in the corpus, into which nothing is written; name a place outside of {folder}"
        )
    try:
        file_at(html)
    except IsADirectoryError as error:
        raise UserError(f"{html} is a folder; --html names the file to write") from error


def _survey(corpus: Corpus, ingest: IngestSettings, workers: int) -> Survey:
    """Return the survey; one that is stopped ends with a sentence and a shell's exit code."""
    progress = ProgressLine()
    with catch_stop_signals() as interruption:
        try:
            return survey_corpus(corpus, ingest, workers, progress.show_files, progress.show_recordings)
        except KeyboardInterrupt:
            progress.end()
            sys.stderr.write("stopped; nothing was written\n")
            raise SystemExit(128 + (interruption.received or signal.SIGINT)) from None
        finally:
            progress.end()


class ProgressLine:
    """How far a survey is, on standard error: one line that is written over, or one every few seconds."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every_s = 0.2 if self._is_terminal else EVERY_S
        self._started = self._last = time.monotonic()
        self._is_open = False

    def show_files(self, done: int, total: int) -> None:
        """Tell how many files were read for their digests."""
        self._started = time.monotonic()  # what comes after is timed from here
        self._show(f"reading {done:,} of {total:,} files")

    def show_recordings(self, done: int, total: int, seconds: float) -> None:
        """Tell how many recordings are done, and how fast."""
        elapsed = time.monotonic() - self._started
        left = format_clock(elapsed / done * (total - done))
        speed = format_digits(seconds / elapsed) if elapsed else ""
        clock = format_clock(seconds)
        self._show(f"{done:,} of {total:,} recordings, {clock} of audio, {speed} s per s, {left} left")

    def _show(self, text: str) -> None:
        if time.monotonic() - self._last < self._every_s:
            return
        self._last = time.monotonic()
        self._is_open = self._is_terminal
        sys.stderr.write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave a clean line."""
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            self._is_open = False


def survey_lines(survey: Survey) -> Iterator[str]:
    """Yield what was found: sums, bands, levels, oddities, refusals, texts, and what nobody reads."""
    summary = survey.summary
    yield from _totals(summary)
    yield ""
    yield from _rates(summary.rates)
    yield ""
    yield from _quantiles(summary)
    yield ""
    yield from _oddities(survey)
    yield ""
    yield from _outcomes(summary)
    yield from _speakers(summary)
    yield from _texts(summary, survey.neighbours)


def _totals(summary: SurveySummary) -> Iterator[str]:
    hours = format_clock(summary.duration_s)
    yield f"corpus    {count(summary.recordings, 'recording')}, {hours} of audio that can be decoded"
    took = f"{count(summary.utterances, 'utterance')}, {format_clock(summary.usable_s)}"
    yield f"a run     would make {took}"
    for name, groups in (("format", summary.formats), ("channels", summary.channels)):
        said = "; ".join(f"{group.name}: {group.recordings:,}" for group in groups[:SHOWN])
        yield f"{name:<8}  {said or 'none'}"


def _rates(rates: Sequence[RateGroup]) -> Iterator[str]:
    head = ("sample rate", "recordings", "time", "median band", "narrow", "share", "as if sampled at")
    rows = [
        (
            rate.name,
            f"{rate.recordings:,}",
            format_clock(rate.duration_s),
            "" if rate.median_bandwidth_hz is None else f"{rate.median_bandwidth_hz / 1000:.1f} kHz",
            f"{rate.narrow:,}",
            f"{rate.narrow / rate.recordings:.0%}",
            ", ".join(f"{lower / 1000:g} kHz: {number:,}" for lower, number in rate.as_if.items()),
        )
        for rate in rates
    ]
    yield from align_columns([head, *rows])


MEASURE_NAMES = {
    "duration_s": ("length, s", 1.0, ".2f"),
    "active_level_db": ("active level, dBFS", 1.0, ".1f"),
    "floor_db": ("floor, dBFS", 1.0, ".1f"),
    "snr_db": ("SNR by estimate, dB", 1.0, ".1f"),
    "band_share": ("band, % of half the rate", 100.0, ".0f"),
    "activity": ("active, % of the time", 100.0, ".0f"),
    "peak": ("peak, % of full scale", 100.0, ".1f"),
    "offset": ("offset, % of full scale", 100.0, ".3f"),
    "clipped_fraction": ("clipped, % of samples", 100.0, ".3f"),
}
"""How tables call a measure, its factor, and its digits."""


def _quantiles(summary: SurveySummary) -> Iterator[str]:
    rows = [
        (name, *(format(value * factor, digits).replace("-", "−") for value in summary.quantiles[measure]))
        for measure, (name, factor, digits) in MEASURE_NAMES.items()
        if measure in summary.quantiles
    ]
    yield from align_columns([("of the recordings are under", "5 %", "25 %", "50 %", "75 %", "95 %"), *rows])


def _oddities(survey: Survey) -> Iterator[str]:
    if not survey.summary.oddities:
        yield "nothing stands out"
        return
    by_id = {one.source.id: one for one in survey.recordings}
    rows = []
    for group in survey.summary.oddities:
        worst = by_id[group.worst[0]]
        share = group.recordings / survey.summary.recordings
        figure = KINDS[group.oddity].figure(worst)
        rows.append(
            (
                group.name,
                f"{worst.source.id} ({figure})",
                f"{group.recordings:,}",
                f"{share:.1%}",
                format_clock(group.duration_s),
            )
        )
    yield from align_columns([("what stands out", "the worst", "recordings", "share", "time"), *rows], left=2)


def _outcomes(summary: SurveySummary) -> Iterator[str]:
    rows = [
        (group.name.replace("_", " "), f"{group.recordings:,}", format_clock(group.duration_s))
        for group in summary.outcomes
    ]
    yield from align_columns([("in a run", "recordings", "time"), *rows])
    for group in summary.outcomes:
        for example in group.examples:
            yield f"  {group.name.replace('_', ' ')}: {example}"


def _speakers(summary: SurveySummary) -> Iterator[str]:
    if not summary.speakers:
        return
    most = "; ".join(f"{group.name} {format_clock(group.duration_s)}" for group in summary.speakers[:SHOWN])
    more = "; …" if len(summary.speakers) > SHOWN else ""
    nobody = summary.recordings - sum(group.recordings for group in summary.speakers)
    yield ""
    yield f"speakers  {len(summary.speakers):,}: {most}{more}"
    if nobody > 0:
        yield f"          of {count(nobody, 'recording')} nobody says who speaks, or they cannot be decoded"


def _texts(summary: SurveySummary, neighbours: Neighbours) -> Iterator[str]:
    lines = [
        (summary.with_transcript, "have a transcript, by the manifest or the dataset", ()),
        (
            len(summary.transcripts_without_audio),
            "of these cannot be decoded",
            summary.transcripts_without_audio,
        ),
        (neighbours.texts, "have a text file beside them, which a run does not read: a manifest does", ()),
        (len(neighbours.texts_without_audio), "texts have no audio", neighbours.texts_without_audio),
        (
            len(neighbours.audio_without_text),
            "have no text file, though their neighbours do",
            neighbours.audio_without_text,
        ),
        (
            len(neighbours.unlisted_audio),
            "audio files are not named by the manifest",
            neighbours.unlisted_audio,
        ),
    ]
    told = [line for line in lines if line[0]]
    if told or neighbours.unread:
        yield ""
    for number, what, names in told:
        examples = f": {', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}" if names else ""
        yield f"texts     {number:,} {what}{examples}"
    if neighbours.unread:
        said = ", ".join(f"{number:,} {suffix}" for suffix, number in list(neighbours.unread.items())[:SHOWN])
        yield f"not read  {said}"
