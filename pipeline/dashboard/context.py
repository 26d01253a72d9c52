"""What the routes work on: one workspace, looked at and listened to."""

import time
from functools import lru_cache
from threading import Lock
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from pipeline.dashboard.live import Live
from pipeline.listening.invitations import read_invitations
from pipeline.listening.trials import Trial, choose_next_trial
from pipeline.listening.votes import Vote, VoteBook, VoteChoice
from pipeline.report.clips import INPUT_SIDES, Clip, flac_of
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import SPEECH, Inventory
from schemas import IntegrityError

KEPT_CLIPS = 32
"""Recordings in memory: players ask for one several times, part by part."""


class Context:
    """A workspace that is served."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.live = Live(workspace)
        self.book = VoteBook(workspace.votes)
        self._votes = Lock()
        self._asked: dict[str, Trial] = {}
        self._flac_of = lru_cache(KEPT_CLIPS)(flac_of)

    def flac(self, clip: Clip) -> bytes:
        """Return a recording of the run; 404 for whatever else is asked for."""
        inventory = Inventory.read(self.workspace.inventory)
        if inventory is None or not _is_known(clip, inventory):
            raise HTTPException(404, "there is no such recording")
        try:
            return self._flac_of(self.workspace.store, clip)
        except (FileNotFoundError, IntegrityError) as error:
            raise HTTPException(404, "there is no such recording") from error

    def admit(self, name: str) -> str:
        """Return who asks, by their name, or by the token of their invitation where people are invited.

        403 if they are not.
        """
        invitations = read_invitations(self.workspace.invitations)
        listener = name if invitations is None else invitations.listener_of(name)
        if listener is None:
            raise HTTPException(403, "this listening test is by invitation: open the link that you were sent")
        return listener

    def trial(self, listener: str) -> Trial | None:
        """Return what the listener is asked, and goes on to be asked until they have answered.

        A run that adds to what could be asked does not change the question that somebody is listening to.
        """
        view = self.live.view()
        comparisons = () if view is None else view.comparisons
        references = () if view is None else view.references
        invitations = read_invitations(self.workspace.invitations)
        votes = self.book.of(listener)
        asked = self._asked.get(listener)
        there = (comparison.question for comparison in (*comparisons, *references))
        if asked is not None and asked.number == len(votes) and asked.question in there:
            return asked
        plan = None if invitations is None else invitations.plan
        found = choose_next_trial(listener, comparisons, votes, references, plan)
        if found is not None:
            self._asked[listener] = found
        return found

    def take_vote(self, listener: str, token: str, choice: VoteChoice) -> None:
        """Keep an answer to what the listener is asked; 409 if it is to anything else."""
        with self._votes:
            trial = self.trial(listener)
            if trial is None or trial.token != token:
                raise HTTPException(409, "this is not what is asked now")
            self.book.add(
                Vote(
                    listener=listener,
                    trial=trial.number,
                    row=trial.row,
                    origin=trial.origin,
                    a=trial.a,
                    b=trial.b,
                    choice=choice,
                    is_repeat=trial.is_repeat,
                    purpose=trial.purpose,
                    voted_at_s=time.time(),
                )
            )


def _is_known(clip: Clip, inventory: Inventory) -> bool:
    """Whether the run has such a place; paths are made of its own names alone."""
    stages = {table.folder: table.name.partition(".")[0] for table in inventory.tables}
    stage = stages.get(clip.folder)
    is_part = clip.part in INPUT_SIDES if stage == "degrade" else stage == "restore" and clip.part.isdecimal()
    return is_part and clip.shard in inventory.shards[SPEECH]


def _context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


Served = Annotated[Context, Depends(_context)]
"""The workspace, as routes ask for it."""
