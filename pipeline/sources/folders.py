"""Audio files below a folder, in one order on every machine."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pipeline.sources.saved_datasets import is_saved_dataset
from schemas import ConfigError

READABLE_SUFFIXES = frozenset(
    {
        *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd"),
        *(".sph", ".nist", ".flac", ".fla", ".ogg", ".oga", ".opus", ".spx"),
        *(
            ".mp1",
            ".mp2",
            ".mp3",
            ".mpa",
            ".mpga",
            ".m4a",
            ".m4b",
            ".mp4",
            ".3gp",
            ".3ga",
            ".mov",
            ".aac",
            ".adts",
        ),
        *(".amr", ".awb", ".webm", ".weba", ".mka", ".mkv", ".wv"),
    }
)
"""What libsndfile or PyAV opens, and can be held against its container; films too, whose sound is speech."""
OTHER_SUFFIXES = frozenset(
    {
        *(
            ".ape",
            ".wma",
            ".asf",
            ".ra",
            ".rm",
            ".tta",
            ".shn",
            ".mpc",
            ".dsf",
            ".dff",
            ".voc",
            ".ac3",
            ".eac3",
        ),
        *(".dts", ".avi", ".flv", ".mpg", ".mpeg", ".wmv", ".raw", ".pcm", ".g722", ".gsm"),
        *(".sd2", ".paf", ".pvf", ".svx", ".8svx", ".avr", ".sds", ".htk", ".wve", ".vox"),
    }
)
"""Sound too: listed, so that each file is refused by its name instead of being passed over."""
AUDIO_SUFFIXES = READABLE_SUFFIXES | OTHER_SUFFIXES
WILDCARDS = frozenset("*?[")


def is_audio_name(name: str) -> bool:
    """Whether a file of this name is taken for audio; hidden files are not."""
    return not name.startswith(".") and PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES


def list_audio_files(folder: Path) -> list[Path]:
    """Return all audio files below ``folder``, sorted by relative POSIX path.

    Hidden files and folders are ignored. Links are followed, but no folder is entered twice, and real
    folders come first, so a loop ends and a file keeps its own name. A link to nothing is a file that
    cannot be read. Raises ``ConfigError`` for a folder that cannot be listed.
    """
    return sorted(_walk(folder, is_audio_name), key=lambda path: path.relative_to(folder).as_posix())


def match_files(pattern: str) -> tuple[Path, list[Path]]:
    """Return the folder before the pattern in ``pattern``, and the audio files that match.

    ``**`` stands for any number of folders. What is there under its own name is no pattern, whatever signs
    are in it: nobody chose the name of the folder that a config lies in for its brackets.
    """
    parts = Path(pattern).parts
    base, rest = Path(parts[0]), parts[1:]
    while rest and (not WILDCARDS & set(rest[0]) or _exists(base / rest[0])):
        base, rest = base / rest[0], rest[1:]
    if not base.is_dir():
        raise ConfigError(f"{pattern}: there is no folder {base}")
    files = list_audio_files(base)
    return base, [path for path in files if matches_pattern(path.relative_to(base).parts, rest)]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long for a name, or nobody may look
        return False


def matches_pattern(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(matches_pattern(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    if not parts or not (parts[0] == pattern[0] or fnmatchcase(parts[0], pattern[0])):
        return False
    return matches_pattern(parts[1:], pattern[1:])


PASSED_OVER = frozenset({".amb", ".oma"})
"""What may hold speech too, and is not taken: counted, so that none is missed unawares."""
PACKED = frozenset(
    {".arrow", ".bz2", ".gz", ".h5", ".npy", ".parquet", ".tar", ".tgz", ".xz", ".zip", ".zst"}
)
"""What may hold many recordings, none of which is a file."""


def count_passed_over(folder: Path) -> Counter[str]:
    """Return how many files below ``folder`` may hold speech, packed or not, and are not taken: by suffix.

    There are none in a dataset that was saved, nor in what is no folder.
    """
    if not folder.is_dir() or is_saved_dataset(folder):
        return Counter()
    suffixes = (path.suffix.lower() for path in _walk(folder, is_passed_over))
    return Counter(suffixes)


def describe_passed_over(suffixes: Mapping[str, int]) -> str:
    """Return the end of a sentence on files that may hold speech and are not taken, if there are any."""
    if not suffixes:
        return ""
    found = ", ".join(f"{number:,} {suffix}" for suffix, number in sorted(suffixes.items()))
    ways = [way for suffix, way in WAYS_OUT.items() if suffix in suffixes]
    return "; ".join([f"; there are {found}, which are not read", *ways])


WAYS_OUT = {
    ".parquet": (
        "Parquet is read once datasets.load_dataset('parquet', data_dir=…, split=…).save_to_disk(…) has "
        "saved it"
    ),
    ".arrow": "a dataset is read where its dataset_info.json and state.json lie beside its .arrow files",
}
"""What makes files readable that are not taken."""


def is_passed_over(name: str) -> bool:
    """Whether a file of this name may hold speech, packed or not, and is not taken."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in PASSED_OVER | PACKED


def _walk(root: Path, is_wanted: Callable[[str], bool]) -> Iterator[Path]:
    """Yield the files of wanted names; each folder once."""
    entered: set[tuple[int, int]] = set()
    folders = deque([root])
    while folders:
        folder = folders.popleft()
        status = folder.stat()
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        for entry in _entries(folder):
            if not _is_folder(entry):
                if is_wanted(entry.name):
                    yield Path(entry.path)
            elif entry.is_symlink():
                folders.append(Path(entry.path))
            else:
                folders.appendleft(Path(entry.path))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise ConfigError(f"cannot list the folder {folder}: {error.strerror}") from error
    return sorted(visible, key=lambda entry: entry.name)
