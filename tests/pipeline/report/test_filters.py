"""How a report says its numbers and settings, and what its charts leave out."""

from pipeline.audit.records import Group, Interval, ScoreCorrelation, YieldOf
from pipeline.report.charts import plot_agreement
from pipeline.report.filters import (
    format_elapsed,
    format_number,
    format_points,
    format_settings,
    format_share,
)
from pipeline.report.sections import pick_highest


def test_numbers_have_the_figures_that_matter() -> None:
    """Also large ones, negative ones and what rounding leaves of nothing."""
    assert [format_number(value) for value in (0.123456, -9.87654, 24881.0, 1e-19, 3)] == [
        "0.1235",
        "−9.877",
        "24,881",
        "0",
        "3",
    ]
    assert [format_elapsed(seconds) for seconds in (0, 0.01, 2.34, 75, 3725)] == [
        *("–", "< 0.1 s", "2.3 s", "1:15 min", "1:02:05 h")
    ]


def test_settings_are_words() -> None:
    """A recording of a pool goes by its name; whether a step was applied is said elsewhere."""
    drawn = {"snr_db": 5.0, "noise": {"id": "pink-1", "digest": "00"}, "bands": [1.5, 2.0], "applied": 1.0}

    assert format_settings(drawn) == "snr_db 5, noise pink-1, bands 1.5 2"


def test_of_many_pairs_of_models_the_highest_yields_are_drawn() -> None:
    """A chart of a run with many models stays one that can be read; a few groups keep their order."""
    groups = [
        YieldOf(by=Group.MODELS, name=f"a × {n}", inputs=1, comparisons=100, unanimous=n, pairs=n)
        for n in range(40)
    ]

    assert [each.name for each in pick_highest(groups)] == [f"a × {n}" for n in range(39, 15, -1)]
    assert pick_highest(groups[:3]) == groups[:3]


def test_switches_are_said_in_words() -> None:
    """Not in those of a programming language; what was not set is not said."""
    assert format_settings({"stationary": True, "prop_decrease": 0.5, "fast": False, "drive_db": None}) == (
        "stationary yes, prop_decrease 0.5, fast no"
    )


def test_cells_of_a_matrix_hold_short_numbers_and_none_beside_themselves() -> None:
    """Two digits, a minus sign that is one, and a whole 1; a score is not compared with itself."""
    found = ScoreCorrelation(
        by=Group.ALL,
        name="all",
        inputs=3,
        comparisons=9,
        tau=((1.0, -0.054, 0.5), (-0.054, 1.0, 1.0), (0.5, 1.0, 1.0)),
        disagreeing=((0.0, 0.5, None), (0.5, 0.0, -0.001), (None, -0.001, 0.0)),
    )

    (tau,) = plot_agreement(found, ["a", "b", "c"], "tau")["data"]
    (disagreeing,) = plot_agreement(found, ["a", "b", "c"], "disagreeing")["data"]

    assert tau["text"] == [["", "−.05", ".50"], ["−.05", "", "1.00"], [".50", "1.00", ""]]
    assert disagreeing["text"] == [["", ".50", ""], [".50", "", ".00"], ["", ".00", ""]]


def test_a_lead_is_in_points_and_a_rate_in_percent() -> None:
    """A difference of two rates is no rate."""
    found = Interval(value=-0.014, low=-0.036, high=0.007)

    assert format_share(found) == "−1.4% (−3.6 to 0.7)"
    assert format_points(found) == "−1.4 (−3.6 to 0.7)"
    assert format_points(None) == "–"
