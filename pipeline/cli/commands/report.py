"""``report``: one HTML file of what lies in a workspace. Takes no lock, writes nothing but the file."""

from pipeline.report.report import write_report
from pipeline.store.files import expand_home
from pipeline.store.workspace import Workspace
from pipeline.text import format_bytes, say
from schemas import UserError


def report_command(workspace: Workspace, out: str | None) -> None:
    """Write the report to ``out``, or to its place in the workspace.

    Raises ``WorkspaceError`` if no run has begun there, and ``UserError`` for a folder.
    """
    path = workspace.report if out is None else expand_home(out).absolute()
    if path.is_dir():
        raise UserError(f"{path} is a folder; --out names the file, such as {path / workspace.report.name}")
    write_report(workspace, path)
    say(f"{path} ({format_bytes(path.stat().st_size)})")
