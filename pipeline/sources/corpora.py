"""Listing: which recordings the corpora of a run hold, in which order, and what their bytes are."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from pydantic import Field

from pipeline.sources.audio import recall_length
from pipeline.sources.folders import (
    READABLE_SUFFIXES,
    WAYS_OUT,
    WILDCARDS,
    count_passed_over,
    describe_passed_over,
    is_audio_name,
    list_audio_files,
    match_files,
)
from pipeline.sources.manifests import MANIFEST_SUFFIXES, ManifestRow, read_manifest
from pipeline.sources.object_audio import (
    ObjectLook,
    count_passed_over_at,
    join_place,
    list_recordings_at,
    look_at_object,
    name_below,
    object_at,
    object_stamp,
)
from pipeline.sources.saved_datasets import SavedRow, is_saved_dataset, read_saved_rows, row_stamp
from pipeline.sources.stamps import (
    STORE_THREADS,
    THREADS,
    OnProgress,
    Stamp,
    StampReader,
    stamp_of,
    stamps_of,
)
from pipeline.store.files import expand_home
from pipeline.store.object_urls import is_store_url
from schemas import ConfigError, Record, Source

SpeakerRule = Literal["parent_folder", "stem_prefix"]


class Corpus(Record):
    """Speech, noise or responses of one origin."""

    name: str = Field(
        min_length=1, pattern=r"^[^/#]+$", description="first part of the ids of its recordings"
    )
    path: str = Field(
        min_length=1,
        description="folder, glob, audio file or .csv or .jsonl manifest, here or at the URL of an object "
        "store, or a dataset saved on disk",
    )
    audio: str | None = Field(
        default=None, min_length=1, description="the audio column to take from a dataset that has several"
    )
    licence: str | None = Field(default=None, description="licence of recordings that do not state one")
    language: str | None = Field(default=None, description="language of recordings that do not state one")
    speaker: SpeakerRule | None = Field(
        default=None,
        description="who speaks where no column says so: the folder of the file, or its name up to _ or -",
    )


class SourceListing(NamedTuple):
    """The sources in order, and what is to be remembered of their files for the next listing."""

    sources: list[Source]
    stamps: dict[str, Stamp]


def _report_nothing(done: int, total: int) -> None:
    """Report nothing."""


def list_sources(
    corpora: Sequence[Corpus],
    known: Mapping[str, Stamp] | None = None,
    progress: OnProgress = _report_nothing,
) -> SourceListing:
    """Return a source for each recording: corpora in the order given, files by path, manifests by line.

    A file that cannot be read is a source without content. Files that did not change since ``known`` (the
    stamps of an earlier listing) are not read again. A second source of one id is called ``<id>~2`` and
    says whose id it wanted. Raises ``ConfigError`` for mistakes in a corpus or manifest, for a corpus
    without recordings, and for two corpora of one name.
    """
    _check_names(corpora)
    looks: dict[str, ObjectLook] = {}
    listed = _with_own_ids([source for corpus in corpora for source in _list_sources_of(corpus, looks)])
    readers = {stamp_name(source): _reader(source, looks) for source in listed}
    threads = STORE_THREADS if any(map(is_store_url, readers)) else THREADS
    stamps = stamps_of(readers, known or {}, progress, threads)
    return SourceListing([_with_content(source, stamps.get(stamp_name(source))) for source in listed], stamps)


def list_unread(corpus: Corpus) -> list[Source]:
    """Return the sources of ``corpus`` without their contents; raises ``ConfigError`` if there are none."""
    return _list_sources_of(corpus, {})


def stamp_name(source: Source) -> str:
    """Return what the stamp of ``source`` is kept under: its absolute path, and its row if it has one."""
    if source.row is None:
        return source.path
    column = "" if source.audio is None else f"#{source.audio}"
    return f"{source.path}#{source.row}{column}"


def _check_names(corpora: Sequence[Corpus]) -> None:
    for name, count in Counter(corpus.name for corpus in corpora).items():
        if count > 1:
            raise ConfigError(f"{count} corpora are called {name!r}; ids need a name of its own for each")


def _list_sources_of(corpus: Corpus, looks: dict[str, ObjectLook]) -> list[Source]:
    """Return the sources; of those in a store that were listed, ``looks`` is told how they look."""
    path = expand_home(corpus.path).absolute()
    try:
        if is_store_url(corpus.path):
            return _list_at_url(corpus, looks)
        sources = list(_sources_at(corpus, path))
    except ConfigError as error:
        raise ConfigError(f"corpus {corpus.name!r}: {error}") from error
    if not sources and path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file():
        raise ConfigError(f"corpus {corpus.name!r}: the manifest {corpus.path} lists no recordings")
    if not sources:
        raise ConfigError(f"corpus {corpus.name!r}: no recordings in {corpus.path}{_way_out(path)}")
    return sources


def _list_at_url(corpus: Corpus, looks: dict[str, ObjectLook]) -> list[Source]:
    url = corpus.path.rstrip("/")
    suffix = PurePosixPath(url).suffix.lower()
    if corpus.audio is not None:
        raise ConfigError(f"'audio' names a column of a dataset saved on disk; {url} is none")
    above = url.rpartition("/")[0]
    if suffix in MANIFEST_SUFFIXES:
        sources = [_of_line(corpus, above, line) for line in read_manifest(object_at(url))]
        if not sources:
            raise ConfigError(f"the manifest {url} lists no recordings")
        return sources
    if is_audio_name(PurePosixPath(url).name) and (look := look_at_object(url)) is not None:
        looks[url] = look
        return [_of_line(corpus, above, ManifestRow(path=url))]
    base, found = list_recordings_at(url)
    if not found:
        passed = describe_passed_over(count_passed_over_at(url))
        kinds = ", ".join(sorted(READABLE_SUFFIXES))
        raise ConfigError(f"no recordings in {url} (looked for {kinds}){passed}")
    looks.update(found)
    return [_of_line(corpus, base, ManifestRow(path=place)) for place in found]


def count_passed_over_in(place: str) -> Counter[str]:
    """Return how many files below a folder or URL may hold speech and are not taken: by suffix."""
    return count_passed_over_at(place) if is_store_url(place) else count_passed_over(Path(place))


def _way_out(path: Path) -> str:
    """Return the end of a sentence on a place without recordings: what was looked for, and what is there."""
    kinds = ", ".join(sorted(READABLE_SUFFIXES))
    if path.is_dir():
        return f" (looked for {kinds}){describe_passed_over(count_passed_over(path))}"
    if match_files(f"{path}/**")[1]:
        return f": the pattern names folders; {path.name}/** takes what is in them"
    return f" (looked for {kinds})"


def _sources_at(corpus: Corpus, path: Path) -> Iterator[Source]:
    is_dataset = path.is_dir() and is_saved_dataset(path)
    if corpus.audio is not None and not is_dataset:
        raise ConfigError(f"'audio' names a column of a dataset saved on disk; {corpus.path} is none")
    if path.is_dir():
        if is_dataset:
            return (_of_row(corpus, row) for row in read_saved_rows(path, corpus.audio))
        return (_of_file(corpus, path, file) for file in list_audio_files(path))
    if path.is_file():
        return _of_one_file(corpus, path)
    if WILDCARDS & set(corpus.path):
        base, files = match_files(str(path))
        return (_of_file(corpus, base, file) for file in files)
    raise ConfigError(f"there is no {path}")


def _of_one_file(corpus: Corpus, path: Path) -> Iterator[Source]:
    if path.suffix.lower() in MANIFEST_SUFFIXES:
        return (_of_line(corpus, str(path.parent), line) for line in read_manifest(path))
    if is_audio_name(path.name):
        return iter([_of_file(corpus, path.parent, path)])
    kinds = ", ".join(sorted(READABLE_SUFFIXES | MANIFEST_SUFFIXES))
    suffix = path.suffix.lower()
    way = f"; {WAYS_OUT[suffix]}" if suffix in WAYS_OUT else ""
    raise ConfigError(f"{path} is neither audio nor a manifest (known: {kinds}){way}")


def _of_file(corpus: Corpus, base: Path, file: Path) -> Source:
    return _of_line(corpus, str(base), ManifestRow(path=_printable(file.relative_to(base).as_posix())))


def _of_line(corpus: Corpus, base: str, line: ManifestRow) -> Source:
    path = join_place(base, line.path)
    name = name_below(base, path, line.path)
    place = PurePosixPath(name)
    stretch = "" if line.offset is None else f"@{line.offset}"
    return Source(
        id=_id(corpus, line.id or f"{place.parent / place.stem}{stretch}"),
        corpus=corpus.name,
        path=path,
        name=name,
        content="",
        offset_s=line.offset or 0.0,
        duration_s=line.duration,
        speaker=line.speaker or _speaker(corpus, place),
        transcript=line.transcript,
        language=line.language or corpus.language,
        licence=line.licence or corpus.licence,
    )


def _of_row(corpus: Corpus, row: SavedRow) -> Source:
    defaults = {"language": corpus.language, "licence": corpus.licence}
    said = defaults | {field: text for field, text in row.texts.items() if field != "id"}
    return Source(
        id=_id(corpus, row.name),
        corpus=corpus.name,
        path=row.folder,
        name=row.name,
        content="",
        row=row.row,
        audio=corpus.audio,
        **said,
    )


def _id(corpus: Corpus, name: str) -> str:
    """Return the id; ``#`` is kept for the segments of a source."""
    return f"{corpus.name}/{name.replace('#', '%23')}"


