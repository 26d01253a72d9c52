"""What is found in folders and manifests now, and what a workspace remembers of it."""

import json
from collections.abc import Callable, Collection, Sequence

from pipeline.config.schema import Config
from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.corpora import Corpus, list_sources
from pipeline.sources.first_look import require_found
from pipeline.sources.shards import Shard, shards_of
from pipeline.sources.stamps import Stamp, written_stamps
from pipeline.store.damage import reading
from pipeline.store.files import StoredFile
from pipeline.store.workspace import Workspace
from schemas import Source
from stages.operators.licences import is_allowed

_STAMPS = "stamps.json"
ListingProgress = Callable[[int, int], None]


class Listing:
    """What is found in folders and manifests now, and what a workspace remembers of it.

    Unchanged files are not read again, and what has a shard keeps it.
    """

    def __init__(
        self, config: Config, workspace: Workspace, progress: ListingProgress, *, keep: bool
    ) -> None:
        self._workspace = workspace
        self._shard_seconds = config.shard_seconds
        self._allow_licences = config.allow_licences
        self._progress = progress
        self._keep = keep
        self._before: dict[str, Stamp] = _stamps_in(self._stamps)
        self._now: dict[str, Stamp] = dict(self._before)

    @property
    def _stamps(self) -> StoredFile:
        return self._workspace.catalogue(_STAMPS)

    def sources(self, corpora: Sequence[Corpus]) -> list[Source]:
        """Return the sources of ``corpora``, with the digests of their contents.

        Raises ``ConfigError`` for a corpus of which nothing can be read.
        """
        listing = list_sources(corpora, self._before, self._progress)
        require_found(listing.sources)
        self._now.update(listing.stamps)
        return [self._judge(source) for source in listing.sources]

    def _judge(self, source: Source) -> Source:
        allowed = is_allowed(source.licence, self._allow_licences)
        return source if allowed else source.model_copy(update={"licence_allowed": False})

    def shards(self, name: str, sources: Sequence[Source]) -> list[Shard]:
        """Return the shards of ``sources``."""
        file = self._workspace.catalogue(f"{name}.parquet")
        return shards_of(file, sources, self._shard_seconds, estimate_duration_s, keep=self._keep)

    def remember(self) -> None:
        """Keep what files looked like for the next run."""
        if self._keep and self._now != self._before:
            self._stamps.put(written_stamps(self._now))


def forget_stamps(workspace: Workspace, names: Collection[str]) -> None:
    """Have files read again by the next listing, whatever their size and time of change say."""
    file = workspace.catalogue(_STAMPS)
    kept = {name: stamp for name, stamp in _stamps_in(file).items() if name not in names}
    file.put(written_stamps(kept))


def _stamps_in(file: StoredFile) -> dict[str, Stamp]:
    with reading(str(file)):
        found = dict(json.loads(file.read_if_there() or b"{}"))
        return {name: Stamp(*stamp) for name, stamp in found.items()}
