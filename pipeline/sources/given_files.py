"""Files to score, and their clean references: which belong together, and in which shards they are done."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.corpora import Corpus, list_sources
from pipeline.sources.folders import WILDCARDS, is_audio_name
from pipeline.sources.shards import Shard, shards_of
from pipeline.sources.stamps import OnProgress, Stamp, written_stamps
from pipeline.store.damage import reading
from pipeline.store.files import expand_home
from pipeline.store.object_urls import is_store_url
from pipeline.store.workspace import Workspace
from schemas import ConfigError, Source

CLEAN_CORPUS = "<clean>"
"""The corpus of the clean references; nothing that is scored can be called so."""
_STAMPS = "stamps.json"
_SHOWN = 3


def shards_of_given(
    files: Sequence[str],
    clean: str | None,
    workspace: Workspace,
    shard_seconds: float,
    progress: OnProgress,
) -> list[Shard]:
    """Return the shards of all candidates; a shard has their clean references among its sources.

    A file, folder, pattern, manifest or saved dataset may be named ``NAME=PATH``; else its folder or file
    name is the name of its model. A candidate and a reference belong together if their ids agree: the path
    below the folder without its suffix, or the column ``id`` of a manifest. Raises ``ConfigError`` for what
    cannot be listed, two candidates of one name, and references of which none belongs to a candidate.
    """
    lister = _Lister(workspace, progress)
    candidates = [source for text in files for source in lister.list(corpus_of(text))]
    _require_unique(candidates)
    references = {} if clean is None else _references(lister, clean, candidates)
    lister.remember()
    catalogue = workspace.catalogue("given.parquet")
    found = shards_of(catalogue, candidates, shard_seconds, estimate_duration_s)
    return [_with_references(shard, references) for shard in found]


def corpus_of(text: str) -> Corpus:
    """Return what ``PATH`` or ``NAME=PATH`` means: recordings of one model."""
    name, equals, path = text.partition("=")
    if not equals or is_store_url(name) or expand_home(text).exists():
        name, path = _name_of(text), text
    name = name.translate(str.maketrans("/#<>", "____"))
    if not name or not path:
        raise ConfigError(f"{text!r}: give a path, or NAME=PATH")
    return Corpus(name=name, path=path)


def _name_of(text: str) -> str:
    path = PurePosixPath(text.partition("://")[2]) if is_store_url(text) else expand_home(text).absolute()
    is_folder = isinstance(path, Path) and path.is_dir()
    if is_audio_name(path.name) and not is_folder:
        return path.parent.name or "given"
    plain = [part for part in path.parts if not WILDCARDS & set(part)] or ["given"]
    return plain[-1] if is_folder or len(plain) < len(path.parts) else path.stem


def item_of(source: Source) -> str:
    """Return what a recording and its clean reference have in common: the id after the corpus."""
    return source.id.partition("/")[2]


class _Lister:
    """Lists recordings; files that did not change since the last time are not read again."""

    def __init__(self, workspace: Workspace, progress: OnProgress) -> None:
        self._file = workspace.catalogue(_STAMPS)
        self._progress = progress
        with reading(str(self._file)):
            before = dict(json.loads(self._file.read_if_there() or b"{}"))
            self._before = {name: Stamp(*stamp) for name, stamp in before.items()}
        self._now: dict[str, Stamp] = {}

    def list(self, corpus: Corpus) -> list[Source]:
        """Return the recordings of ``corpus``."""
        listing = list_sources([corpus], self._before, self._progress)
        self._now.update(listing.stamps)
        return listing.sources

    def remember(self) -> None:
        """Keep what files looked like for the next time."""
        if self._now != self._before:
            self._file.put(written_stamps(self._now))


def _require_unique(candidates: Iterable[Source]) -> None:
    counts = Counter(source.duplicate_of or source.id for source in candidates)
    twice = [name for name, number in counts.items() if number > 1]
    if twice:
        shown = ", ".join(twice[:_SHOWN]) + (", …" if len(twice) > _SHOWN else "")
        raise ConfigError(f"two candidates would be called {shown}; tell their folders apart by NAME=PATH")


def _references(lister: _Lister, clean: str, candidates: Sequence[Source]) -> dict[str, Source]:
    found = lister.list(Corpus(name=CLEAN_CORPUS, path=clean))
    references = {item_of(source): source for source in found if source.duplicate_of is None}
    if not any(item_of(source) in references for source in candidates):
        raise ConfigError(
            f"no candidate has a clean reference in {Path(clean).name}: a candidate is called "
            f"{item_of(candidates[0])!r}, and a reference {item_of(found[0])!r}; both must agree without "
            "their suffix, or by the column 'id' of a manifest"
        )
    return references


def _with_references(shard: Shard, references: dict[str, Source]) -> Shard:
    own = dict.fromkeys(item_of(source) for source in shard.sources)
    return Shard(shard.number, (*shard.sources, *(references[item] for item in own if item in references)))
