"""The order in which recordings came into a workspace, and the shards they were put in, for good.

What was listed once keeps its shard; what is new gets new shards; what has gone leaves its shard smaller. A
shard's name holds a digest of its members' contents, so a changed file makes a new name, and what was
computed from the old one is simply never looked for again.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.store.arrow import rows_of, table_of
from pipeline.store.damage import reading
from pipeline.store.files import write_whole
from schemas import Record, Source, fingerprint_of


class ShardEntry(Record):
    """A source and the number of the shard that it belongs to."""

    shard: int
    source: Source


@dataclass(frozen=True)
class Shard:
    """A fixed run of sources: scheduled, saved and resumed whole."""

    number: int
    sources: tuple[Source, ...]

    @cached_property
    def name(self) -> str:
        """Number and digest of the contents: the same on every machine."""
        described = [source.model_dump(mode="json", exclude={"path"}) for source in self.sources]
        return f"{self.number:05d}-{fingerprint_of(described)[:10]}"


def shards_of(
    path: Path,
    sources: Sequence[Source],
    shard_seconds: float,
    duration_s: Callable[[Source], float],
    *,
    keep: bool = True,
) -> list[Shard]:
    """Return the shards of ``sources``, and keep in ``path`` where each one belongs, unless told not to.

    New sources are cut, in the order given, into shards of about ``shard_seconds``; a shard holds one
    corpus only.
    """
    known = _read(path)
    numbers = {entry.source.id: entry.shard for entry in known}
    new = [source for source in sources if source.id not in numbers]
    first = max(numbers.values(), default=-1) + 1
    for number, members in enumerate(_cut_into_shards(new, shard_seconds, duration_s), start=first):
        numbers.update({source.id: number for source in members})
    entries = _merge(known, [ShardEntry(shard=numbers[s.id], source=s) for s in sources])
    if keep and entries != known:
        write_whole(
            path, lambda file: pq.write_table(table_of(ShardEntry, entries), file, compression="zstd")
        )
    return _group_by_shard(sources, numbers)


def _read(path: Path) -> list[ShardEntry]:
    if not os.path.lexists(path):
        return []
    with reading(path), path.open("rb") as file:
        return rows_of(ShardEntry, pq.read_table(file))


def _merge(known: Iterable[ShardEntry], listed: Iterable[ShardEntry]) -> list[ShardEntry]:
    """Keep what was known in its place, with what is known of it now; what is new comes after."""
    merged = {entry.source.id: entry for entry in known}
    merged.update({entry.source.id: entry for entry in listed})
    return list(merged.values())


def _cut_into_shards(
    sources: Sequence[Source], shard_seconds: float, duration_s: Callable[[Source], float]
) -> Iterator[list[Source]]:
    for _, corpus in groupby(sources, key=lambda source: source.corpus):
        members: list[Source] = []
        seconds = 0.0
        for source in corpus:
            length = duration_s(source)
            if members and seconds + length > shard_seconds:
                yield members
                members, seconds = [], 0.0
            members.append(source)
            seconds += length
        yield members


def _group_by_shard(sources: Sequence[Source], numbers: dict[str, int]) -> list[Shard]:
    members: dict[int, list[Source]] = {}
    for source in sources:
        members.setdefault(numbers[source.id], []).append(source)
    return [Shard(number, tuple(members[number])) for number in sorted(members)]
