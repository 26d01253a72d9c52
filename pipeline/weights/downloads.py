"""Downloads: one file over HTTP, whole and checked or not at all, going on where an earlier try ended.

``requests`` does the talking, for hub repositories too: a file at a revision is an address there, so one
client, one way to resume and one check by SHA-256 serve every source, and the cache is laid out as
``stages.weights.files`` says. (The hub's own client resumes as well, but knows sizes and no digests of ours.)
"""

import hashlib
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from pipeline.weights.drafts import Draft, check_room, draft_of
from schemas import Digest, MissingWeightsError
from stages.weights.files import WeightFile

BLOCK_BYTES = 1 << 16
"""No more than this is lost when a connection is cut."""
TIMEOUT_S = 30.0
"""Without a byte for this long a connection counts as cut."""
PAUSES_S = (1.0, 4.0, 16.0)
"""Between one try and the next."""
HUB_HOST = "huggingface.co"
MIRROR_VARIABLE = "HF_ENDPOINT"
"""Names a mirror of the hub, as for its own programs. Digests stay what they are."""
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the name of one
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

Advance = Callable[[int, int | None], None]
"""Is told how many bytes are there, and how many there will be, if that is known."""
Watch = Callable[[str, int | None], Advance]
"""Is told what comes and how many bytes it has, if that is known, and returns who is told of its progress."""


class ConnectionCut(Exception):  # noqa: N818 - no mistake, and never seen outside
    """The connection ended early; what came so far is kept."""


def fetch(file: WeightFile, folder: Path, advance: Advance, pauses_s: tuple[float, ...] = PAUSES_S) -> Digest:
    """Bring ``file`` into ``folder`` and return its SHA-256.

    Raises ``MissingWeightsError`` if it cannot be had, or is not what it should be; then nothing of its name
    is there. What a cut connection left is gone on with, next time too.
    """
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(target)
    for pause_s in (*pauses_s, None):
        try:
            _continue(file, draft, advance)
            break
        except ConnectionCut as cut:
            if pause_s is None:
                raise MissingWeightsError(
                    f"{file.url}: {cut}, {len(pauses_s) + 1} times; what came so far is kept, and the "
                    "same command goes on from there"
                ) from cut
            time.sleep(pause_s)
    found = _check_digest(file, draft)
    draft.finish(target)
    return found


def _continue(file: WeightFile, draft: Draft, advance: Advance) -> None:
    """Ask for what is missing, and keep what comes. Raises ``ConnectionCut`` if that is not all of it."""
    may_resume = file.sha256 is not None or draft.version  # else two versions might be joined unseen
    start = draft.size if may_resume else 0
    if start and start == file.size_bytes:
        return
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        headers |= {"If-Range": draft.version} if draft.version else {}
    try:
        with requests.get(
            _mirrored(file.url), headers=headers, auth=_Token(), stream=True, timeout=TIMEOUT_S
        ) as response:
            _receive(response, file, draft, advance)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise MissingWeightsError(
            f"{file.url} cannot be fetched from here; {_explain_by_hand(file)}"
        ) from error
    except requests.RequestException as error:
        raise ConnectionCut(f"the connection failed ({type(error).__name__})") from error


def _mirrored(url: str) -> str:
    """Return the address of a file of the hub at the mirror that the user has named, if any."""
    mirror = os.environ.get(MIRROR_VARIABLE, "").rstrip("/")
    beginning = f"https://{HUB_HOST}/"
    return f"{mirror}/{url.removeprefix(beginning)}" if mirror and url.startswith(beginning) else url


def _receive(response: requests.Response, file: WeightFile, draft: Draft, advance: Advance) -> None:
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        draft.discard()
        raise ConnectionCut("what was there is not the beginning of what is published")
    _check_status(response, file)
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:  # a server that knows no ranges
        draft.begin(_version_of(response))
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {draft.size}-"):
        draft.discard()
        raise ConnectionCut("the server sent another part than was asked for")
    length = response.headers.get("Content-Length")
    total = draft.size + int(length) if length is not None else None
    if file.size_bytes is not None and total not in {None, file.size_bytes}:
        draft.discard()
        raise MissingWeightsError(f"{file.url} has {total:,} bytes, not {file.size_bytes:,} as published")
    check_room(draft.path.parent, (total or 0) - draft.size)
    advance(draft.size, total)
    with draft.path.open("ab") as kept:
        for block in response.iter_content(BLOCK_BYTES):
            kept.write(block)
            advance(kept.tell(), total)
    if total is not None and draft.size < total:
        raise ConnectionCut(f"the connection ended after {draft.size:,} of {total:,} bytes")


def _check_status(response: requests.Response, file: WeightFile) -> None:
    status = response.status_code
    if status in _BUSY:
        raise ConnectionCut(f"the server answers {status} {response.reason}")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise MissingWeightsError(
            f"{file.url} is not open to all (the server answers {status}): {_way_in(file)}"
        )
    if status >= HTTPStatus.BAD_REQUEST:
        raise MissingWeightsError(
            f"{file.url}: the server answers {status} {response.reason}; {_explain_by_hand(file)}"
        )
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise MissingWeightsError(
            f"{file.url} gives a web page, such as one that asks for consent; {_explain_by_hand(file)}"
        )


def _way_in(file: WeightFile) -> str:
    if urlsplit(file.url).hostname != HUB_HOST:
        return _explain_by_hand(file)
    return (
        f"accept its terms on its page while logged in, and set {TOKEN_VARIABLE} to an access token of yours"
    )


def _explain_by_hand(file: WeightFile) -> str:
    return f"get {file.name} by hand, and name it with 'path' in the config"


def _version_of(response: requests.Response) -> str:
    tag = response.headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag  # a weak tag does not promise the same bytes


def _check_digest(file: WeightFile, draft: Draft) -> Digest:
    """Return the digest of what came. What is wrong is removed."""
    if not draft.size:
        draft.discard()
        raise MissingWeightsError(f"{file.url} is empty; {_explain_by_hand(file)}")
    if file.size_bytes is not None and draft.size != file.size_bytes:
        wrong = f"{draft.size:,} bytes came, not {file.size_bytes:,}"
        draft.discard()
        raise MissingWeightsError(f"{file.url}: {wrong} as published; it was removed")
    with draft.path.open("rb") as written:
        found = hashlib.file_digest(written, "sha256").hexdigest()
    if file.sha256 not in {None, found}:
        draft.discard()
        raise MissingWeightsError(
            f"{file.url} has SHA-256 {found}, not {file.sha256} as published: the file there is another one "
            "now, or was changed on its way; it was removed"
        )
    return found


class _Token(AuthBase):
    """The user's access token, for the hub alone: sent on to another host, ``requests`` drops it."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token if there is one and this is the hub."""
        token = os.environ.get(TOKEN_VARIABLE)
        parts = urlsplit(request.url or "")
        if token and parts.hostname == HUB_HOST and parts.scheme == "https":
            request.headers["Authorization"] = f"Bearer {token}"
        return request
