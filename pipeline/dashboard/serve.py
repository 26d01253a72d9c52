"""``dashboard``: a workspace in the browser, live, with a blind listening test."""

import socket
import sys
from contextlib import suppress

from pipeline.store.workspace import Workspace
from pipeline.text import say
from schemas import UserError, WorkspaceError


def dashboard_command(workspace: Workspace, host: str, port: int, *, is_open: bool) -> None:
    """Serve the workspace until it is interrupted, and say where.

    Raises ``WorkspaceError`` if there is no such folder, and ``UserError`` for an address that cannot be
    served on, or that others reach without ``is_open``.
    """
    import uvicorn  # noqa: PLC0415 - half a second, which no other command needs

    from pipeline.dashboard.app import dashboard_of  # noqa: PLC0415
    from pipeline.dashboard.security import hosts_of, is_loopback  # noqa: PLC0415

    if not workspace.is_there:
        raise WorkspaceError(f"there is no workspace {workspace}; 'run' makes one")
    if not is_loopback(host):
        _check_open(host, is_open=is_open)
    with _open_socket(host, port) as bound:
        name = f"[{host}]" if ":" in host else host
        say(f"{workspace} is at http://{name}:{bound.getsockname()[1]}/ until Ctrl-C")
        app = dashboard_of(workspace, hosts_of(host))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
        with suppress(KeyboardInterrupt):  # how it is meant to end
            server.run([bound])


def _check_open(host: str, *, is_open: bool) -> None:
    if not is_open:
        raise UserError(
            f"--host {host} can be reached from other machines, and the dashboard asks nobody who they are; "
            "add --open if everybody there may look, listen and vote"
        )
    sys.stderr.write(f"warning: everybody who reaches {host} can look, listen and vote\n")


def _open_socket(host: str, port: int) -> socket.socket:
    """Return a socket at the address; the port is free or it is an error, never another one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(
            f"cannot serve on {host} port {port}: {error.strerror}; --port 0 takes any that is free"
        ) from error
