"""Recordings that a run would take twice: the same bytes under several names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pipeline.text import count
from schemas import Source

_SHOWN = 3


def find_duplicates(sources: Iterable[Source]) -> list[list[str]]:
    """Return the ids of recordings of the same bytes and the same stretch, where there are several.

    Those that are refused as duplicates of an id anyway are left out, and so is what cannot be read.
    """
    found: defaultdict[tuple[str, float, float | None], list[str]] = defaultdict(list)
    for source in sources:
        if source.content and source.duplicate_of is None:
            found[source.content, source.offset_s, source.duration_s].append(source.id)
    return [ids for ids in found.values() if len(ids) > 1]


def duplicate_warnings(sources: Iterable[Source]) -> Iterator[str]:
    """Yield a warning if there are copies: they weigh more than others."""
    found = find_duplicates(sources)
    if not found:
        return
    extra = sum(len(ids) - 1 for ids in found)
    shown = "; ".join(" = ".join(map(repr, ids[:_SHOWN])) for ids in found[:_SHOWN])
    more = "; …" if len(found) > _SHOWN or any(len(ids) > _SHOWN for ids in found) else ""
    have = "has" if extra == 1 else "have"
    yield (
        f"warning: {count(extra, 'recording')} of the speech {have} the same bytes as another"
        f" ({shown}{more}); all are taken"
    )
