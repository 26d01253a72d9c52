"""``ladders``: whether the metrics of a config notice, on real speech, that it gets worse."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np

from pipeline.config.operators import MetricSetup
from pipeline.config.resolve import ResolvedConfig
from pipeline.sources.audio import open_source
from pipeline.sources.corpora import list_sources
from pipeline.text import count, format_clock, say
from schemas import Degraded, Outcome, Reason, Recipe, Restored, Source, Split, Take, UnfitError, UserError
from stages.audio.audible import is_inaudible
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.calibration.ladders import LADDERS, Foot, Ladder, Spoken, split_by_speaker
from stages.calibration.monotonicity import (
    DECIDING,
    LEAST_TAU_OF_MEANS,
    LEAST_TAU_OF_UTTERANCES,
    Trend,
    may_vote,
    trend_of,
)
from stages.ingest.decoding import decode_recording
from stages.operators.metric import Output
from stages.score.stage import ScoreInput, ScoreStage

_LONGEST_S = 10.0
"""Of a longer recording the beginning is enough."""
RULE = f"""\
A score may vote if, on every ladder that decides on its aspect (bold), Kendall's tau of the mean curve is at
least {LEAST_TAU_OF_MEANS:g} and the mean tau of single utterances at least {LEAST_TAU_OF_UTTERANCES:g}.
Unknown: a ladder that decides has no value. Other words and another speaker take several recordings of
speakers that the corpus names ('speaker')."""

Curves = dict[tuple[str, str], list[list[float]]]
"""Scores by score name and ladder: one row per utterance, the mildest step first."""


def ladders_command(run: ResolvedConfig, num_utterances: int, device: str) -> None:
    """Damage utterances of the config's speech step by step, score them, and print a table in Markdown."""
    feet = _collect_feet(run, num_utterances)
    cache = AudioCache()
    stages = [_load_stage(setup, cache, device) for setup in run.metrics]
    curves: Curves = defaultdict(list)
    started = time.monotonic()
    for done, foot in enumerate(feet, start=1):
        for ladder in LADDERS:
            for name, row in _score_steps(foot, ladder, stages):
                curves[name, ladder.name].append(row)
        elapsed_s = time.monotonic() - started
        left = format_clock(elapsed_s / done * (len(feet) - done))
        say(f"utterance {done} of {len(feet)}: {format_clock(elapsed_s)}, {left} left")
    for line in table_lines(curves, run.outputs(), [foot.spoken for foot in feet]):
        say(line)


def _collect_feet(run: ResolvedConfig, num_utterances: int) -> list[Foot]:
    """Return utterances from all over the corpora, as many as asked for or as there are."""
    speech = _Speech.of(run)
    spread = np.linspace(0, len(speech.sources) - 1, num_utterances).round().astype(int)
    places = np.unique(spread).tolist()
    feet = [foot for place in places if (foot := speech.foot(place)) is not None]
    if not feet:
        raise UserError(f"no speech in {count(len(places), 'recording')}; ladders have nothing to stand on")
    return feet


@dataclass(frozen=True, slots=True)
class _Speech:
    """The recordings of all corpora; words and voices to replace others with come from any of them."""

    sources: Sequence[Source]
    sample_rate: int | None
    """That of the run, or None for each recording's own."""

    @classmethod
    def of(cls, run: ResolvedConfig) -> Self:
        corpora = [corpus.model_copy(update={"path": run.path(corpus.path)}) for corpus in run.config.speech]
        rate = run.config.ingest.sample_rate
        return cls(list_sources(corpora).sources, None if rate == "native" else rate)

    def foot(self, place: int) -> Foot | None:
        """Return the utterance at ``place`` among the others; None, and say why, if it cannot be damaged."""
        try:
            spoken = self._read_beginning(place)
        except UnfitError as error:
            say(f"{self.sources[place].id} is left out: {error.detail}")
            return None
        sides = split_by_speaker(place, [source.speaker for source in self.sources])
        return Foot(spoken, *(self._first_of(side) for side in sides))

    def _first_of(self, places: Sequence[int]) -> Waveform | None:
        """Return the first recording that can lend its words or its voice."""
        for place in places:
            with suppress(UnfitError):
                return self._read_beginning(place).waveform
        return None

    def _read_beginning(self, place: int) -> Spoken:
        """Return the beginning of a recording; raises ``UnfitError`` for one that is silent or damaged."""
        source = self.sources[place]
        try:
            with open_source(source) as file:
                found = decode_recording(file, source.offset_s, source.duration_s).waveform
        except OSError as error:
            raise UnfitError(Reason.UNREADABLE, f"cannot be read: {error.strerror}") from error
        if is_inaudible(found.samples, found.sample_rate):
            raise UnfitError(Reason.SILENT, "silent")
        waveform = resample(found, self.sample_rate or found.sample_rate)
        is_whole = waveform.duration_s <= _LONGEST_S
        beginning = waveform.with_samples(waveform.samples[: round(_LONGEST_S * waveform.sample_rate)])
        transcript = source.transcript if is_whole else None
        return Spoken(source.id, beginning, source.speaker, transcript, source.language)


