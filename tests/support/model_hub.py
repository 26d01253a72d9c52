"""A stand-in for a hub of models on the loopback: files by their addresses, some of which it refuses."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stages.weights.files import Weights


@dataclass
class ModelHub:
    """What is served, by path of its address, and whose files are not open to all."""

    files: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    """Owners and names of repositories."""
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, weights: Weights, folder: Path) -> None:
        """Serve what is in ``folder`` at the addresses of ``weights``."""
        for file in weights.files:
            self.files[unquote(urlsplit(file.url).path)] = folder / file.name

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return status and content for one address."""
        self.requests.append(path)
        if any(path.startswith(f"/{repository}/") for repository in self.gated):
            return 401, b""
        return (200, self.files[path].read_bytes()) if path in self.files else (404, b"")


@contextlib.contextmanager
def hub_served(hub: ModelHub) -> Iterator[ModelHub]:
    """Serve on a free port for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = hub.answer(unquote(urlsplit(self.path).path))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        hub.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            http.shutdown()
            thread.join()
