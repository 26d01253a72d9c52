"""The page of a survey: one file that asks nobody for anything."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.sources.corpora import Corpus
from pipeline.survey.page import page_of
from pipeline.survey.players import Excerpts, take_worst
from pipeline.survey.records import Oddity, Survey
from pipeline.survey.survey import survey_corpus
from stages.ingest.stage import IngestSettings
from tests.support.browser import browsing
from tests.support.bundled_speech import bundled

HOSTILE = "<script>window.hacked=1<"


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Return the survey of a few recordings, one of them broken, one with a name that is markup."""
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(1, 4):
        samples = bundled(number).samples + np.float32(0.02 * number)
        soundfile.write(folder / f"{number}.wav", samples, 16_000, subtype="PCM_16")
    soundfile.write(folder / f"{HOSTILE}.wav", bundled(4).samples + np.float32(0.01), 16_000)
    (folder / "broken.flac").write_bytes(b"nothing")
    corpus = Corpus(name="c", path=str(folder), speaker="stem_prefix")
    return survey_corpus(corpus, IngestSettings(), 1, lambda *_: None, lambda *_: None)


@pytest.fixture(scope="module")
def page(surveyed: Survey) -> str:
    """Return its page."""
    return page_of(surveyed)


def test_it_loads_nothing(page: str) -> None:
    """No address in any attribute that a browser follows, and a policy that forbids the rest."""
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)

    assert re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?!#)[\w/]', without_scripts) == []
    assert "default-src 'none'" in without_scripts
    assert HOSTILE not in page


def test_the_worst_come_first_and_can_be_heard(surveyed: Survey) -> None:
    """By their figure; a file that cannot be decoded is named, with its reason and without a player."""
    worst = take_worst(surveyed, Excerpts())

    assert [Path(card.recording.source.name).stem for card in worst[Oddity.OFFSET]][:3] == ["3", "2", "1"]
    assert all(card.player for card in worst[Oddity.OFFSET])
    (refused,) = worst[Oddity.REFUSED]
    assert refused.player is None
    assert "not audio" in refused.figure


def test_room_goes_to_the_worst(surveyed: Survey) -> None:
    """Where not all fit, the first of each kind has a player."""
    one = Excerpts()
    assert one.take(surveyed.recordings[2].source) is not None
    room = sum(map(len, one.by_id.values()))

    cards = take_worst(surveyed, Excerpts(most_bytes=room + 50_000))[Oddity.OFFSET]

    assert cards[0].player is not None
    assert None in [card.player for card in cards]


def test_every_chart_is_a_figure(page: str) -> None:
    """JSON that holds as many recordings as there are."""
    charts = re.findall(r'<script type="application/json">(.*?)</script>', page)
    figures = [json.loads(chart) for chart in charts]

    counted = [sum(map(sum, (trace["y"] for trace in figure["data"]))) for figure in figures[:-1]]
    assert set(counted) == {4}


@pytest.mark.browser
def test_a_reader_sees_and_hears_it(page: str, tmp_path: Path) -> None:
    """Without a complaint, a request or anything wider than the screen, wide or narrow; players play."""
    file = tmp_path / "survey.html"
    file.write_text(page)
    root = "document.documentElement"
    with browsing() as browser:
        browser.open(file.as_uri())
        browser.value("document.querySelector('.clip').scrollIntoView()")
        browser.wait_for("document.querySelector('.clip[data-state=ready]') !== null")
        browser.value("window.player = document.querySelector('.clip audio'); player.play()")
        browser.wait_for("player.currentTime > 0.2")
        for width in (400, 1400):
            browser.resize(width, 900)
            browser.wait_for(f"{root}.scrollWidth <= {root}.clientWidth")

        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
        assert browser.value("window.hacked") is None
