"""All recordings of a corpus together: sums, groups, quantiles, and the worst of each finding."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from pipeline.survey.findings import KINDS
from pipeline.survey.records import (
    Finding,
    FindingGroup,
    Group,
    Measured,
    OutcomeGroup,
    RateGroup,
    Summary,
    SurveyedRecording,
)
from schemas import Status

EXAMPLES = 3
WORST = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LOWER_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
TOLERANCE = 1.03
"""By how much a bandwidth may exceed half a rate and still be said to be that of the rate: filters have slopes."""

Recordings = Sequence[SurveyedRecording]


def summarise(recordings: Recordings) -> Summary:
    """Return what ``recordings`` come to."""
    spoken = [one for one in recordings if one.source.transcript]
    return Summary(
        recordings=len(recordings),
        duration_s=sum(one.duration_s for one in recordings),
        utterances=sum(one.utterances for one in recordings),
        usable_s=sum(one.duration_s for one in recordings if one.is_ok),
        outcomes=tuple(_group_by_outcome(recordings)),
        findings=tuple(_group_by_finding(recordings)),
        rates=tuple(_group_by_rate(recordings)),
        channels=_groups(recordings, lambda one: one.measured and _say_channels(one.measured.channels)),
        formats=_groups(recordings, _format),
        speakers=_groups(recordings, lambda one: one.source.speaker),
        with_transcript=len(spoken),
        transcripts_without_audio=tuple(one.source.id for one in spoken if one.measured is None),
        quantiles=dict(_quantiles(recordings)),
    )


MEASURES: Mapping[str, Callable[[Measured], float | None]] = {
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
"""By their names in ``Measured``; an offset counts by its size."""


def values_of(recordings: Iterable[SurveyedRecording], measure: str) -> list[float]:
    """Return a measure of each recording that has it."""
    found = (MEASURES[measure](one.measured) for one in recordings if one.measured is not None)
    return [value for value in found if value is not None]


def worst_of(recordings: Iterable[SurveyedRecording], finding: Finding) -> list[SurveyedRecording]:
    """Return the recordings of a finding, worst first, equals in their order."""
    badness = KINDS[finding].badness
    return sorted(
        (one for one in recordings if finding in one.findings), key=lambda one: -(badness(one) or 0.0)
    )


def _quantiles(recordings: Recordings) -> Iterable[tuple[str, tuple[float, ...]]]:
    for measure in MEASURES:
        if values := values_of(recordings, measure):
            yield measure, tuple(float(value) for value in np.quantile(values, QUANTILES))


def _groups(recordings: Recordings, name: Callable[[SurveyedRecording], str | None]) -> tuple[Group, ...]:
    """Return groups of those that have a name, most audio first."""
    members = defaultdict[str, list[SurveyedRecording]](list)
    for one in recordings:
        if found := name(one):
            members[found].append(one)
    groups = [Group.of(found, ones) for found, ones in members.items()]
    return tuple(sorted(groups, key=lambda group: (-group.duration_s, group.name)))


def _say_channels(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def _format(recording: SurveyedRecording) -> str | None:
    if recording.measured is None:
        return None
    suffix = PurePosixPath(recording.source.name).suffix.lower().removeprefix(".")
    name = "row of a dataset" if recording.source.row is not None else suffix
    bits = recording.measured.bits
    kind = "float" if recording.measured.is_float else "bit"
    return name if bits is None else f"{name}, {bits} {kind}"


def _group_by_outcome(recordings: Recordings) -> Iterable[OutcomeGroup]:
    members = defaultdict[str, list[SurveyedRecording]](list)
    for one in recordings:
        members[one.reason or "ok"].append(one)
    for name, ones in sorted(members.items(), key=lambda item: (item[0] != "ok", -len(item[1]), item[0])):
        group = Group.of(name, ones)
        yield OutcomeGroup(
            **group.model_dump(),
            status=ones[0].status,
            reason=ones[0].reason,
            utterances=sum(one.utterances for one in ones),
            examples=tuple(
                one.source.id + (f": {one.detail}" if one.detail else "") for one in ones[:EXAMPLES]
            )
            if ones[0].status is not Status.OK
            else (),
        )


def _group_by_finding(recordings: Recordings) -> Iterable[FindingGroup]:
    for finding, kind in KINDS.items():
        if found := worst_of(recordings, finding):
            group = Group.of(kind.title, found)
            worst = tuple(one.source.id for one in found[:WORST])
            yield FindingGroup(**group.model_dump(), finding=finding, worst=worst)


def _group_by_rate(recordings: Recordings) -> Iterable[RateGroup]:
    members = defaultdict[int, list[SurveyedRecording]](list)
    for one in recordings:
        if one.measured is not None:
            members[one.measured.sample_rate].append(one)
    for rate, ones in sorted(members.items()):
        narrow = [one for one in ones if Finding.NARROW_BAND in one.findings]
        bands = [b for one in ones if one.measured and (b := one.measured.bandwidth_hz) is not None]
        yield RateGroup(
            **Group.of(f"{rate / 1000:g} kHz", ones).model_dump(),
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
