"""Histograms of a corpus: what stands out has the second colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.report.charts import Figure, make_figure
from pipeline.survey.records import Measurements, Oddity, RecordingGroup, SurveyedRecording
from stages.audio.level import to_db

BINS = 40
HEIGHT_ROWS = 6
MOST_SPEAKERS = 24


@dataclass(frozen=True, slots=True)
class Histogram:
    """One chart: what is counted, over which range, and which oddity has the second colour."""

    title: str
    value: Callable[[Measurements], float | None]
    oddity: Oddity | None = None
    low: float = 0.0
    high: float | None = None
    """None for the highest value; what lies outside is counted at the edge."""
    suffix: str = ""


def _level(measured: Measurements) -> float | None:
    return measured.active_level_db


def _band_percent(measured: Measurements) -> float | None:
    return None if measured.band_share is None else 100.0 * measured.band_share


def _active_percent(measured: Measurements) -> float | None:
    return None if measured.activity is None else 100.0 * measured.activity


BAND = Histogram("Bandwidth, % of half the sample rate", _band_percent, Oddity.NARROW_BAND, 0.0, 100.0, " %")
HISTOGRAMS = (
    Histogram("Length, s", lambda m: m.duration_s, Oddity.LONG, suffix=" s"),
    Histogram("Active speech level, dBFS", _level, Oddity.FAINT, -80.0, 0.0, " dBFS"),
    Histogram("SNR by estimate, dB", lambda m: m.snr_db, Oddity.NOISY, 0.0, 80.0, " dB"),
    Histogram("Noise floor, dBFS", lambda m: m.floor_db, None, -100.0, 0.0, " dBFS"),
    Histogram("Active, % of the time", _active_percent, Oddity.MOSTLY_SILENT, 0.0, 100.0, " %"),
    Histogram("Peak, dBFS", lambda m: to_db(m.peak), None, -60.0, 3.0, " dBFS"),
    Histogram("Constant offset, dBFS", lambda m: to_db(abs(m.offset)), Oddity.OFFSET, -120.0, 0.0, " dBFS"),
)


def plot_histogram(recordings: Sequence[SurveyedRecording], of: Histogram) -> Figure | None:
    """Return how many recordings have which value; None where none has any."""
    import plotly.graph_objects as go  # noqa: PLC0415

    usual, standing_out = _split(recordings, of)
    values = [*usual, *standing_out]
    if not values:
        return None
    high = max(*values, of.low + 1e-3) if of.high is None else of.high
    edges = np.linspace(of.low, high, BINS + 1)
    bars = [
        go.Bar(
            x=((edges[:-1] + edges[1:]) / 2).round(4).tolist(),
            y=np.histogram(np.clip(side, of.low, high), edges)[0].tolist(),
            width=float(edges[1] - edges[0]) * 0.92,
            name=name,
            hovertemplate=f"about %{{x:.4~g}}{of.suffix}: %{{y:,}}<extra>{name}</extra>",
        )
        for side, name in ((usual, ""), (standing_out, (of.oddity or "").replace("_", " ")))
    ]
    axis = {"range": [of.low, high], "showgrid": False, "ticksuffix": of.suffix if of.suffix == " %" else ""}
    counts = {"showgrid": True, "rangemode": "tozero", "nticks": 5, "tickformat": ",d"}
    return make_figure(bars, HEIGHT_ROWS, barmode="stack", xaxis=axis, yaxis=counts)


def _split(recordings: Sequence[SurveyedRecording], of: Histogram) -> tuple[list[float], list[float]]:
    """Return the values of recordings without the oddity, and of those with it."""
    sides: tuple[list[float], list[float]] = ([], [])
    for one in recordings:
        value = None if one.measured is None else of.value(one.measured)
        if value is not None:
            sides[of.oddity in one.oddities].append(value)
    return sides


def plot_speakers(speakers: Sequence[RecordingGroup]) -> Figure:
    """Return minutes of the speakers who have most."""
    import plotly.graph_objects as go  # noqa: PLC0415

    shown = speakers[:MOST_SPEAKERS]
    bars = go.Bar(
        x=[round(group.duration_s / 60.0, 3) for group in shown],
        y=[group.name for group in shown],
        text=[f"{group.recordings:,}" for group in shown],
        hovertemplate="%{y}: %{x:.1f} min, %{text} recordings<extra></extra>",
        orientation="h",
    )
    axes = {"xaxis": {"ticksuffix": " min"}, "yaxis": {"autorange": "reversed", "type": "category"}}
    return make_figure([bars], len(shown), **axes)
