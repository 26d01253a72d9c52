"""Who may ask, and what an answer may do in a browser: the dashboard is for people at this machine."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import psutil
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    # charts set styles; recordings are decoded from blobs; nothing comes from elsewhere, or is framed there
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MOST_BODY_BYTES = 10_000
"""Of what is sent to the dashboard; an answer of a listener has a hundred."""
_Respond = Callable[[Request], Awaitable[Response]]


def guard(app: FastAPI, hosts: tuple[str, ...]) -> None:
    """Answer only those who ask for one of ``hosts``, and take nothing that another site's page sends.

    A site that points its own name at this machine (DNS rebinding) asks for that name, and is refused. What
    is sent is read into memory, and so has to say how long it is, and to be short.
    """

    @app.middleware("http")
    async def check(request: Request, answer: _Respond) -> Response:
        response = _refuse(request) or await answer(request)
        response.headers.update(HEADERS)
        # scripts and styles may be kept, if it is asked each time whether they are as they were
        response.headers.setdefault("Cache-Control", "no-cache" if "etag" in response.headers else "no-store")
        return response

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)


def _refuse(request: Request) -> Response | None:
    if _is_from_elsewhere(request):
        return PlainTextResponse("not from here", 403)
    if "transfer-encoding" in request.headers:
        return PlainTextResponse("say how long it is", 411)
    if int(request.headers.get("content-length", 0)) > MOST_BODY_BYTES:
        return PlainTextResponse(f"more than {MOST_BODY_BYTES:,} bytes", 413)
    return None


def _is_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site makes the browser ask; what is no browser sends neither header."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers["host"]:
        return True
    navigates = request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate"
    return request.headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not navigates


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is served on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_of(host: str) -> tuple[str, ...]:
    """Return the names under which what is served on ``host`` may be asked for."""
    if is_loopback(host):
        return LOOPBACK if ":" in host else tuple(dict.fromkeys((*LOOPBACK, host)))
    found = [address.address.partition("%")[0] for own in psutil.net_if_addrs().values() for address in own]
    addresses = [f"[{address}]" if ":" in address else address for address in (host, *found)]
    return tuple(dict.fromkeys((*LOOPBACK, *addresses, socket.gethostname(), socket.getfqdn())))
