"""The report as a reader has it: opened from disk in a browser, looked at, filtered, listened to."""

from collections.abc import Iterator

import pytest

from pipeline.store.workspace import Workspace
from tests.support.browser import Browser, browsing
from tests.support.report_runs import HOSTILE, reported_run

pytestmark = pytest.mark.browser
SHOWN = "[...document.querySelectorAll('.pair')].filter((pair) => !pair.hidden)"
FIRST = "document.querySelector('.pair')"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return the workspace of a finished run."""
    return reported_run(tmp_path_factory)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser."""
    with browsing() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, finished: Workspace) -> Browser:
    """Return the browser with the report open, freshly loaded, its first pair in view and ready to play."""
    browser.open("about:blank")
    browser.open((finished.root / "report.html").as_uri())
    browser.value(f"{FIRST}.scrollIntoView()")
    browser.wait_for(f"{FIRST}.querySelectorAll('[data-state=ready]').length === 4")
    return browser


def choose(page: Browser, name: str, value: str) -> int:
    """Set a filter, as a reader does, and return how many pairs are left."""
    field = f"document.querySelector('.filters [name={name}]')"
    page.value(f"{field}.value = {value!r}; {field}.dispatchEvent(new Event('input', {{ bubbles: true }}))")
    number: int = page.value(f"{SHOWN}.length")
    return number


def test_it_loads_without_a_complaint_and_asks_for_nothing(page: Browser, finished: Workspace) -> None:
    """No error on the console, no request but for the file; a script in a transcript does not run."""
    asked = [url for url in page.requests if not url.startswith(("data:", "blob:"))]

    assert page.complaints == []
    assert asked == [(finished.root / "report.html").as_uri()]
    assert page.value("window.hacked") is None
    assert HOSTILE in page.value("document.body.innerText")


def test_every_chart_is_drawn(page: Browser) -> None:
    """Each has a drawing that is as wide as the room it has."""
    assert page.value("document.querySelectorAll('.chart').length") > 5
    assert page.value(
        "[...document.querySelectorAll('.chart')].every((chart) => "
        "chart.closest('details:not([open])') || chart.querySelector('svg.main-svg').clientWidth > 100)"
    )


def test_players_play(page: Browser) -> None:
    """Time goes on, and the length is the recording's."""
    page.value(f"window.player = {FIRST}.querySelector('.chosen audio'); player.play()")

    page.wait_for("player.currentTime > 0.2")
    assert page.value("player.readyState") == 4
    assert 1 < page.value("player.duration") < 6
    assert page.complaints == []


def test_one_plays_at_a_time_and_the_next_one_keeps_the_place(page: Browser) -> None:
    """Going from chosen to rejected in the middle of a word compares the same word."""
    page.value(f"window.players = {FIRST}.querySelectorAll('audio'); players[1].play()")
    page.wait_for("players[1].currentTime > 0.4")

    page.value("players[2].play()")

    page.wait_for("players[1].paused")
    assert page.value("players[2].currentTime") >= 0.4


def test_spectrograms_show_what_is_heard(page: Browser) -> None:
    """They are neither empty nor all alike: that of a recording cut at 2 kHz is dark above."""
    choose(page, "degradation", "bandwidth")
    page.value(f"window.cut = {SHOWN}[0]; cut.scrollIntoView()")
    page.wait_for("cut.querySelectorAll('[data-state=ready]').length === 4")
    brightness = (
        "(side, top, bottom) => { const canvas = cut.querySelector(`.${side} canvas`);"
        "const [from, to] = [top, bottom].map((place) => Math.round(place * canvas.height));"
        "const { data } = canvas.getContext('2d').getImageData(0, from, canvas.width, to - from);"
        "return data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : value), 0) / data.length; }"
    )

    above = page.value(f"({brightness})('degraded', 0, 0.6)")
    below = page.value(f"({brightness})('degraded', 0.8, 1)")
    clean_above = page.value(f"({brightness})('clean', 0, 0.6)")
    assert below > 5 * above
    assert clean_above > 5 * above


