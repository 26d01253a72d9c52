"""The dashboard as an application: routes over one workspace, closed to everybody else's pages."""

from fastapi import FastAPI

from pipeline.dashboard import hearing, looking
from pipeline.dashboard.context import Context
from pipeline.dashboard.security import LOOPBACK, guard
from pipeline.workspace import Workspace


def dashboard_of(workspace: Workspace, hosts: tuple[str, ...] = LOOPBACK) -> FastAPI:
    """Return the application that serves ``workspace`` to those who ask for one of ``hosts``.

    It reads the workspace and takes no lock; votes of listeners are all that it writes.
    """
    app = FastAPI(openapi_url=None)  # without it there are no pages that load scripts from elsewhere
    app.state.context = Context(workspace)
    app.include_router(looking.router)
    app.include_router(hearing.router)
    guard(app, hosts)
    return app
