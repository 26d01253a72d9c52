"""The dashboard's pages: the report's views under a head that says how far the run is; the listening test."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pipeline.dashboard.progress import RunProgress
from pipeline.report import pages
from pipeline.report.clips import Clip
from pipeline.report.pages import RenderedSection, render_listening, sections_of
from pipeline.report.pairs import pair_cards_of
from pipeline.report.report import SCRIPTS, STYLES
from pipeline.report.snapshot import Snapshot

if TYPE_CHECKING:
    import jinja2

MOST_CARDS = 60
"""Pairs with players on the page."""


@cache
def dashboard_environment() -> "jinja2.Environment":
    """Return the report's templates and the dashboard's own."""
    import jinja2  # noqa: PLC0415 - as for the report

    reports = pages.report_environment()
    own = jinja2.PackageLoader("pipeline.dashboard")
    return reports.overlay(loader=jinja2.ChoiceLoader([own, reports.loader or own]))


def render_template(template: str, **values: Any) -> str:
    """Return a page, or a part of one."""
    return dashboard_environment().get_template(template).render(values, styles=STYLES, scripts=SCRIPTS)


def head_of(snapshot: Snapshot) -> str:
    """Return how far the run is."""
    return render_template("head.html.j2", progress=RunProgress.of(snapshot))


def render_sections(snapshot: Snapshot) -> Sequence[RenderedSection]:
    """Return the report's sections, their recordings served by this dashboard."""
    cards = pair_cards_of(snapshot, MOST_CARDS)
    return [*sections_of(snapshot), render_listening(snapshot, cards, audio_url)]


def audio_url(clip: Clip) -> str:
    """Return where the dashboard serves a recording."""
    place = {"folder": clip.folder, "shard": clip.shard, "row": clip.row, "part": clip.part}
    return f"/audio?{urlencode(place)}"