def _printable(name: str) -> str:
    """Return ``name`` as text; one that is not UTF-8 then names no file, and its source has no content."""
    return os.fsencode(name).decode("utf-8", "replace")


def _speaker(corpus: Corpus, name: PurePosixPath) -> str | None:
    match corpus.speaker:
        case "parent_folder":
            return name.parent.name or None
        case "stem_prefix":
            prefix = name.stem.replace("-", "_").partition("_")
            return prefix[0] if prefix[1] and prefix[0] else None
    return None


def _with_own_ids(sources: Sequence[Source]) -> list[Source]:
    """Leave each id to the first that wants it; the others get one that nobody wants."""
    wanted = {source.id for source in sources}
    taken: set[str] = set()
    return [_with_own_id(source, wanted, taken) for source in sources]


def _with_own_id(source: Source, wanted: Iterable[str], taken: set[str]) -> Source:
    if source.id not in taken:
        taken.add(source.id)
        return source
    number = 2
    while (own := f"{source.id}~{number}") in taken or own in wanted:
        number += 1
    taken.add(own)
    return source.model_copy(update={"id": own, "duplicate_of": source.id})


def _reader(source: Source, looks: Mapping[str, ObjectLook]) -> StampReader:
    if is_store_url(source.path):
        return partial(object_stamp, source.path, looks.get(source.path))
    if source.row is not None:
        return partial(row_stamp, source.path, source.row, source.audio)
    return partial(stamp_of, source.path)


def _with_content(source: Source, stamp: Stamp | None) -> Source:
    if stamp is None:
        return source
    found = source.model_copy(update={"content": stamp.sha256})
    if is_store_url(source.path):
        recall_length(found, stamp.length_s)
    return found
