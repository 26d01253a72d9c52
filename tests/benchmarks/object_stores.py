"""Which library speaks to object stores: obstore, pyarrow.fs and s3fs against one server, one process each.

    PYTHONPATH=. python tests/benchmarks/object_stores.py [--megabytes 64] [--ranges 200]

Needs ``moto_server`` on the path, and the libraries. moto is slow, and on the same machine: what tells them
apart is the processor time of the client, its memory, and what becomes of a request that meets a fault.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.text import align_columns, say
from tests.support.faulty_proxy import Fault, FaultyProxy, proxied
from tests.support.object_server import ObjectServer, object_server

LIBRARIES = ("obstore", "pyarrow.fs", "s3fs")
SMALL = 4 * 2**20
FAULTS: tuple[Fault, ...] = ("", "slow_down", "reset", "lost_answer", "truncated")
WRITERS = 8
PATIENCE_S = 15.0


class _Obstore:
    """The Rust crate object_store, in Python."""

    def __init__(self, endpoint: str) -> None:
        import obstore  # noqa: PLC0415 - each in a process of its own
        from obstore.store import from_url  # noqa: PLC0415 - each in a process of its own

        self.library = obstore
        self.store = from_url("s3://bucket", endpoint=endpoint, client_options={"allow_http": True})

    def put(self, name: str, content: bytes) -> None:
        self.library.put(self.store, name, content)

    def put_if_absent(self, name: str, content: bytes) -> bool:
        try:
            self.library.put(self.store, name, content, mode="create")
        except self.library.exceptions.AlreadyExistsError:
            return False
        return True

    def get(self, name: str) -> Any:
        return self.library.get(self.store, name).bytes()

    def get_range(self, name: str, start: int, length: int) -> Any:
        return self.library.get_range(self.store, name, start=start, length=length)

    def count(self) -> int:
        return sum(len(page) for page in self.library.list(self.store))


class _Pyarrow:
    """The AWS SDK for C++, inside pyarrow."""

    def __init__(self, endpoint: str) -> None:
        from pyarrow import fs  # noqa: PLC0415 - each in a process of its own

        self.files = fs.S3FileSystem(
            endpoint_override=endpoint.removeprefix("http://"), scheme="http", region="us-east-1"
        )
        self.selector = fs.FileSelector("bucket", recursive=True)

    def put(self, name: str, content: bytes) -> None:
        with self.files.open_output_stream(f"bucket/{name}") as stream:
            stream.write(content)

    def put_if_absent(self, name: str, content: bytes) -> bool:
        raise NotImplementedError

    def get(self, name: str) -> Any:
        with self.files.open_input_file(f"bucket/{name}") as file:
            return file.read_buffer()

    def get_range(self, name: str, start: int, length: int) -> Any:
        with self.files.open_input_file(f"bucket/{name}") as file:
            return file.read_at(length, start)

    def count(self) -> int:
        return len(self.files.get_file_info(self.selector))


class _S3fs:
    """aiobotocore, behind fsspec."""

    def __init__(self, endpoint: str) -> None:
        import s3fs  # noqa: PLC0415 - each in a process of its own

        self.files = s3fs.S3FileSystem(endpoint_url=endpoint, use_listings_cache=False)

    def put(self, name: str, content: bytes) -> None:
        self.files.pipe_file(f"bucket/{name}", content)

    def put_if_absent(self, name: str, content: bytes) -> bool:
        try:
            self.files.pipe_file(f"bucket/{name}", content, mode="create")
        except FileExistsError:
            return False
        return True

    def get(self, name: str) -> Any:
        return self.files.cat_file(f"bucket/{name}")

    def get_range(self, name: str, start: int, length: int) -> Any:
        return self.files.cat_file(f"bucket/{name}", start=start, end=start + length)

    def count(self) -> int:
        return len(self.files.find("bucket"))


CLIENTS: dict[str, Callable[[str], Any]] = {"obstore": _Obstore, "pyarrow.fs": _Pyarrow, "s3fs": _S3fs}


def measure(library: str, endpoint: str, megabytes: int, ranges: int) -> dict[str, str]:
    """Return what one library takes, in this process."""
    before = _peak()
    client = CLIENTS[library](endpoint)
    client.put("first", b"0")
    found = {"memory once loaded": f"{_peak() - before:.0f} MB"}
    content = os.urandom(SMALL)
    names = [f"small/{number}" for number in range(megabytes * 2**20 // SMALL)]
    found["put, MB/s"] = _speed(megabytes, lambda: [client.put(name, content) for name in names])
    found["get, MB/s"] = _speed(megabytes, lambda: [client.get(name) for name in names])
    found["64 KiB ranges"] = _pace(
        ranges, lambda: [client.get_range(names[0], n * 1024, 65_536) for n in range(ranges)]
    )
    big = os.urandom(megabytes * 2**20)
    before = _peak()
    found[f"put {megabytes} MB at once"] = _speed(megabytes, lambda: client.put("big", big))
    found["memory for it"] = f"{_peak() - before:.0f} MB"
    found["list 1,000"] = _list_speed(client)
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            winners = sum(pool.map(lambda n: client.put_if_absent("lock", str(n).encode()), range(WRITERS)))
        found["put if absent"] = f"{winners} of {WRITERS} at once"
    except NotImplementedError:
        found["put if absent"] = "none"
    return found


def measure_faults(library: str, server: ObjectServer) -> Iterator[tuple[str, str]]:
    """Yield what becomes of 10 puts and gets of which every third request meets a fault."""
    for fault in FAULTS:
        with proxied(server.host, server.port) as proxy:
            _every_third(proxy, fault)
            client = CLIENTS[library](proxy.url)
            started, done, said = time.perf_counter(), 0, ""
            for number in range(10):
                if time.perf_counter() - started > PATIENCE_S:
                    said = ", given up"
                    break
                try:
                    client.put(f"faults/{number}", b"0" * 100_000)
                    done += bytes(client.get(f"faults/{number}")) == b"0" * 100_000
                except Exception as error:  # noqa: BLE001 - each library has errors of its own
                    said = f", {type(error).__name__}"
            yield (
                f"every 3rd: {fault or 'no fault'}",
                f"{done}/10, {time.perf_counter() - started:.1f} s{said}",
            )


def _every_third(proxy: FaultyProxy, fault: Fault) -> None:
    numbers = itertools.count(1)
    proxy.choose = lambda _method, _path: fault if next(numbers) % 3 == 0 else ""


def _speed(megabytes: int, work: Callable[[], object]) -> str:
    started, worked = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - started, time.process_time() - worked
    return f"{megabytes / wall:.0f} ({1024 * cpu / megabytes:.2f} s of CPU per GB)"


def _pace(number: int, work: Callable[[], object]) -> str:
    started, worked = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - started, time.process_time() - worked
    return f"{1000 * wall / number:.1f} ms ({1000 * cpu / number:.2f} of CPU)"


def _list_speed(client: Any) -> str:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda n: client.put(f"list/{n}", b""), range(1000)))
    started, worked = time.perf_counter(), time.process_time()
    client.count()
    wall, cpu = time.perf_counter() - started, time.process_time() - worked
    return f"{1000 * wall:.0f} ms ({1000 * cpu:.0f} of CPU)"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--ranges", type=int, default=200)
    parser.add_argument("--library")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.library:
        server = ObjectServer("127.0.0.1", options.port)
        found = measure(options.library, server.url, options.megabytes, options.ranges)
        for name, value in measure_faults(options.library, server):
            sys.stderr.write(f"{options.library}: {name}: {value}\n")
            found[name] = value
        sys.stdout.write(json.dumps(found))
        return
    columns = []
    for library in LIBRARIES:
        with object_server() as server:
            server.make_bucket("bucket")
            command = [sys.executable, __file__, "--library", library, "--port", str(server.port)]
            command += ["--megabytes", str(options.megabytes), "--ranges", str(options.ranges)]
            environment = {**os.environ, **server.environment}
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            columns.append(json.loads(done.stdout))
    rows = [("", *LIBRARIES), *((name, *(c[name] for c in columns)) for name in columns[0])]
    for line in align_columns(rows):
        say(line)


if __name__ == "__main__":
    main()
