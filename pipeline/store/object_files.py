"""Files in an object store, S3, Google Cloud Storage or Azure, by their URL: objects, whole or not there."""

import hashlib
import io
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pyarrow as pa

from pipeline.store.files import Content, StoredFile, fill
from pipeline.store.object_reader import open_ranged
from pipeline.store.object_urls import client_settings_of, split_url
from schemas import RunError, WorkspaceError

MULTIPART_BYTES = 32 * 2**20
"""From here on a file is sent in parts, several at once; a part that fails is sent again alone."""
PART_BYTES = 16 * 2**20
FETCHED_BYTES = 16 * 2**20
"""Up to here an object that is fetched whole is kept in memory, and above in a file without a name."""
_WRITER = "unanimous-writer"
"""The attribute that tells whose object it is when the answer to a put was lost."""
STORE_TRIES = 5
STORE_PAUSE_S = 0.5
_NO_BUCKET = "NoSuchBucket"
_SAID = 160
"""Characters of what a server said that are passed on."""


class ObjectFiles:
    """Objects below a URL such as ``s3://bucket/folder``; credentials are those of the process's environment.

    Nothing but the URL is pickled: each process opens the store by its own environment. What a server refuses
    or what cannot be reached, after retries for some minutes, raises ``RunError``: the next file would meet
    it too.
    """

    def __init__(self, url: str) -> None:
        """Raise ``WorkspaceError`` for a URL that is none of an object store, or that holds a secret."""
        self.url = split_url(url)

    def __getstate__(self) -> dict[str, str]:
        return {"url": self.url}

    def list(self, folder: str = "") -> Iterator[str]:
        """Walk the names of all objects below a folder."""
        return (name for name, _ in self.sizes(folder))

    def sizes(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Walk them with how many bytes each has."""
        return ((name, size) for name, size, _ in self.versions(folder))

    def versions(self, folder: str = "") -> Iterator[tuple[str, int, str]]:
        """Walk them with how many bytes each has, and the tag of this version of it."""
        last = None
        for left in reversed(range(STORE_TRIES)):
            with self._asking("list", folder):
                try:
                    for page in self._library.list(self._store, folder or None, offset=last, chunk_size=1000):
                        for found in page:
                            last = found["path"]
                            yield last, found["size"], str(found["e_tag"])
                except self._library.exceptions.GenericError:  # cut answers are not asked for again there
                    if not left:
                        raise
                else:
                    return
            time.sleep(STORE_PAUSE_S)

    def open(self, name: str) -> pa.NativeFile:
        """Open an object: a small one is fetched whole, of a large one the ranges that are read."""
        with self._asking("read", name):
            return open_ranged(self._library, self._store, name, self._asking)

    def fetch(self, name: str) -> tuple[BinaryIO, int, str]:
        """Return all of an object in an open file, in memory or on this disk, its size and its tag.

        Raises ``FileNotFoundError``.
        """
        with self._asking("read", name):
            found: tuple[BinaryIO, int, str] = self._repeat(lambda: self._fetch(name))
        return found

    def _fetch(self, name: str) -> tuple[BinaryIO, int, str]:
        found = self._library.get(self._store, name)
        size, tag = int(found.meta["size"]), str(found.meta["e_tag"])
        if size <= FETCHED_BYTES:
            return io.BytesIO(bytes(found.bytes())), size, tag
        file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
        try:
            for part in found.stream(min_chunk_size=PART_BYTES):
                file.write(part)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file, size, tag

    def put(self, name: str, content: Content) -> None:
        """Put an object over what is there, in parts if it is large; before the last part it is not there."""
        with _spooled(content) as (file, num_bytes), self._asking("write", name):
            is_large = num_bytes > MULTIPART_BYTES
            body = file if is_large else file.read()
            self._library.put(self._store, name, body, use_multipart=is_large, chunk_size=PART_BYTES)

    def put_file(self, name: str, path: Path) -> None:
        """Put what is in a file of this machine."""
        with self._asking("write", name):
            is_large = path.stat().st_size > MULTIPART_BYTES
            body = path if is_large else path.read_bytes()
            self._library.put(self._store, name, body, use_multipart=is_large, chunk_size=PART_BYTES)

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Put an object on the condition that there is none.

        If the answer was lost, the same request sent again is refused: whose object is there is looked up.
        """
        writer = uuid.uuid4().hex
        with _spooled(content) as (file, _), self._asking("write", name):
            body, attributes = file.read(), {_WRITER: writer}
            try:
                self._library.put(
                    self._store, name, body, mode="create", use_multipart=False, attributes=attributes
                )
            except self._library.exceptions.BaseError:
                there = self._writer_of(name)
                if there is None:
                    raise
                return there == writer
        return True

    def _writer_of(self, name: str) -> str | None:
        """Return who put an object if it was absent; empty if it was put otherwise, None if there is none."""
        with suppress(FileNotFoundError):
            there = self._library.get(self._store, name, options={"head": True})
            return str(there.attributes.get(_WRITER, ""))
        return None

    def read_tagged(self, name: str) -> tuple[bytes, str] | None:
        """Return the bytes of an object and the tag of this version of it; None if it is not there."""
        with self._asking("read", name), suppress(FileNotFoundError):
            found = self._library.get(self._store, name)
            return bytes(found.bytes()), str(found.meta["e_tag"])
        return None

    def put_over(self, tag: str, name: str, content: bytes) -> str | None:
        """Put an object over the version that has this tag; return the new one's, None if it has gone.

        ``content`` has to differ from what any other writer puts: a lost answer is told by it.
        """
        with self._asking("write", name):
            try:
                put = self._library.put(self._store, name, content, mode={"e_tag": tag}, use_multipart=False)
                return str(put["e_tag"])
            except (self._library.exceptions.PreconditionError, FileNotFoundError):
                there = self.read_tagged(name)
                return there[1] if there is not None and there[0] == content else None

    def remove(self, name: str) -> None:
        """Take an object away, if it is there."""
        self.remove_all([name])

    def remove_all(self, names: Sequence[str]) -> None:
        """Take objects away, up to a thousand by one request."""
        with suppress(FileNotFoundError), self._asking("remove", names[0] if names else ""):
            if names:
                self._repeat(lambda: self._library.delete(self._store, names))

    def size(self, name: str) -> int | None:
        """Return how many bytes an object has; None if it is not there."""
        with self._asking("read", name), suppress(FileNotFoundError):
            return int(self._library.head(self._store, name)["size"])
        return None

    def version(self, name: str) -> tuple[int, str] | None:
        """Return how many bytes an object has, and the tag of this version of it; None if it is not there."""
        with self._asking("read", name), suppress(FileNotFoundError):
            found = self._library.head(self._store, name)
            return int(found["size"]), str(found["e_tag"])
        return None

    def stamp(self, name: str) -> str:
        """Return tag and time of the object, or of all that are directly in the folder."""
        with self._asking("list", name):
            with suppress(FileNotFoundError):
                return _stamp_of(self._library.head(self._store, name))
            found = self._repeat(lambda: self._library.list_with_delimiter(self._store, name))
        inside = [*map(_stamp_of, found["objects"]), *found["common_prefixes"]]
        return hashlib.sha256("\n".join(sorted(inside)).encode()).hexdigest() if inside else ""

    def location(self, name: str = "") -> str:
        """Return the URL."""
        return f"{self.url}/{name}" if name else self.url

    def path(self, name: str) -> None:
        """Return nothing: other libraries would need settings and credentials of their own."""

    @cached_property
    def _library(self) -> Any:
        try:
            import obstore  # noqa: PLC0415 - only who has a URL needs it
        except ImportError as error:
            raise WorkspaceError(
                f"{self.url} needs the package obstore: pip install 'unanimous[object-store]'"
            ) from error
        return obstore

    @cached_property
    def _store(self) -> Any:
        _ = self._library
        from obstore.store import from_url  # noqa: PLC0415

        return from_url(self.url, **client_settings_of(self.url, os.environ))

    def _repeat(self, ask: Callable[[], Any]) -> Any:
        """Ask again where the library does not: if the answer broke off, and if asking twice is no harm."""
        for left in reversed(range(STORE_TRIES)):
            try:
                return ask()
            except self._library.exceptions.GenericError:
                if not left:
                    raise
            time.sleep(STORE_PAUSE_S)
        return None

    @contextmanager
    def _asking(self, what: str, name: str) -> Iterator[None]:
        """Say in one sentence what a store refused; what is not there stays ``FileNotFoundError``."""
        errors = self._library.exceptions
        try:
            yield
        except FileNotFoundError as error:
            if what != "write" and _NO_BUCKET not in str(error):
                raise FileNotFoundError(f"{self.location(name)} is not there") from None
            raise RunError(f"cannot {what} {self.location(name)}: there is no such bucket") from error
        except (errors.PermissionDeniedError, errors.UnauthenticatedError) as error:
            raise RunError(
                f"cannot {what} {self.location(name)}: the store refuses it to these credentials; with "
                "others the same command goes on"
            ) from error
        except errors.BaseError as error:
            why = "there is no such bucket" if _NO_BUCKET in str(error) else _first_words(str(error))
            raise RunError(f"cannot {what} {self.location(name)}: {why}; the same command goes on") from error


def stored_at(url: str) -> StoredFile:
    """Return the object that somebody named by its URL."""
    above, _, name = url.rstrip("/").rpartition("/")
    return StoredFile(ObjectFiles(above), name)


def _stamp_of(found: Any) -> str:
    return f"{found['path']} {found['e_tag']} {found['last_modified']}"


def _first_words(said: str) -> str:
    """Return why, of what begins with what was asked, for how long, and how often."""
    first, _, why = said.partition("\n")[0].partition(" - ")
    line = (why or first).partition(": <?xml")[0]
    return line if len(line) <= _SAID else f"{line[:_SAID]} …"


@contextmanager
def _spooled(content: Content) -> Iterator[tuple[IO[bytes], int]]:
    """Hand out what is to be put, at its beginning, and its size; what is large waits on this disk."""
    with tempfile.SpooledTemporaryFile(MULTIPART_BYTES) as spool:
        file = cast("IO[bytes]", spool)
        fill(file, content)
        num_bytes = file.tell()
        file.seek(0)
        yield file, num_bytes
