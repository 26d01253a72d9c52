"""A server of one file on the loopback, with the faults that servers and lines have."""

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, how, and what was asked."""

    content: bytes
    knows_ranges: bool = True
    etag: str | None = '"one"'
    cut_after: list[int] = field(default_factory=list)
    """After how many bytes of content each of the first answers breaks off."""
    statuses: list[int] = field(default_factory=list)
    """What the first answers say instead."""
    claims: int | None = None
    """What an answer says that its length is, if that is not so."""
    content_type: str = "application/octet-stream"
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.requests.append(dict(handler.headers))
        if self.statuses:
            handler.send_response(self.statuses.pop(0))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = self._start(handler)
        if start >= len(self.content) > 0 and start:
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        self._send(handler, start)

    def _start(self, handler: BaseHTTPRequestHandler) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        is_same = handler.headers.get("If-Range", self.etag) == self.etag
        return int(asked[1]) if asked and self.knows_ranges and is_same else 0

    def _send(self, handler: BaseHTTPRequestHandler, start: int) -> None:
        handler.send_response(206 if start else 200)
        if start:
            whole = len(self.content)
            handler.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.send_header("Content-Type", self.content_type)
        handler.send_header("Content-Length", str(self.claims or len(self.content) - start))
        handler.end_headers()
        sent = self.content[start:]
        handler.wfile.write(sent[: self.cut_after.pop(0)] if self.cut_after else sent)


@contextlib.contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """Serve on a free port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}/weights.bin"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