def _load_stage(setup: MetricSetup, cache: AudioCache, device: str) -> ScoreStage:
    stage = ScoreStage(setup.name, setup.metric, cache)
    stage.load(device if setup.gpus else "cpu")
    return stage


def _score_steps(
    foot: Foot, ladder: Ladder, stages: Sequence[ScoreStage]
) -> Iterator[tuple[str, list[float]]]:
    """Yield the scores of all steps, by score; none for a score that lacks a value at one of them."""
    record = _record(foot.spoken, ladder.versions_of(foot))
    if not record.restored.takes:
        return
    for stage in stages:
        (row,) = stage.process([record])
        for scores in zip(*(take.scores for take in row.takes), strict=True):
            values = [score.value for score in scores if score.value is not None]
            if len(values) == len(ladder.steps):
                yield scores[0].name, values


def _record(spoken: Spoken, damaged: Sequence[Waveform]) -> ScoreInput:
    """Return the steps as the takes of one model, which is how the score stage meets them."""
    clean = encode_flac(spoken.waveform)
    takes = [Take(take=step, audio=encode_flac(waveform)) for step, waveform in enumerate(damaged)]
    recipe = Recipe(
        id=spoken.id,
        utterance_id=spoken.id,
        source_id=spoken.id,
        corpus="",
        repeat=0,
        split=Split.TEST,
        transcript=spoken.transcript,
        language=spoken.language,
        sample_rate=clean.sample_rate,
        num_samples=clean.num_samples,
        bandwidth_hz=clean.sample_rate / 2,
        steps=(),
        sources=(),
    )
    degraded = Degraded(id=spoken.id, **Outcome().fields, degraded=clean, clean=clean)
    return ScoreInput(recipe, degraded, Restored(id=spoken.id, model="ladder", takes=tuple(takes)))


def table_lines(curves: Curves, outputs: Mapping[str, Output], speech: Sequence[Spoken]) -> Iterator[str]:
    """Yield what was done, the table and the rule, as Markdown."""
    speakers = {spoken.speaker for spoken in speech} - {None}
    seconds = sum(spoken.waveform.duration_s for spoken in speech)
    yield ""
    said = f"{count(len(speech), 'utterance')} of {count(len(speakers), 'known speaker')}, {seconds:.0f} s"
    yield f"Kendall's tau of the mean curve / mean over single utterances; {said}; steps:"
    yield ""
    for ladder in LADDERS:
        steps = ", ".join(f"{step:g}" for step in ladder.steps)
        yield f"- {ladder.name}: {steps} {ladder.unit}"
    yield ""
    yield f"| score | aspect | {' | '.join(ladder.name for ladder in LADDERS)} | may vote |"
    yield f"|---|---|{'---|' * (len(LADDERS) + 1)}"
    for name, output in outputs.items():
        climbs = {ladder.name: trend_of(curves[name, ladder.name], output.better) for ladder in LADDERS}
        cells = [_cell(ladder, climbs[ladder], output, len(speech)) for ladder in climbs]
        yield f"| {name} | {output.aspect} | {' | '.join(cells)} | {_verdict(output, climbs)} |"
    yield ""
    yield RULE


def _verdict(output: Output, climbs: Mapping[str, Trend | None]) -> str:
    if may_vote(output.aspect, climbs):
        return "yes"
    climbed = [found for ladder in DECIDING[output.aspect] if (found := climbs[ladder]) is not None]
    return "unknown" if all(found.is_enough for found in climbed) else "no"


def _cell(ladder: str, found: Trend | None, output: Output, num_utterances: int) -> str:
    if found is None:
        return "no value"
    text = f"{found.of_means:.2f} / {found.of_utterances:.2f}"
    if found.utterances < num_utterances:
        text += f" ({found.utterances})"
    return f"**{text}**" if ladder in DECIDING[output.aspect] else text
