"""What stands out: a bound for each kind of oddity, which of two recordings has more of it, and words."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.survey.records import Measurements, Oddity, SurveyedRecording
from pipeline.text import count, format_clock
from stages.audio.level import to_db

NARROW_SHARE = 0.8
"""Of half the sample rate. Resamplers leave more than 90 % of a band, and MP3 at low rates less than 70 %."""
NOISY_DB = 15.0
"""Well under what short clean utterances have that hardly pause."""
OFFSET_DB = -50.0
"""From 0.3 % of full scale on, an offset is seen in any waveform."""
OFFSET_UNDER_SPEECH_DB = 20.0
LEAST_OFFSET_DB = -80.0
"""Under three steps of 16 bits nothing is said of an offset, however faint the speech."""
SHORTEST_OFFSET_S = 1.0
"""The mean of a shorter recording is that of the few periods it holds."""
FAINT_DB = -45.0
LEAST_ACTIVITY = 0.25


@dataclass(frozen=True, slots=True)
class OddityKind:
    """One kind: what it means, how bad a recording is (None: not at all), and its figure in words."""

    title: str
    meaning: str
    badness: Callable[[SurveyedRecording], float | None]
    """More is worse."""
    figure: Callable[[SurveyedRecording], str]


def oddities_of(recording: SurveyedRecording) -> tuple[Oddity, ...]:
    """Return what stands out about one recording; copies show only beside one another."""
    found = (name for name, kind in KINDS.items() if kind.badness(recording) is not None)
    return tuple(name for name in found if name is not Oddity.NO_TRANSCRIPT)


def _refused(recording: SurveyedRecording) -> float | None:
    return None if recording.is_ok else recording.duration_s


def _measured(
    badness: Callable[[Measurements], float | None],
) -> Callable[[SurveyedRecording], float | None]:
    return lambda recording: None if recording.measured is None else badness(recording.measured)


def _narrow(measured: Measurements) -> float | None:
    share = measured.band_share
    return 1.0 - share if share is not None and share < NARROW_SHARE else None


def _noisy(measured: Measurements) -> float | None:
    return -measured.snr_db if measured.snr_db is not None and measured.snr_db < NOISY_DB else None


def _clipped(measured: Measurements) -> float | None:
    return measured.clipped_fraction or None


def _offset(measured: Measurements) -> float | None:
    level_db = to_db(abs(measured.offset))
    speech_db = math.inf if measured.active_level_db is None else measured.active_level_db
    allowed_db = min(OFFSET_DB, max(LEAST_OFFSET_DB, speech_db - OFFSET_UNDER_SPEECH_DB))
    told = level_db > allowed_db and measured.duration_s >= SHORTEST_OFFSET_S
    return abs(measured.offset) if told else None


def _faint(measured: Measurements) -> float | None:
    level_db = measured.active_level_db
    return -level_db if level_db is not None and level_db < FAINT_DB else None


def _mostly_silent(measured: Measurements) -> float | None:
    active = measured.activity
    return measured.duration_s * (1.0 - active) if active is not None and active < LEAST_ACTIVITY else None


def _copy(recording: SurveyedRecording) -> float | None:
    return recording.duration_s if Oddity.COPY in recording.oddities else None


def _long(recording: SurveyedRecording) -> float | None:
    return recording.duration_s if recording.utterances > 1 else None


def _no_transcript(recording: SurveyedRecording) -> float | None:
    return None if recording.source.transcript or recording.measured is None else recording.duration_s


def _say_refusal(recording: SurveyedRecording) -> str:
    reason = str(recording.reason).replace("_", " ")
    return f"{reason}: {recording.detail}" if recording.detail else reason


def _say(said: Callable[[Measurements], str]) -> Callable[[SurveyedRecording], str]:
    return lambda recording: "" if recording.measured is None else said(recording.measured)


def _say_narrow(measured: Measurements) -> str:
    return f"{(measured.bandwidth_hz or 0) / 1000:.1f} of {measured.sample_rate / 2000:g} kHz"


def _say_length(recording: SurveyedRecording) -> str:
    return format_clock(recording.duration_s)


def _say_offset(measured: Measurements) -> str:
    return f"{measured.offset:+.4f} ({to_db(abs(measured.offset)):.0f} dBFS)".replace("-", "−")


def _say_db(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.1f} {unit}".replace("-", "−")


def _say_level(decibels: float) -> str:
    return f"{decibels:g} dBFS".replace("-", "−")


KINDS: Mapping[Oddity, OddityKind] = {
    Oddity.REFUSED: OddityKind("refused", "a run would refuse it, for this reason", _refused, _say_refusal),
    Oddity.NARROW_BAND: OddityKind(
        "narrow band",
        f"nothing above {100 * NARROW_SHARE:g} % of half the sample rate: upsampled, or from a lossy codec",
        _measured(_narrow),
        _say(_say_narrow),
    ),
    Oddity.NOISY: OddityKind(
        "noisy",
        f"speech less than {NOISY_DB:g} dB over the quietest tenth of the time, by estimate",
        _measured(_noisy),
        _say(lambda m: _say_db(m.snr_db, "dB")),
    ),
    Oddity.CLIPPED: OddityKind(
        "clipped",
        "three or more samples in a row at the top or at the bottom",
        _measured(_clipped),
        _say(lambda m: f"{100 * m.clipped_fraction:.2g} % of the samples"),
    ),
    Oddity.OFFSET: OddityKind(
        "offset",
        f"a constant above {_say_level(OFFSET_DB)}, or {OFFSET_UNDER_SPEECH_DB:g} dB under fainter speech",
        _measured(_offset),
        _say(_say_offset),
    ),
    Oddity.FAINT: OddityKind(
        "faint",
        f"active speech under {_say_level(FAINT_DB)}",
        _measured(_faint),
        _say(lambda m: _say_db(m.active_level_db, "dBFS")),
    ),
    Oddity.MOSTLY_SILENT: OddityKind(
        "mostly silent",
        f"active for less than {100 * LEAST_ACTIVITY:g} % of the time",
        _measured(_mostly_silent),
        _say(lambda m: f"{100 * (m.activity or 0):.0f} % of {m.duration_s:.1f} s active"),
    ),
    Oddity.COPY: OddityKind("copies", "the same samples as another recording", _copy, _say_length),
    Oddity.LONG: OddityKind(
        "split",
        "longer than an utterance may be: split at pauses, and a transcript is not kept",
        _long,
        lambda recording: f"{_say_length(recording)}, {count(recording.utterances, 'utterance')}",
    ),
    Oddity.NO_TRANSCRIPT: OddityKind(
        "no transcript", "nothing says what is spoken, though others have a text", _no_transcript, _say_length
    ),
}
