"""What lies beside the recordings of a corpus: texts, audio that nobody lists, files that nobody reads."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.sources.folders import is_audio_name
from pipeline.sources.manifests import MANIFEST_SUFFIXES
from pipeline.store.files import expand_home
from pipeline.store.object_urls import is_store_url
from pipeline.survey.records import Neighbours
from schemas import Source

TEXT_SUFFIXES = (".txt", ".lab")
Folders = Mapping[Path, Sequence[str]]


def find_neighbours(place: str, sources: Sequence[Source]) -> Neighbours:
    """Return what lies beside ``sources``, which ``place`` lists: a folder, a pattern, a file, a manifest.

    All of a folder is looked through; of a manifest and a pattern, the folders that recordings lie in. Rows
    of datasets and objects of a store have no neighbours. Hidden files are left alone; a folder that cannot
    be listed has none.
    """
    path = expand_home(place).absolute()
    files = [Path(s.path) for s in sources if s.row is None and not is_store_url(s.path)]
    if not files:
        return Neighbours()
    base = path if path.is_dir() else path.parent
    folders = dict(_walk(path) if path.is_dir() else _list_folders({file.parent for file in files}))
    listed = {str(file) for file in files}
    texts, without_audio, without_text = _match_texts(folders)
    unlisted = (file for file in _audio_in(folders) if str(file) not in listed)
    is_manifest = path.suffix.lower() in MANIFEST_SUFFIXES and path.is_file()
    return Neighbours(
        texts=texts,
        texts_without_audio=_relative(without_audio, base),
        audio_without_text=_relative(without_text, base),
        unlisted_audio=_relative(unlisted, base) if is_manifest else (),
        unread=_count_unread(folders),
    )


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield Path(place), sorted(name for name in names if not name.startswith("."))


def _list_folders(folders: set[Path]) -> Iterator[tuple[Path, list[str]]]:
    for folder in sorted(folders):
        for _, _, names in os.walk(folder):
            yield folder, sorted(name for name in names if not name.startswith("."))
            break


def _match_texts(folders: Folders) -> tuple[int, list[Path], list[Path]]:
    """Return how many texts have their audio, those that have none, and the audio that has none.

    LibriTTS writes ``a.normalized.txt`` for ``a.wav``, so what a text is of ends at its first dot too. In a
    folder without a single match texts are something else, such as a README.
    """
    matched, orphans, bare = 0, list[Path](), list[Path]()
    for folder, names in folders.items():
        audio = {Path(name).stem: name for name in names if is_audio_name(name)}
        texts = defaultdict[str, list[str]](list)
        for name in names:
            if name.lower().endswith(TEXT_SUFFIXES):
                stem = Path(name).stem
                texts[stem if stem in audio else stem.partition(".")[0]].append(name)
        found = texts.keys() & audio.keys()
        if not found:
            continue
        matched += len(found)
        orphans += [folder / name for stem in sorted(texts.keys() - found) for name in texts[stem]]
        bare += [folder / audio[stem] for stem in sorted(audio.keys() - found)]
    return matched, orphans, bare


def _audio_in(folders: Folders) -> Iterator[Path]:
    return (folder / name for folder, names in folders.items() for name in names if is_audio_name(name))


def _count_unread(folders: Folders) -> dict[str, int]:
    suffixes = Counter(
        Path(name).suffix.lower() or "(none)"
        for names in folders.values()
        for name in names
        if not is_audio_name(name)
    )
    return {suffix: number for suffix, number in suffixes.most_common() if suffix not in TEXT_SUFFIXES}


def _relative(files: Iterator[Path] | Sequence[Path], base: Path) -> tuple[str, ...]:
    names = (os.path.relpath(file, base) for file in files)
    return tuple(os.fsencode(name).decode("utf-8", "replace") for name in names)
