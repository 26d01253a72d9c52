"""``listening``: what people heard in the blind test of a workspace, beside what the metrics say."""

from pipeline.listening.opinions import listening_of
from pipeline.listening.text import agreement_lines
from pipeline.listening.votes import VoteBook
from pipeline.report.snapshot import Snapshot
from pipeline.store.workspace import Workspace
from pipeline.text import say
from schemas import WorkspaceError


def listening_command(workspace: Workspace, *, as_json: bool) -> None:
    """Print how far listeners agree with the metrics, with one another and with themselves."""
    snapshot = Snapshot.of(workspace)
    votes = VoteBook(workspace.votes).all()
    if not votes:
        raise WorkspaceError(
            f"nobody has voted in {workspace} yet; the test is part of 'python -m pipeline dashboard "
            f"{workspace}'"
        )
    found = listening_of(snapshot.tables, votes)
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    for line in agreement_lines(found):
        say(line)
