"""An S3 server on the loopback: moto's, where it is installed."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

STARTING_S = 30.0
KEYS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "access-of-the-tests",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
    "AWS_REGION": "us-east-1",
}
MOTO = "moto_server"


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A server that runs."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process is told of it, as any S3 client is."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.url}

    def make_bucket(self, name: str) -> str:
        """Make a bucket, and return its URL."""
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        with urllib.request.urlopen(request):
            return f"s3://{name}"


def bucket_name() -> str:
    """Return a name that no bucket has yet."""
    return f"bucket-{uuid.uuid4().hex}"


def require_object_store() -> None:
    """Skip a test, saying what it misses."""
    pytest.importorskip("obstore", reason="needs obstore: pip install 'unanimous[object-store]'")
    if shutil.which(MOTO) is None:
        pytest.skip("needs moto's server: pip install 'unanimous[object-store-tests]'")


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Run a server of its own for as long as this lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # of its own Python: what it needs is no business of the project
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = ObjectServer("127.0.0.1", port)
    try:
        _wait_for(found)
        yield found
    finally:
        server.kill()
        server.wait()


def _wait_for(server: ObjectServer) -> None:
    until = time.monotonic() + STARTING_S
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}/moto-api/data.json"):
                return
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
