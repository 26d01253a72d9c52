"""What is found in folders and manifests now, and what a workspace remembers of it."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.config.schema import Config
from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.corpora import Corpus, list_sources
from pipeline.sources.shards import Shard, shards_of
from pipeline.sources.stamps import Stamp
from pipeline.store.damage import reading
from pipeline.store.files import write_whole
from schemas import Source
from stages.operators.licences import is_allowed

ListingProgress = Callable[[int, int], None]


class Listing:
    """What is found in folders and manifests now, and what a workspace remembers of it.

    Unchanged files are not read again, and what has a shard keeps it.
    """

    def __init__(self, config: Config, catalogue: Path, progress: ListingProgress, *, keep: bool) -> None:
        self._catalogue = catalogue
        self._shard_seconds = config.shard_seconds
        self._allow_licences = config.allow_licences
        self._progress = progress
        self._keep = keep
        self._before: dict[str, Stamp] = _stamps_in(self._stamps)
        self._now: dict[str, Stamp] = dict(self._before)

    @property
    def _stamps(self) -> Path:
        return self._catalogue / "stamps.json"

    def sources(self, corpora: Sequence[Corpus]) -> list[Source]:
        """Return the sources of ``corpora``, with the digests of their contents."""
        listing = list_sources(corpora, self._before, self._progress)
        self._now.update(listing.stamps)
        return [self._judge(source) for source in listing.sources]

    def _judge(self, source: Source) -> Source:
        allowed = is_allowed(source.licence, self._allow_licences)
        return source if allowed else source.model_copy(update={"licence_allowed": False})

    def shards(self, name: str, sources: Sequence[Source]) -> list[Shard]:
        """Return the shards of ``sources``."""
        path = self._catalogue / f"{name}.parquet"
        return shards_of(path, sources, self._shard_seconds, estimate_duration_s, keep=self._keep)

    def remember(self) -> None:
        """Keep what files looked like for the next run."""
        if self._keep and self._now != self._before:
            write_whole(self._stamps, json.dumps(self._now, sort_keys=True).encode())


def _stamps_in(path: Path) -> dict[str, Stamp]:
    if not os.path.lexists(path):
        return {}
    with reading(path):
        return {name: Stamp(*stamp) for name, stamp in dict(json.loads(path.read_text())).items()}
