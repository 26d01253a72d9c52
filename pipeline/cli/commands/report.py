"""``report``: one HTML file of what lies in a workspace. Takes no lock, writes nothing but the file."""

from pathlib import Path

from pipeline.report.report import write_report
from pipeline.store.files import StoredFile, expand_home
from pipeline.store.local_files import file_at
from pipeline.store.workspace import Workspace
from pipeline.text import format_bytes, say
from schemas import UserError


def report_command(workspace: Workspace, out: str | None, human: Path | None = None) -> None:
    """Write the report to ``out``, or to its place in the workspace.

    ``human`` is a file of people's ratings. Raises ``WorkspaceError`` if no run has begun there, and
    ``UserError`` for a folder.
    """
    file = workspace.report if out is None else _file_at(out)
    say(f"{file} ({format_bytes(write_report(workspace, file, human))})")


def _file_at(out: str) -> StoredFile:
    path = expand_home(out).absolute()
    try:
        return file_at(path)
    except IsADirectoryError as error:
        raise UserError(
            f"{path} is a folder; --out names the file, such as {path / 'report.html'}"
        ) from error
