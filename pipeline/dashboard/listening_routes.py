"""Routes of the blind listening test: nothing that a listener's browser gets says what made a recording."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Response
from fastapi.responses import HTMLResponse

from pipeline.dashboard.context import Context, Served
from pipeline.dashboard.pages import render_template
from pipeline.dashboard.ranges import cut_range
from pipeline.listening.trials import Trial
from pipeline.listening.votes import Listener, TrialPurpose, VoteChoice
from pipeline.report.clips import Clip
from schemas import Record

listening_router = APIRouter(prefix="/listen")


class Asked(Record):
    """What a listener's browser is told of a trial."""

    trial: str | None
    """Its token; None if there is nothing left to judge by now."""
    judged: int
    offered: int
    """Comparisons that there are by now; a tenth as many questions are asked twice."""
    listener: str
    """Who they are, also where their link said it."""
    is_training: bool = False
    """Whether the answer does not count."""


class Answer(Record):
    """What a listener says."""

    trial: str
    choice: VoteChoice


@listening_router.get("", response_class=HTMLResponse)
def serve_test(context: Served) -> str:
    """Return the page of the test."""
    return render_template("listen.html.j2", name=context.workspace.name)


@listening_router.get("/{listener}")
def serve_question(listener: Listener, context: Served) -> Asked:
    """Return where the listener is."""
    admitted = context.admit(listener)
    trial, view = context.trial(admitted), context.live.view()
    return Asked(
        trial=None if trial is None else trial.token,
        judged=len(context.book.of(admitted)),
        offered=0 if view is None else len(view.comparisons),
        listener=admitted,
        is_training=trial is not None and trial.purpose is TrialPurpose.TRAINING,
    )


@listening_router.post("/{listener}")
def take_answer(listener: Listener, given: Answer, context: Served) -> Asked:
    """Keep an answer for good, and return where the listener is then."""
    context.take_vote(context.admit(listener), given.trial, given.choice)
    return serve_question(listener, context)


@listening_router.get("/{listener}/{token}/{what}")
def serve_recording(
    listener: Listener,
    token: str,
    what: Literal["a", "b", "clean", "degraded"],
    context: Served,
    range_: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """Return a recording of the trial that the listener is at, as loud as it is stored."""
    trial = context.trial(context.admit(listener))
    if trial is None or trial.token != token:
        raise HTTPException(404, "this is not what is asked now")
    return cut_range(context.flac(_clip_of(context, trial, what)), range_)


def _clip_of(context: Context, trial: Trial, what: str) -> Clip:
    view = context.live.view()
    if view is None or trial.row not in view.shards:
        raise HTTPException(404, "the run has been begun anew")
    folders = {table.name: table.folder for table in view.snapshot.inventory.tables}
    if what in {"clean", "degraded"}:
        return Clip(folders["degrade"], view.shards[trial.row], trial.row, what)
    side = trial.a if what == "a" else trial.b
    if trial.purpose is not TrialPurpose.VOTE:  # its sides are no restorations
        return Clip(folders["degrade"], view.shards[trial.row], trial.row, side.model)
    return Clip(folders[f"restore.{side.model}"], view.shards[trial.row], trial.row, str(side.take))
