"""Charts as figures of Plotly. They carry numbers and words; the page gives them its colours and fonts.

Traces take the page's colours in turn: that of chosen recordings, then that of rejected ones.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.audit.records import QUANTILES, Judgement, ScoreCorrelation, ScoreDistribution, YieldOf
from pipeline.listening.intervals import Share
from pipeline.progress.funnel import Funnel

Figure = dict[str, Any]
ROW_PX = 26
"""Height of a bar and the room above it."""
EDGES_PX = 60
"""Height of axis and title."""
CELL_PX = 11
"""Height of the digits in a matrix."""
NAMES_PX, CELL_WIDTH_PX = 180, 32
"""Room for names beside a matrix, and for the digits in one of its cells."""
Q05, Q25, _MEDIAN, Q75, Q95 = (QUANTILES.index(quantile) for quantile in (0.05, 0.25, 0.5, 0.75, 0.95))


def plot_funnel(funnel: Funnel) -> Figure:
    """Return the count after each step."""
    import plotly.graph_objects as go  # noqa: PLC0415

    steps = funnel.steps
    bars = go.Bar(
        x=[step.count for step in steps],
        y=[step.name for step in steps],
        text=[f"{step.count:,}" for step in steps],
        orientation="h",
    )
    return make_figure([bars], len(steps), xaxis={"visible": False}, yaxis={"autorange": "reversed"})


def plot_distribution(found: ScoreDistribution) -> Figure:
    """Return a box of each side: median, quartiles, and whiskers from 5 % to 95 %."""
    import plotly.graph_objects as go  # noqa: PLC0415

    boxes = [
        go.Box(
            name=side,
            y=[side],
            lowerfence=[values[Q05]],
            q1=[values[Q25]],
            median=[values[_MEDIAN]],
            q3=[values[Q75]],
            upperfence=[values[Q95]],
            orientation="h",
        )
        for side, values in (("chosen", found.chosen), ("rejected", found.rejected))
    ]
    return make_figure(boxes, 3, yaxis={"autorange": "reversed"})


def plot_agreement(found: ScoreCorrelation, scores: Sequence[str], which: str) -> Figure:
    """Return the matrix ``tau`` (−1 to 1) or ``disagreeing`` (0 to 1), in one colour where scores agree."""
    import plotly.graph_objects as go  # noqa: PLC0415

    matrix = [
        [None if i == j else value for j, value in enumerate(row)]
        for i, row in enumerate(getattr(found, which))
    ]
    low = {"tau": -1, "disagreeing": 0}[which]
    cells = go.Heatmap(
        x=list(scores),
        y=list(scores),
        z=matrix,
        text=[[_format_cell(value) for value in row] for row in matrix],
        texttemplate="%{text}",
        textfont={"size": CELL_PX},
        hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
        coloraxis="coloraxis",
    )
    return make_figure(
        [cells],
        len(scores) + 4,
        xaxis={"showgrid": False},
        yaxis={"autorange": "reversed"},
        coloraxis={"cmin": low, "cmax": 1, "reversescale": which == "disagreeing", "showscale": False},
    )


def least_px(scores: Sequence[str]) -> int:
    """Return the width under which the digits in a matrix of these scores run into one another."""
    return NAMES_PX + CELL_WIDTH_PX * len(scores)


def _format_cell(value: float | None) -> str:
    """Return two digits after the point, and nothing before it where that is 0: cells are narrow."""
    said = "" if value is None else f"{value:.2f}"
    return said.replace("-0.00", "0.00").replace("-", "−").replace("0.", ".")


def plot_yields(groups: Sequence[YieldOf]) -> Figure:
    """Return pairs per comparison of each group."""
    import plotly.graph_objects as go  # noqa: PLC0415

    bars = go.Bar(
        x=[group.share for group in groups],
        y=[group.name for group in groups],
        text=[f"{group.pairs:,} of {group.comparisons:,}" for group in groups],
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        orientation="h",
    )
    axis = {"tickformat": ".1~%", "rangemode": "tozero"}
    return make_figure([bars], len(groups), xaxis=axis, yaxis={"autorange": "reversed"})


def plot_win_rates(judgements: Sequence[Judgement]) -> Figure | None:
    """Return the win rate of each selection by one score, with its interval; None without any."""
    rates = [(judgement.selection, judgement.win_rate) for judgement in judgements]
    return _plot_rates({name: (rate.value, rate.low, rate.high) for name, rate in rates if rate is not None})


def plot_shares(shares: Mapping[str, Share]) -> Figure | None:
    """Return shares of listeners' votes, with their intervals; None without any."""
    return _plot_rates({n: (s.share, s.low, s.high) for n, s in shares.items() if s.share is not None})


def _plot_rates(rates: Mapping[str, tuple[float, float | None, float | None]]) -> Figure | None:
    """Return rates with the ends of their intervals, against one half."""
    import plotly.graph_objects as go  # noqa: PLC0415

    if not rates:
        return None
    points = go.Scatter(
        x=[value for value, _, _ in rates.values()],
        y=list(rates),
        mode="markers",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [0 if high is None else high - value for value, _, high in rates.values()],
            "arrayminus": [0 if low is None else value - low for value, low, _ in rates.values()],
        },
        marker={"size": 9},
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1}
    axis = {"tickformat": ".0%", "range": [0, 1.02]}
    return make_figure([points], len(rates), xaxis=axis, yaxis={"autorange": "reversed"}, shapes=[half])


def make_figure(traces: Sequence[Any], num_rows: int, **layout: Any) -> Figure:
    """Return a figure as high as so many bars; colours and fonts are the page's."""
    import plotly.graph_objects as go  # noqa: PLC0415

    height = EDGES_PX + ROW_PX * num_rows
    figure = go.Figure(traces, {"height": height, "showlegend": False, **layout})
    figure.layout.template = None
    made: Figure = json.loads(figure.to_json())
    return made
