"""Routes to look at a run: its page, what has changed since, and recordings."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from fastapi.responses import HTMLResponse

from pipeline.dashboard.context import Served
from pipeline.dashboard.pages import render_template
from pipeline.dashboard.ranges import cut_range
from pipeline.report.clips import Clip

report_router = APIRouter()


@report_router.get("/", response_class=HTMLResponse)
def serve_report(context: Served) -> str:
    """Return the report of the run as it is now; a page that waits for one before it has begun."""
    view = context.live.view()
    if view is None:
        return render_template("waiting.html.j2", workspace=context.workspace)
    return render_template(
        "dashboard.html.j2",
        snapshot=view.snapshot,
        sections=view.sections,
        head=view.head,
        digests=view.digests,
    )


@report_router.get("/state")
def serve_state(context: Served) -> dict[str, object]:
    """Return how far the run is, and the digest of each section: pages fetch what has changed."""
    view = context.live.view()
    if view is None:
        return {"head": "", "sections": {}}
    return {"head": view.head, "sections": view.digests}


@report_router.get("/sections/{section}", response_class=HTMLResponse)
def serve_section(section: str, context: Served) -> str:
    """Return one section as it is now."""
    view = context.live.view()
    found = [] if view is None else [one.html for one in view.sections if one.id == section]
    if not found:
        raise HTTPException(404, "there is no such section")
    return found[0]


@report_router.get("/audio")
def serve_audio(
    clip: Annotated[Clip, Depends()],
    context: Served,
    range_: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """Return a recording, or the part of it that a player asks for."""
    return cut_range(context.flac(clip), range_)
