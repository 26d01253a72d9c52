"""The dashboard as an application: routes over one workspace, closed to everybody else's pages."""

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles

from pipeline.dashboard import listening_routes, report_routes
from pipeline.dashboard.context import Context
from pipeline.dashboard.security import LOOPBACK, guard
from pipeline.store.workspace import Workspace
from schemas import UnanimousError

ASSETS = [("pipeline.dashboard", "assets"), ("pipeline.report", "assets"), ("plotly", "package_data")]
"""Packages and folders of scripts and styles: the dashboard's own, the report's, and the charts' library."""


def dashboard_of(workspace: Workspace, hosts: tuple[str, ...] = LOOPBACK) -> FastAPI:
    """Return the application that serves ``workspace`` to those who ask for one of ``hosts``.

    It reads the workspace and takes no lock; votes of listeners are all that it writes.
    """
    app = FastAPI(openapi_url=None)  # without it there are no pages that load scripts from elsewhere
    app.state.context = Context(workspace)
    app.include_router(report_routes.report_router)
    app.include_router(listening_routes.listening_router)
    app.mount("/assets", StaticFiles(packages=[*ASSETS]))
    app.add_exception_handler(UnanimousError, _show_error)
    guard(app, hosts)
    return app


def _show_error(_request: Request, error: Exception) -> PlainTextResponse:
    """Return what is wrong with the workspace, and the way out, to who looks at it."""
    return PlainTextResponse(str(error), 503)
