"""The dashboard in a browser: listeners vote by keyboard, and a page follows a run and keeps one's place."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.listening.invitations import ListeningPlan, invite
from pipeline.store.workspace import Workspace
from tests.support.browser import Browser, browsing
from tests.support.served import cut_after, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser."""
    with browsing() as started:
        yield started


def _begin(browser: Browser, address: str, name: str) -> None:
    """Open the test and say who listens."""
    browser.open(f"{address}/listen")
    browser.value(f"document.querySelector('[name=listener]').value = {json.dumps(name)}")
    browser.value("document.querySelector('#welcome button').click()")


def _wait_for_trial(browser: Browser, judged: int) -> None:
    browser.wait_for(f"document.getElementById('count').textContent.startsWith('{judged} judged')")
    browser.wait_for("!document.getElementById('play').disabled")


def _hear_both(browser: Browser) -> None:
    for key in "ab":
        browser.press(key)
        browser.wait_for(f"(player.count(), player.heardS['{key}'] > 1.05)")
    browser.wait_for("!document.querySelector('[data-vote]').disabled")


def test_an_invited_listener_needs_no_name(browser: Browser, workspace: Path) -> None:
    """The link says who they are; the first trial is for practice, and is said to be."""
    found = invite(Workspace(workspace).invitations, ["Ann"], ListeningPlan(training=1))
    with served(workspace) as address:
        browser.open(f"{address}/listen?invitation={found.invited[0].token}")
        shown = browser.value("document.getElementById('name').checkVisibility()")
        browser.value("document.querySelector('#welcome button').click()")
        _wait_for_trial(browser, 0)

        assert shown is False
        assert browser.value("document.getElementById('who').textContent") == "Ann"
        assert browser.value("document.getElementById('practice').checkVisibility()") is True


def test_a_listener_votes_by_keyboard(browser: Browser, workspace: Path) -> None:
    """Letters choose what is heard, space pauses, digits answer; nothing is answered unheard; all is kept."""
    with served(workspace) as address:
        _begin(browser, address, "Ann")
        _wait_for_trial(browser, 0)
        browser.press("1")
        browser.press("a")
        browser.wait_for("player.placeS > 0.2")
        for key, heard in (("r", "clean"), ("d", "degraded"), ("b", "b")):
            browser.press(key)
            assert browser.value("document.querySelector('[aria-pressed=true]').dataset.hear") == heard
            assert browser.value("player.heard") == heard
        browser.press(" ")
        assert browser.value("player.playing") is None
        assert not (workspace / "listening").exists()

        for judged, key in enumerate("120"):
            _wait_for_trial(browser, judged)
            _hear_both(browser)
            browser.press(key)
        _wait_for_trial(browser, 3)
        _begin(browser, address, "Ann")
        _wait_for_trial(browser, 3)

        assert browser.complaints == []
        assert all(url.startswith((address, "data:")) for url in browser.requests)
    lines = (workspace / "listening" / "Ann.jsonl").read_text().splitlines()
    assert [json.loads(line)["choice"] for line in lines] == ["a", "b", "neither"]


def test_switching_keeps_the_place_and_lets_one_recording_through(browser: Browser, workspace: Path) -> None:
    """All play together; the gain of one is 1, that of the others 0; the place goes on from where it is."""
    with served(workspace) as address:
        _begin(browser, address, "Ann")
        _wait_for_trial(browser, 0)
        browser.press("a")
        browser.wait_for("player.placeS > 0.3")
        browser.press("b")
        assert browser.value("player.placeS") > 0.3
        gains = "Object.fromEntries(Object.entries(player.playing.gains).map(([k, g]) => [k, g.gain.value]))"
        browser.wait_for(f"{gains}.b > 0.999")

        found = browser.value(gains)
        assert max(found[name] for name in ("a", "clean", "degraded")) < 0.001


def test_a_vote_that_cannot_be_kept_is_said_and_can_be_given_again(browser: Browser, workspace: Path) -> None:
    """The page says why, and stays with its question."""
    (workspace / "listening").write_text("in the way")
    with served(workspace) as address:
        _begin(browser, address, "Ann")
        _wait_for_trial(browser, 0)
        _hear_both(browser)
        browser.press("1")
        browser.wait_for("document.getElementById('said').textContent.includes('no vote can be kept')")
        (workspace / "listening").unlink()
        browser.press("1")
        _wait_for_trial(browser, 1)


def test_a_name_that_cannot_be_is_said_so(browser: Browser, workspace: Path) -> None:
    """The page says what a name may have, and stays where it is."""
    with served(workspace) as address:
        _begin(browser, address, ".hidden")
        browser.wait_for("document.getElementById('said').textContent.includes('letters')")
        assert browser.value("document.getElementById('trial').hidden") is True
        _begin(browser, address, "  ")
        assert browser.value("document.querySelector('[name=listener]').checkValidity()") is False
        assert browser.value("document.getElementById('said').textContent") == ""


def test_a_page_follows_the_run_and_leaves_its_reader_alone(
    browser: Browser, undisturbed: Path, workspace: Path
) -> None:
    """What plays plays on, a filter stays typed, what is in view stays; new pairs come when asked for."""
    cut_after(workspace, "prefer")
    with served(workspace) as address:
        browser.open(f"{address}/")
        browser.wait_for("document.querySelector('#funnel .plot-container') !== null")
        browser.value("document.getElementById('listening').scrollIntoView()")
        browser.wait_for("document.querySelector('.pair .clip[data-state=ready] audio') !== null")
        browser.value("document.querySelector('[name=text]').value = 'clips'")
        browser.value("window.played = document.querySelector('.clip[data-state=ready] audio')")
        browser.value("(played.loop = true, played.play())")
        browser.value("window.topBefore = document.querySelector('.filters').getBoundingClientRect().top")
        few = browser.value("document.querySelectorAll('.pair').length")
        assert "stopped" in browser.value("document.getElementById('head').textContent")

        shutil.copytree(undisturbed / "workspace", workspace, dirs_exist_ok=True)
        browser.wait_for("document.getElementById('head').textContent.includes('finished')")
        browser.wait_for("document.querySelector('#listening .more') !== null")

        assert browser.value("played.isConnected && !played.paused") is True
        assert browser.value("document.querySelector('[name=text]').value") == "clips"
        moved = browser.value("document.querySelector('.filters').getBoundingClientRect().top - topBefore")
        assert abs(moved) < 2
        browser.value("document.querySelector('.more').click()")
        browser.wait_for(f"document.querySelectorAll('.pair').length > {few}")
        browser.wait_for("document.querySelector('.pair .clip[data-state=ready] audio') !== null")
        assert browser.complaints == []


def test_a_page_that_waits_shows_the_run_once_it_has_begun(
    browser: Browser, undisturbed: Path, tmp_path: Path
) -> None:
    """An empty workspace's page turns into the run's by itself; a dashboard that has gone is said to have."""
    folder = tmp_path / "new"
    folder.mkdir()
    with served(folder) as address:
        browser.open(f"{address}/")
        assert "Waiting" in browser.value("document.title")
        shutil.copytree(undisturbed / "workspace", folder, dirs_exist_ok=True)
        browser.wait_for("document.querySelector('#funnel .plot-container') !== null")
    browser.wait_for("!document.getElementById('silence').hidden")
