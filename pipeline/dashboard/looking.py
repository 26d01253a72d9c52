"""Routes to look at a run: its page, what has changed since, and recordings."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from fastapi.responses import HTMLResponse

from pipeline.dashboard.context import Served
from pipeline.dashboard.pages import rendered
from pipeline.dashboard.ranges import ranged
from pipeline.report.clips import Clip

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def page(context: Served) -> str:
    """Return the report of the run as it is now; a page that waits for one before it has begun."""
    view = context.live.view()
    if view is None:
        return rendered("waiting.html.j2", workspace=context.workspace.root)
    return rendered(
        "dashboard.html.j2",
        snapshot=view.snapshot,
        sections=view.sections,
        head=view.head,
        digests=view.digests,
    )


@router.get("/state")
def state(context: Served) -> dict[str, object]:
    """Return how far the run is, and the digest of each section: pages fetch what has changed."""
    view = context.live.view()
    if view is None:
        return {"head": "", "sections": {}}
    return {"head": view.head, "sections": view.digests}


@router.get("/sections/{section}", response_class=HTMLResponse)
def section(section: str, context: Served) -> str:
    """Return one section as it is now."""
    view = context.live.view()
    found = [] if view is None else [one.html for one in view.sections if one.id == section]
    if not found:
        raise HTTPException(404, "there is no such section")
    return found[0]


@router.get("/audio")
def audio(
    clip: Annotated[Clip, Depends()],
    context: Served,
    range_: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """Return a recording, or the part of it that a player asks for."""
    return ranged(context.flac(clip), range_)
