"""Pages from templates: every text is escaped, and no page loads anything from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.audit.records import Interval
from pipeline.progress import clock
from pipeline.report.clips import Clip
from pipeline.report.listening import Choices, PairCard
from pipeline.report.sections import SECTIONS
from pipeline.report.snapshot import Snapshot
from pipeline.wording import count, few_digits, size

if TYPE_CHECKING:
    import jinja2

NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Rendered:
    """A section as HTML."""

    id: str
    title: str
    html: str


@cache
def environment() -> "jinja2.Environment":
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
    made.filters |= {
        "size": size,
        "clock": clock,
        "few_digits": few_digits,
        "number": _number,
        "spent": _spent,
    }
    made.filters |= {"share": _share, "interval": _interval, "settings": _settings}
    made.globals["count"] = count
    return made


def sections_of(snapshot: Snapshot) -> list[Rendered]:
    """Return all sections but the pairs to listen to."""
    return [rendered(section.id, section.title, section.facts(snapshot)) for section in SECTIONS]


def listening_section(
    snapshot: Snapshot, cards: Sequence[PairCard], source: Callable[[Clip], str]
) -> Rendered:
    """Return the pairs to listen to; ``source`` says where a page finds a recording.

    That is a URL, or ``#`` and the id of an element of the page that holds it in base64.
    """
    facts = {
        "cards": cards,
        "source": source,
        "choices": Choices.of(cards),
        "num_pairs": snapshot.funnel.count("pairs"),
    }
    return rendered("listening", "Listen", facts)


def rendered(section_id: str, title: str, facts: Mapping[str, Any]) -> Rendered:
    """Return a section by the template of its name."""
    import markupsafe  # noqa: PLC0415 - comes with jinja2

    html = environment().get_template("section.html.j2").render(id=section_id, title=title, **facts)
    return Rendered(section_id, title, markupsafe.Markup(html))  # noqa: S704 - the template has escaped it


def page(template: str, snapshot: Snapshot, sections: Sequence[Rendered], **more: Any) -> str:
    """Return a whole page by a template that extends ``page.html.j2``."""
    return environment().get_template(template).render(snapshot=snapshot, sections=sections, **more)


def _number(value: float, figures: int = 4) -> str:
    """Return a score or a setting with a few figures; what is left of a difference of equals is nothing."""
    if abs(value) < NOTHING:
        return "0"
    said = f"{value:.{figures}g}" if abs(value) < 10**figures else f"{value:,.0f}"
    return said.replace("-", "−")


def _spent(seconds: float) -> str:
    """Return a time with as much of it as matters."""
    if not seconds:
        return "–"
    return f"{few_digits(seconds)} s" if seconds < 60 else clock(seconds)  # noqa: PLR2004 - a minute


def _settings(found: Mapping[str, Any]) -> str:
    """Return settings or facts as words; a recording of a pool goes by its name."""
    return ", ".join(f"{name} {_setting(value)}" for name, value in found.items() if name != "applied")


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return str(value["id"]) if "id" in value else f"({_settings(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(_setting(inner) for inner in value)
    return "none" if value is None else str(value)


def _share(found: Interval | None) -> str:
    """Return shares in percent."""
    return _with_bounds(found, lambda value: _number(round(100 * value, 1)), " %")


def _interval(found: Interval | None) -> str:
    return _with_bounds(found, lambda value: _number(value, figures=3), "")


def _with_bounds(found: Interval | None, said: Callable[[float], str], unit: str) -> str:
    if found is None:
        return "–"
    bounds = "" if found.low is None or found.high is None else f" ({said(found.low)} to {said(found.high)})"
    return f"{said(found.value)}{unit}{bounds}"
