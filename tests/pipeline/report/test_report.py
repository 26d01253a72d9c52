"""The report of a run: complete, escaped, the same every time, in one file that asks for nothing."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from fastapi.testclient import TestClient

from pipeline.cli.commands.report import report_command
from pipeline.dashboard.app import dashboard_of
from pipeline.dataset.description import read_description
from pipeline.report.clips import Clip, flac_of
from pipeline.report.pairs import pair_cards_of
from pipeline.report.recordings import EXCERPT_S, Recordings, cut_excerpt
from pipeline.report.report import report_of
from pipeline.report.snapshot import Snapshot
from pipeline.store.workspace import Workspace
from schemas import IntegrityError, UserError, WorkspaceError
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from tests.support.listeners import scores_in, write_ratings
from tests.support.report_runs import HOSTILE, reported_run

MOST_BYTES = 30_000_000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return the workspace of a finished run, which wrote its report."""
    return reported_run(tmp_path_factory)


@pytest.fixture
def own(finished: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of it that a test may change."""
    return Workspace(Path(shutil.copytree(finished.root, tmp_path / "own")))


class Parsed(HTMLParser):
    """The elements of a page, and what stands in it as text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        """Note text that a reader sees."""
        if self._inside not in {"script", "style"}:
            self.text += data


def test_ratings_of_people_are_part_of_the_report(finished: Workspace, tmp_path: Path) -> None:
    """Beside every score, for a file that is named; without one the report is as the run wrote it."""
    tables = Snapshot.of(finished).tables
    scores = [name for name in scores_in(tables, "si_sdr") if "/clean/" not in name]
    rows = [(name, 1.0 + 4.0 * place / len(scores)) for place, name in enumerate(scores)]
    ratings = write_ratings(tmp_path / "ratings.csv", "candidate_id,mos", [*rows, ("<nobody>", 3)])

    report_command(finished, str(tmp_path / "rated.html"), ratings)

    text = Parsed((tmp_path / "rated.html").read_text(encoding="utf-8")).text
    assert "How far do scores and pairs agree with people?" in text
    assert f"{len(rows)} ratings from ratings.csv" in text
    assert "1 rating could not be used, such as <nobody>: no such candidate_id in the tables" in text
    assert "How far do scores" not in (finished.root / "report.html").read_text(encoding="utf-8")


def test_a_run_writes_its_report_and_the_command_writes_the_same(finished: Workspace, tmp_path: Path) -> None:
    """Byte for byte: it differs only if the workspace does."""
    out = tmp_path / "elsewhere.html"

    report_command(finished, str(out))

    assert out.read_bytes() == (finished.root / "report.html").read_bytes()
    assert len(out.read_bytes()) < MOST_BYTES


def test_the_page_has_every_section_and_the_numbers_of_the_dataset(finished: Workspace) -> None:
    """The funnel is the one that the dataset's own description has."""
    page = Parsed((finished.root / "report.html").read_text())
    dataset = read_description(finished.dataset)

    ids = {attributes["id"] for tag, attributes in page.elements if tag == "section"}
    assert dataset is not None
    assert Snapshot.of(finished).funnel == dataset.funnel
    assert ids >= {
        "overview",
        "funnel",
        "corpus",
        "scores",
        "agreement",
        "yields",
        "audit",
        "costs",
        "failures",
    }
    assert f"{dataset.funnel.count('pairs')} of {dataset.funnel.count('pairs')} pairs" in page.text
    assert "1 unfit: silent" in page.text
    assert "sentences/silent" in page.text
    assert "What the pairs of the dataset cover, and what fewer would" in page.text
    assert "speech corpus: two sentences" in page.text


def test_texts_are_text(finished: Workspace) -> None:
    """A transcript that is a script is shown, not run; nor is it read as a template."""
    page = (finished.root / "report.html").read_text()

    assert "window.hacked = 1</script>" not in page
    assert HOSTILE in Parsed(page).text
    assert HOSTILE in [
        attributes.get("data-text", "")[: len(HOSTILE)] for _, attributes in Parsed(page).elements
    ]
    assert not [attributes for tag, attributes in Parsed(page).elements if tag == "img"]


def test_the_page_asks_for_nothing_and_runs_only_its_own_scripts(finished: Workspace) -> None:
    """No element names an address; its policy forbids all loading, and all scripts but those it names."""
    elements = Parsed((finished.root / "report.html").read_text()).elements

    addresses = {
        a[name] for _, a in elements for name in ("src", "href", "action", "data-source") if name in a
    }
    (policy,) = (a["content"] for tag, a in elements if tag == "meta" and "http-equiv" in a)
    running = [a for tag, a in elements if tag == "script" and "type" not in a]
    assert all(address is not None and address.startswith("#") for address in addresses)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == len(running) == 2


def test_recordings_are_in_the_page_once_as_they_are_stored(finished: Workspace) -> None:
    """All that players refer to is there, of 16 bits, no further from what is stored than half a step."""
    page = (finished.root / "report.html").read_text()
    held = dict(re.findall(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>', page))
    referred = re.findall(r'data-source="#([^"]+)"', page)
    card = pair_cards_of(Snapshot.of(finished), 1)[0]

    stored, rate = soundfile.read(io.BytesIO(flac_of(finished.store, card.degraded)))
    heard, same_rate = soundfile.read(io.BytesIO(base64.b64decode(held[referred[0]])))

    assert set(held) == set(referred)
    assert len(set(held.values())) == len(held)
    assert same_rate == rate
    assert np.abs(heard - stored).max() <= 0.5 / 2**15


def test_long_recordings_are_shortened() -> None:
    """Only the beginning of a long one is heard."""
    noise = Waveform(np.full(20 * 8_000, 0.25, dtype=np.float32), 8_000)

    samples, rate = soundfile.read(io.BytesIO(cut_excerpt(encode_flac(noise).flac)))

    assert len(samples) == EXCERPT_S * rate


def test_pairs_are_left_out_when_there_is_no_room(finished: Workspace) -> None:
    """The first ones stay, with all four of their recordings; the next one would be too much."""
    cards = pair_cards_of(Snapshot.of(finished), 50)
    all_of_them = Recordings(lambda clip: flac_of(finished.store, clip))
    all_of_them.take_fitting(cards)
    most = sum(map(len, all_of_them.by_id.values())) // 2

    some = Recordings(lambda clip: flac_of(finished.store, clip), most)
    kept = some.take_fitting(cards)

    assert 0 < len(kept) < len(cards)
    assert kept == cards[: len(kept)]
    assert sum(map(len, some.by_id.values())) <= most
    assert all(some.source(clip) for card in kept for _, clip, _ in card.clips)


def test_examples_are_of_every_kind_before_any_kind_has_two(finished: Workspace) -> None:
    """Kinds are the degradations and the two models."""
    cards = pair_cards_of(Snapshot.of(finished), 50)
    kinds = [(*card.degradations, card.chosen.model, card.rejected.model) for card in cards]

    first = kinds[: len(set(kinds))]
    assert len(set(first)) == len(first)
    assert len(cards) == Snapshot.of(finished).funnel.count("pairs")


def test_a_card_says_what_the_tables_say(finished: Workspace) -> None:
    """Scores, margins by the direction of the metric, who votes, who is held out."""
    snapshot = Snapshot.of(finished)
    card = pair_cards_of(snapshot, 1)[0]
    (pair,) = snapshot.tables.rows("SELECT * FROM pairs WHERE pair_id = ?", card.pair_id)

    roles = {row.name: row.role for row in card.scores}
    assert roles == {"multi_resolution_stft": "votes", "si_sdr": "held out", "spectral_envelope": ""}
    (margin,) = pair["margins"]
    assert card.margins["multi_resolution_stft"] == pytest.approx(margin["advantage"])
    assert margin["advantage"] > 0
    assert margin["chosen"] < margin["rejected"]


@pytest.mark.parametrize("gone", ["prefer-*", "score.*", "restore.*", "degrade-*", "plan-*", "*"])
def test_a_run_that_has_only_begun_has_a_report_too(own: Workspace, gone: str) -> None:
    """Whatever is not there yet is counted as nothing."""
    for table in {*(own.root / "tables").glob("prefer-*"), *(own.root / "tables").glob(gone)}:
        shutil.rmtree(table)
    (own.root / "audit.json").unlink()

    page = report_of(Snapshot.of(own))

    assert "This run is not finished." in page
    assert "There are no pairs." in page


def test_an_audit_that_compared_nothing_is_no_error(own: Workspace) -> None:
    """Nothing that agrees, nothing that was judged, no distribution: the page says so and goes on."""
    path = own.root / "audit.json"
    nothing = dict.fromkeys(("agreement", "judgements", "left_out", "flagged", "yields", "models"), ())
    found = json.loads(path.read_text()) | nothing | {"pairs": 0, "beats_clean": None}
    found["distributions"] = [
        {**d, "chosen": [], "rejected": [], "advantage": []} for d in found["distributions"]
    ]
    path.write_text(json.dumps(found))

    page = Parsed(report_of(Snapshot.of(own))).text

    assert "No input has two restorations that could be compared." in page
    assert "No score has a value on both sides of a pair." in page
    assert "the clean reference was not scored" in page


@pytest.mark.parametrize("name", ["config.json", "tables.json"])
def test_a_workspace_of_another_version_is_said_to_be_one(own: Workspace, name: str) -> None:
    """The file and the way out, for a report and for whoever looks at the dashboard."""
    (own.root / name).write_text('{"since": "withdrawn"}')
    with pytest.raises(WorkspaceError, match=f"{name} .*another version.*'run' with the same config"):
        report_command(own, None)

    answer = TestClient(dashboard_of(own), base_url="http://127.0.0.1:8000").get("/")

    assert answer.status_code == 503
    assert "another version" in answer.text


@pytest.mark.parametrize("stage", ["degrade", "restore"])
def test_tables_that_lack_a_column_are_said_to_be_of_another_version(own: Workspace, stage: str) -> None:
    """A table that this version reads more of than there is: no traceback, and the way out."""
    for path in (own.root / "tables").glob(f"{stage}*/*.parquet"):
        rows = pq.read_table(path)
        pq.write_table(rows.drop_columns("applied" if stage == "degrade" else "takes"), path)

    with pytest.raises(WorkspaceError, match=r"written by another version.*'run' with the same config"):
        Snapshot.of(own).tables.rows("SELECT * FROM takes")


def test_where_no_run_has_begun_there_is_nothing_to_report(own: Workspace, tmp_path: Path) -> None:
    """The message names the place; a folder is no name for a file."""
    with pytest.raises(WorkspaceError, match="nothing"):
        report_command(Workspace(tmp_path / "nothing"), None)
    with pytest.raises(UserError, match="is a folder"):
        report_command(own, str(tmp_path))


def test_queries_reach_nothing_outside_the_tables(finished: Workspace) -> None:
    """Even a query that asks for it: files elsewhere, other tables' folders, the network."""
    tables = Snapshot.of(finished).tables

    with pytest.raises(duckdb.PermissionException):
        tables.rows(f"SELECT * FROM read_text('{finished.root / 'tables.json'}')")
    with pytest.raises(duckdb.Error):
        tables.rows("COPY (SELECT 1) TO '/tmp/written.csv'")


def test_a_recording_that_is_not_there_is_named(finished: Workspace) -> None:
    """Neither another row nor another take is given in its place."""
    clip = pair_cards_of(Snapshot.of(finished), 1)[0].chosen.clip

    with pytest.raises(IntegrityError, match="no row 'unknown'"):
        flac_of(finished.store, Clip(clip.folder, clip.shard, "unknown", clip.part))
    with pytest.raises(IntegrityError, match="no recording '7'"):
        flac_of(finished.store, Clip(clip.folder, clip.shard, clip.row, "7"))