def test_filters_filter(page: Browser) -> None:
    """Each by itself and together; what is shown is what was asked for; clearing shows all again."""
    everything = page.value(f"{SHOWN}.length")

    clipped = choose(page, "degradation", "clipping")
    assert 0 < clipped < everything
    kinds = page.value(f"{SHOWN}.map((pair) => pair.dataset.degradations)")
    assert all("clipping" in kind for kind in kinds)
    both = choose(page, "model", "identity")
    assert 0 < both <= clipped
    assert choose(page, "text", "no such words") == 0
    page.value("document.querySelector('.filters [type=reset]').click()")
    page.wait_for(f"{SHOWN}.length === {everything}")


def test_pairs_can_be_had_by_margin(page: Browser) -> None:
    """Only those that are ahead by as much on the score that was chosen."""
    everything = page.value(f"{SHOWN}.length")
    margins = f"{SHOWN}.map((pair) => JSON.parse(pair.dataset.margins).si_sdr)"
    bound = round(sum(page.value(margins)) / everything, 3)
    choose(page, "score", "si_sdr")

    left = choose(page, "margin", str(bound))

    assert 0 < left < everything
    assert all(margin >= bound for margin in page.value(margins))
    assert (
        page.value("document.querySelector('.filters output').textContent") == f"{left} of {everything} shown"
    )


def test_it_follows_the_system_between_light_and_dark(page: Browser) -> None:
    """And the button says otherwise; charts are drawn in the colours of the page."""
    paper = "getComputedStyle(document.body).backgroundColor"
    ticks = "getComputedStyle(document.querySelector('#funnel .ytick text')).fill"
    page.prefer("light")
    light = page.value(paper), page.value(ticks)

    page.prefer("dark")
    page.wait_for(f"{ticks} !== '{light[1]}'")
    dark = page.value(paper), page.value(ticks)
    page.value("document.querySelector('.theme').click()")
    page.wait_for(f"{ticks} === '{light[1]}'")

    assert dark[0] != light[0]
    assert page.value(paper) == light[0]
    page.prefer("light")


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_screen(page: Browser, width: int) -> None:
    """Wide tables and charts scroll by themselves, and words without an end are broken."""
    page.resize(width, 844)
    page.value(
        "document.querySelectorAll('.pair').forEach((p) => { p.style.contentVisibility = 'visible'; })"
    )
    root = "document.documentElement"

    page.wait_for(f"{root}.scrollWidth <= {root}.clientWidth")
    widest = page.value(
        "Math.max(...[...document.querySelectorAll('.pair header > *, caption')]"
        ".map((each) => each.getBoundingClientRect().right))"
    )
    assert widest <= page.value(f"{root}.clientWidth")
    page.resize(1280, 1000)


def test_digits_in_a_matrix_have_room(page: Browser) -> None:
    """However narrow the screen is, no digits run into those beside them: the matrix scrolls instead."""
    page.resize(240, 844)
    matrix = "document.querySelector('#agreement .chart')"
    digits = f"[...{matrix}.querySelectorAll('.heatmap-label text')].map((d) => d.getBoundingClientRect())"
    overlap = "(a, b) => a.x < b.x && b.x < a.right && Math.abs(a.y - b.y) < 5"

    page.wait_for(f"{matrix}.clientWidth > {matrix}.parentElement.clientWidth")
    assert page.value(f"{digits}.length") == 6
    assert not page.value(f"(all => all.some(a => all.some(b => ({overlap})(a, b))))({digits})")
    page.resize(1280, 1000)


@pytest.mark.parametrize("width", [800, 1100, 1400])
def test_what_a_link_leads_to_can_be_seen(page: Browser, width: int) -> None:
    """No heading is under the line of links, however many lines that takes."""
    page.resize(width, 900)
    for link in page.value("[...document.querySelectorAll('nav a')].map((a) => a.hash)"):
        page.value(f"location.hash = {link!r}")
        top = f"document.querySelector('{link} h2').getBoundingClientRect()"
        seen = f"document.elementFromPoint({top}.left + 5, {top}.top + 2)"

        assert page.value(f"{seen} === document.querySelector('{link} h2')"), link
    page.resize(1280, 1000)


def test_numbers_keep_their_units_beside_them(page: Browser) -> None:
    """However narrow the page is: a number and its unit stand in one line."""
    page.resize(800, 900)
    lines = "[...document.querySelectorAll('#costs td.right')].map((cell) => cell.getClientRects().length)"
    heights = "[...document.querySelectorAll('#costs tbody tr')].map((row) => row.clientHeight)"

    assert set(page.value(lines)) == {1}
    assert len(set(page.value(heights))) == 1
    page.resize(1280, 1000)
