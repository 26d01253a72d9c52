"""``listening``: what people heard in the blind test of a workspace, and who is invited to it."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.listening.agreement import careful_votes
from pipeline.listening.invitations import ListeningPlan, invite
from pipeline.listening.opinions import listening_of
from pipeline.listening.text import agreement_lines
from pipeline.listening.votes import Listener, Vote, VoteBook
from pipeline.operations.vote_import import import_votes
from pipeline.operations.vote_table import write_votes
from pipeline.report.snapshot import Snapshot
from pipeline.store.row_files import require_row_file
from pipeline.store.workspace import Workspace
from pipeline.text import count, say
from schemas import UserError, WorkspaceError

_LISTENERS: TypeAdapter[list[str]] = TypeAdapter(list[Listener])


def listening_command(workspace: Workspace, *, as_json: bool, careful: bool = False) -> None:
    """Print how far listeners agree with the metrics, with one another and with themselves."""
    snapshot = Snapshot.of(workspace)
    found = listening_of(snapshot.tables, _votes_in(workspace, careful=careful))
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    for line in agreement_lines(found):
        say(line)


def votes_command(workspace: Workspace, out: Path, *, careful: bool) -> None:
    """Write the votes as a table. Raises ``UserError`` for a file that is neither Parquet nor CSV."""
    require_row_file(out, "--out")
    written = write_votes(out, Snapshot.of(workspace).tables, _votes_in(workspace, careful=careful))
    say(f"{out}: {count(written, 'vote')}")


def import_command(workspace: Workspace, file: Path) -> None:
    """Take preferences that were given elsewhere into the votes of the workspace."""
    taken = import_votes(workspace, Snapshot.of(workspace).tables, file)
    say(f"{count(taken, 'vote')} of {file} taken in")


def invite_command(workspace: Workspace, names: Sequence[str], plan: ListeningPlan, address: str) -> None:
    """Invite listeners, and print the link of everybody who is invited."""
    Snapshot.of(workspace)  # a test of nothing needs no listeners
    try:
        spelled = _LISTENERS.validate_python(list(names))
    except ValidationError as error:
        why = error.errors()[0]
        raise UserError(f"--invite {why['input']!r}: {why['msg']}") from error
    for each in invite(workspace.invitations, spelled, plan).invited:
        say(f"{each.listener}\t{address.rstrip('/')}/listen?invitation={each.token}")


def _votes_in(workspace: Workspace, *, careful: bool) -> Sequence[Vote]:
    votes = VoteBook(workspace.votes).all()
    if not votes:
        raise WorkspaceError(
            f"nobody has voted in {workspace} yet; the test is part of 'python -m pipeline dashboard "
            f"{workspace}'"
        )
    return careful_votes(votes) if careful else votes
