"""The survey as one HTML file, which opens anywhere, without a network: the look is that of the report."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.report.pages import RenderedSection, report_environment
from pipeline.report.report import STYLES, list_scripts, read_asset
from pipeline.store.local_files import LocalFiles
from pipeline.survey.charts import BAND, HISTOGRAMS, MOST_SPEAKERS, plot_histogram, plot_speakers
from pipeline.survey.oddities import KINDS
from pipeline.survey.players import HEARD_S, Excerpts, take_worst
from pipeline.survey.records import Oddity, Survey
from pipeline.text import format_clock
from stages.ingest.stage import IngestSettings

if TYPE_CHECKING:
    import jinja2


def write_page(survey: Survey, path: Path) -> None:
    """Write the page of a survey; recordings are opened once more for what is heard."""
    LocalFiles(path.parent).put(path.name, page_of(survey).encode())


def page_of(survey: Survey) -> str:
    """Return the page. It differs only if the survey does."""
    excerpts = Excerpts()
    sections = list(_sections(survey, excerpts))
    style = "".join(read_asset(name) for name in STYLES) + _read_style()
    return (
        _environment()
        .get_template("survey.html.j2")
        .render(
            survey=survey,
            sections=sections,
            style=style,
            scripts=list(list_scripts()),
            recordings=excerpts.by_id,
            stamp=survey.fingerprint,
        )
    )


def _sections(survey: Survey, excerpts: Excerpts) -> Iterator[RenderedSection]:
    ones, summary = survey.recordings, survey.summary
    facts = {"survey": survey, "summary": summary, "kinds": KINDS, "narrow": Oddity.NARROW_BAND}
    drawn = ((of.title, plot_histogram(ones, of)) for of in HISTOGRAMS)
    yield _render("glance", "At a glance", facts)
    yield _render("bandwidth", "Bandwidth", {**facts, "figure": plot_histogram(ones, BAND)})
    yield _render(
        "levels", "Levels and lengths", {"figures": [pair for pair in drawn if pair[1] is not None]}
    )
    yield _render("run", "In a run", {**facts, "defaults": IngestSettings()})
    if summary.speakers:
        yield _render(
            "speakers",
            "Speakers",
            {**facts, "figure": plot_speakers(summary.speakers), "shown": MOST_SPEAKERS},
        )
    yield _render("texts", "Texts and other files", {**facts, "neighbours": survey.neighbours})
    worst = take_worst(survey, excerpts)
    yield _render("worst", "The worst of each kind", {**facts, "worst": worst, "excerpt_s": HEARD_S})


def _render(section_id: str, title: str, facts: dict[str, Any]) -> RenderedSection:
    import markupsafe  # noqa: PLC0415 - comes with jinja2

    html = _environment().get_template("survey_section.html.j2").render(id=section_id, title=title, **facts)
    return RenderedSection(section_id, title, markupsafe.Markup(html))  # noqa: S704 - the template has escaped it


@cache
def _environment() -> "jinja2.Environment":
    """Return the report's templates and, before them, ours."""
    import jinja2  # noqa: PLC0415 - a survey without a page does without

    report = report_environment()
    assert report.loader is not None  # it reads its templates from a package
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader("pipeline.survey"), report.loader])
    made = report.overlay(loader=loader)
    made.filters = report.filters | {"clock": format_clock}
    return made


def _read_style() -> str:
    return (files("pipeline.survey") / "assets" / "survey.css").read_text(encoding="utf-8")
