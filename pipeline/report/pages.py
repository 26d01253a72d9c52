"""Pages from templates: every text is escaped, and no page loads anything from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.report.clips import Clip
from pipeline.report.filters import FILTERS
from pipeline.report.pair_cards import Choices, PairCard
from pipeline.report.sections import SECTIONS
from pipeline.report.snapshot import Snapshot
from pipeline.text import count

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True, slots=True)
class RenderedSection:
    """A section as HTML."""

    id: str
    title: str
    html: str


@cache
def report_environment() -> "jinja2.Environment":
    """Return the templates; a name that nobody gave is an error rather than empty."""
    import jinja2  # noqa: PLC0415 - commands that print no page do without

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "allow_nan": False, "ensure_ascii": False}
    made.filters |= FILTERS
    made.globals["count"] = count
    return made


def sections_of(snapshot: Snapshot) -> list[RenderedSection]:
    """Return all sections but the pairs to listen to."""
    shown = (section for section in SECTIONS if section.is_shown(snapshot))
    return [render_section(section.id, section.title, section.facts(snapshot)) for section in shown]


def render_listening(
    snapshot: Snapshot,
    cards: Sequence[PairCard],
    source: Callable[[Clip], str],
    excerpt_s: float | None = None,
) -> RenderedSection:
    """Return the pairs to listen to; ``source`` says where a page finds a recording.

    That is a URL, or ``#`` and the id of an element of the page that holds it in base64: its first
    ``excerpt_s`` seconds, or all of it for None.
    """
    facts = {
        "cards": cards,
        "source": source,
        "excerpt_s": excerpt_s,
        "choices": Choices.of(cards),
        "num_pairs": snapshot.funnel.count("pairs"),
    }
    return render_section("listening", "Listen", facts)


def render_section(section_id: str, title: str, facts: Mapping[str, Any]) -> RenderedSection:
    """Return a section by the template of its name."""
    import markupsafe  # noqa: PLC0415 - comes with jinja2

    html = report_environment().get_template("section.html.j2").render(id=section_id, title=title, **facts)
    return RenderedSection(section_id, title, markupsafe.Markup(html))  # noqa: S704 - the template has escaped it


def render_page(template: str, snapshot: Snapshot, sections: Sequence[RenderedSection], **more: Any) -> str:
    """Return a whole page by a template that extends ``page.html.j2``."""
    return report_environment().get_template(template).render(snapshot=snapshot, sections=sections, **more)
