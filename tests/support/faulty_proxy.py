"""A proxy on the loopback before a server, with the faults that object stores and lines have."""

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["", "slow_down", "reset", "lost_answer", "truncated", "stall", "refused"]
"""What becomes of a request: passed on, 503, broken off unheard, done but not answered, cut, late, 403."""
STALL_S = 1.0
_ANSWERS: dict[Fault, tuple[int, bytes]] = {
    "slow_down": (503, b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"),
    "refused": (403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
}


@dataclass
class FaultyProxy:
    """Where it passes requests on to, and which it does not."""

    host: str
    port: int
    choose: Callable[[str, str], Fault] = lambda _method, _path: ""
    """Chooses a fault for a method and a path."""
    url: str = ""
    seen: list[tuple[str, str, Fault]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or not."""
        body = _body_of(handler)
        fault = self.choose(handler.command, handler.path)
        self.seen.append((handler.command, handler.path, fault))
        if fault == "stall":
            time.sleep(STALL_S)
        if fault in _ANSWERS:
            status, content = _ANSWERS[fault]
            _send(handler, status, [("Content-Type", "application/xml")], content)
        elif fault == "reset":
            _reset(handler)
        else:
            self._pass_on(handler, body, fault)

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            dropped = {"expect", "transfer-encoding", "content-length"}
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in dropped}
            connection.request(handler.command, handler.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        if fault == "lost_answer":
            _reset(handler)
            return
        told = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}
        ]
        length = int(answer.getheader("Content-Length") or len(content))
        cut = content[: len(content) // 2] if fault == "truncated" else content
        _send(handler, answer.status, told, cut, length)
        if fault == "truncated":
            _reset(handler)


def _body_of(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    chunks = []
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        chunks.append(handler.rfile.read(size))
        handler.rfile.readline()
    while handler.rfile.readline().strip():
        pass
    return b"".join(chunks)


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    length: int | None = None,
) -> None:
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """End a connection as a broken line does."""
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of lines that were broken on purpose."""


@contextlib.contextmanager
def proxied(host: str, port: int) -> Iterator[FaultyProxy]:
    """Serve a proxy before a server for as long as this lasts."""
    proxy = FaultyProxy(host, port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            proxy.answer(self)

        def __getattr__(self, name: str) -> object:  # do_PUT, do_HEAD …
            if name.startswith("do_"):
                return self.do_GET
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    server = _Quiet(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
