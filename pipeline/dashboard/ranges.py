"""Parts of a recording, so that players can seek (RFC 9110, section 14)."""

import re

from fastapi import Response

SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
MEDIA_TYPE = "audio/flac"


def cut_range(content: bytes, wanted: str | None) -> Response:
    """Return the part of ``content`` that a ``Range`` header asks for, or all of it without one.

    Headers that ask for several parts, or make no sense, count as none, as the standard allows; a part beyond
    the end is refused.
    """
    found = SINGLE.fullmatch(wanted or "")
    headers = {"Accept-Ranges": "bytes"}
    if found is None or not any(found.groups()):
        return Response(content, media_type=MEDIA_TYPE, headers=headers)
    size = len(content)
    start, stop = _span(found[1], found[2], size)
    if not start < stop:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Response(content[start:stop], status_code=206, media_type=MEDIA_TYPE, headers=headers)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Return where a part begins and where it has ended; without ``first``, ``last`` counts from the end."""
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size
