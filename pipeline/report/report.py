"""The report as one file, which opens anywhere, without a network, and tells nobody that it was opened."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from pipeline.dataset.description import MARK
from pipeline.report.clips import flac_of
from pipeline.report.pages import render_listening, render_page, sections_of
from pipeline.report.pairs import pair_cards_of
from pipeline.report.recordings import EXCERPT_S, Recordings
from pipeline.report.snapshot import Snapshot
from pipeline.store.files import StoredFile
from pipeline.store.workspace import Workspace
from schemas import fingerprint_of

_MOST_PAIRS = 60
"""Pairs to listen to: as many as anybody will, if their recordings fit."""
STYLES = ("report.css", "listening.css")
_HEAD_BYTES = 8192
"""Of a page; its stamp is in there."""
SCRIPTS = ("charts.js", "spectrogram.js", "listening.js", "filters.js", "page.js")


@dataclass(frozen=True, slots=True)
class Script:
    """A script of our own inside the page. The page names its digest, and runs no other."""

    text: str

    @property
    def digest(self) -> str:
        """SHA-256 in base64, as a content security policy names it."""
        return base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()


def write_report(workspace: Workspace, file: StoredFile, human: Path | None = None) -> int:
    """Write the report of what lies in a workspace, and return how many bytes it has.

    ``human`` is a file of people's ratings. Raises ``WorkspaceError`` if no run has begun in it.
    """
    page = report_of(Snapshot.of(workspace, human)).encode()
    file.put(page)
    return len(page)


def report_of(snapshot: Snapshot) -> str:
    """Return the page. It differs only if the workspace does."""
    recordings = Recordings(partial(flac_of, snapshot.workspace.store))
    cards = recordings.take_fitting(pair_cards_of(snapshot, _MOST_PAIRS))
    listening = render_listening(snapshot, cards, recordings.source, EXCERPT_S)
    sections = [*sections_of(snapshot), listening]
    return render_page(
        "report.html.j2",
        snapshot,
        sections,
        style="".join(read_asset(name) for name in STYLES),
        scripts=list(list_scripts()),
        recordings=recordings.by_id,
        stamp=report_stamp_of(snapshot.workspace),
    )


def is_outdated(workspace: Workspace) -> bool:
    """Whether the report of a workspace is not of what lies there now: a killed run may have left it behind.

    Contents are compared and not times: clocks are set back, and of a copied workspace all files are new.
    """
    ends = workspace.report.read_ends(_HEAD_BYTES)
    return ends is None or report_stamp_of(workspace).encode() not in ends[0] or b"</html>" not in ends[1]


def report_stamp_of(workspace: Workspace) -> str:
    """Return sixteen hex digits of what a report speaks of: dataset, audit, and what tickets have cost."""
    dataset = workspace.dataset.read(MARK) if workspace.dataset.holds(MARK) else b""
    contents = (dataset, workspace.audit.read_if_there() or b"", workspace.ticket_log.read())
    return fingerprint_of([hashlib.sha256(content).hexdigest() for content in contents])


def list_scripts() -> Iterator[Script]:
    """Walk the scripts of the page: the charts' library, then ours."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415

    yield Script(get_plotlyjs())
    yield Script("".join(read_asset(name) for name in SCRIPTS))


def read_asset(name: str) -> str:
    """Return a style sheet or a script of the page."""
    return (files("pipeline.report") / "assets" / name).read_text(encoding="utf-8")
