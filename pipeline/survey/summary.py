"""All recordings of a corpus together: sums, groups, quantiles, and the worst of each oddity."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from pipeline.survey.oddities import KINDS
from pipeline.survey.records import (
    Measurements,
    Oddity,
    OddityGroup,
    OutcomeGroup,
    RateGroup,
    RecordingGroup,
    SurveyedRecording,
    SurveySummary,
)
from schemas import Status

REFUSED_NAMED = 3
WORST = 10
TOLD_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LOWER_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
TOLERANCE = 1.03
"""A bandwidth may exceed half a rate by so much and be that of the rate: filters have slopes."""

_Recordings = Sequence[SurveyedRecording]


def summarise(recordings: _Recordings) -> SurveySummary:
    """Return what ``recordings`` come to."""
    spoken = [one for one in recordings if one.source.transcript]
    return SurveySummary(
        recordings=len(recordings),
        duration_s=sum(one.duration_s for one in recordings),
        utterances=sum(one.utterances for one in recordings),
        usable_s=sum(one.duration_s for one in recordings if one.is_ok),
        outcomes=tuple(_group_by_outcome(recordings)),
        oddities=tuple(_group_by_oddity(recordings)),
        rates=tuple(_group_by_rate(recordings)),
        channels=_groups(recordings, _say_channels),
        formats=_groups(recordings, _format),
        speakers=_groups(recordings, lambda one: one.source.speaker),
        with_transcript=len(spoken),
        transcripts_without_audio=tuple(one.source.id for one in spoken if one.measured is None),
        quantiles=dict(_quantiles(recordings)),
    )


MEASURES: Mapping[str, Callable[[Measurements], float | None]] = {
    "duration_s": lambda measured: measured.duration_s,
    "active_level_db": lambda measured: measured.active_level_db,
    "peak": lambda measured: measured.peak,
    "floor_db": lambda measured: measured.floor_db,
    "snr_db": lambda measured: measured.snr_db,
    "band_share": lambda measured: measured.band_share,
    "activity": lambda measured: measured.activity,
    "offset": lambda measured: abs(measured.offset),
    "clipped_fraction": lambda measured: measured.clipped_fraction,
}
"""By their names in ``Measurements``; an offset counts by its size."""


def values_of(recordings: Iterable[SurveyedRecording], measure: str) -> list[float]:
    """Return a measure of each recording that has it."""
    found = (MEASURES[measure](one.measured) for one in recordings if one.measured is not None)
    return [value for value in found if value is not None]


def worst_of(recordings: Iterable[SurveyedRecording], oddity: Oddity) -> list[SurveyedRecording]:
    """Return the recordings of an oddity, worst first, equals in their order."""
    badness = KINDS[oddity].badness
    return sorted(
        (one for one in recordings if oddity in one.oddities), key=lambda one: -(badness(one) or 0.0)
    )


def _quantiles(recordings: _Recordings) -> Iterable[tuple[str, tuple[float, ...]]]:
    for measure in MEASURES:
        if values := values_of(recordings, measure):
            yield measure, tuple(float(value) for value in np.quantile(values, TOLD_QUANTILES))


def _groups(
    recordings: _Recordings, name: Callable[[SurveyedRecording], str | None]
) -> tuple[RecordingGroup, ...]:
    """Return groups of those that have a name, most audio first."""
    members = defaultdict[str, list[SurveyedRecording]](list)
    for one in recordings:
        if found := name(one):
            members[found].append(one)
    groups = [RecordingGroup.of(found, ones) for found, ones in members.items()]
    return tuple(sorted(groups, key=lambda group: (-group.duration_s, group.name)))


def _say_channels(recording: SurveyedRecording) -> str | None:
    if recording.measured is None:
        return None
    channels = recording.measured.channels
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def _format(recording: SurveyedRecording) -> str | None:
    if recording.measured is None:
        return None
    suffix = PurePosixPath(recording.source.name).suffix.lower().removeprefix(".")
    name = "row of a dataset" if recording.source.row is not None else suffix
    bits = recording.measured.bits
    kind = "float" if recording.measured.is_float else "bit"
    return name if bits is None else f"{name}, {bits} {kind}"


def _group_by_outcome(recordings: _Recordings) -> Iterable[OutcomeGroup]:
    members = defaultdict[str, list[SurveyedRecording]](list)
    for one in recordings:
        members[one.reason or "ok"].append(one)
    for name, ones in sorted(members.items(), key=lambda item: (item[0] != "ok", -len(item[1]), item[0])):
        group = RecordingGroup.of(name, ones)
        yield OutcomeGroup(
            **group.model_dump(),
            status=ones[0].status,
            reason=ones[0].reason,
            utterances=sum(one.utterances for one in ones),
            examples=tuple(
                one.source.id + (f": {one.detail}" if one.detail else "") for one in ones[:REFUSED_NAMED]
            )
            if ones[0].status is not Status.OK
            else (),
        )


def _group_by_oddity(recordings: _Recordings) -> Iterable[OddityGroup]:
    for oddity, kind in KINDS.items():
        if found := worst_of(recordings, oddity):
            group = RecordingGroup.of(kind.title, found)
            worst = tuple(one.source.id for one in found[:WORST])
            yield OddityGroup(**group.model_dump(), oddity=oddity, worst=worst)


def _group_by_rate(recordings: _Recordings) -> Iterable[RateGroup]:
    members = defaultdict[int, list[SurveyedRecording]](list)
    for one in recordings:
        if one.measured is not None:
            members[one.measured.sample_rate].append(one)
    for rate, ones in sorted(members.items()):
        narrow = [one for one in ones if Oddity.NARROW_BAND in one.oddities]
        bands = [b for one in ones if one.measured and (b := one.measured.bandwidth_hz) is not None]
        yield RateGroup(
            **RecordingGroup.of(f"{rate / 1000:g} kHz", ones).model_dump(),
            sample_rate=rate,
            narrow=len(narrow),
            narrow_s=sum(one.duration_s for one in narrow),
            median_bandwidth_hz=float(np.median(bands)) if bands else None,
            as_if=dict(sorted(Counter(map(_lower_rate, narrow)).items())),
        )


def _lower_rate(recording: SurveyedRecording) -> int:
    """Return the lowest usual rate that would hold what a recording carries."""
    assert recording.measured is not None  # it has a bandwidth
    needed = 2.0 * (recording.measured.bandwidth_hz or 0.0) / TOLERANCE
    return next((rate for rate in LOWER_RATES if rate >= needed), recording.measured.sample_rate)
