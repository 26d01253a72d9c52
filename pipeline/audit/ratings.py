"""Ratings that people gave: opinion scores of recordings, or preferences between two, from a CSV file.

A recording is named as the dataset names it: by ``candidate_id``, by the ``path`` of its audio (folder and
suffix do not matter), or by ``degraded_id`` or ``utterance_id`` with ``model`` and, if it has several,
``take``. With it comes ``mos``, from 1 to 5. A preference names a ``pair_id`` and which of ``chosen`` and
``rejected`` is better, or two recordings ``a`` and ``b`` and which of them is; ``neither`` is an answer too.
``listener`` is who said it.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.listening.votes import Vote, VoteBook, read_vote_file
from pipeline.sources.csv_rows import check_column_names, checked_lines, csv_rows, open_listing
from pipeline.sources.folders import is_audio_name
from pipeline.store.workspace import Workspace
from schemas import ConfigError

LOWEST_MOS, HIGHEST_MOS = 1.0, 5.0
NEITHER = "neither"
_NAMES = ("candidate_id", "path", "degraded_id", "utterance_id")
"""Columns that name a recording; a file has one of them."""
_WITH_MODEL = ("degraded_id", "utterance_id")
_COLUMNS = (*_NAMES, "model", "take", "mos", "pair_id", "a", "b", "preferred", "listener")
_SIDES = {"pair_id": ("chosen", "rejected"), "a": ("a", "b")}


@dataclass(frozen=True, slots=True)
class RecordingName:
    """How a line names a recording."""

    column: str
    """What it is named by: one of the columns, or ``a`` or ``b``."""
    text: str
    model: str | None = None
    take: int | None = None

    def __str__(self) -> str:
        """Return it as the file has it."""
        return " ".join([self.text, *(str(part) for part in (self.model, self.take) if part is not None)])

    @property
    def file_stem(self) -> str | None:
        """The name of its file without folder and suffix; None if it is not named by a file."""
        if self.column != "path" and not is_audio_name(self.text):
            return None
        name = PurePosixPath(self.text.replace("\\", "/")).name
        return PurePosixPath(name).stem if is_audio_name(name) else name


@dataclass(frozen=True, slots=True)
class OpinionScore:
    """What somebody thinks of one recording."""

    where: str
    """File and line."""
    of: RecordingName
    mos: float
    listener: str | None

    @property
    def subject(self) -> Hashable:
        """What was rated."""
        return self.of


@dataclass(frozen=True, slots=True)
class SidePreference:
    """Which of two recordings somebody prefers: the first, the second, or neither."""

    where: str
    pair_id: str | None
    """Of the dataset's pairs; None if the recordings are named."""
    sides: tuple[RecordingName, ...]
    preferred: int | None
    """0 for the first (or the chosen) side, 1 for the second; None if neither."""
    listener: str | None

    @property
    def subject(self) -> Hashable:
        """What was compared, whichever is the first."""
        return self.pair_id or frozenset(side.text for side in self.sides)


Rating = OpinionScore | SidePreference


@dataclass(frozen=True, slots=True)
class HumanRatings:
    """All that people said, and where it comes from."""

    ratings: Sequence[Rating]
    votes: Sequence[Vote]
    sources: Sequence[str]


def read_human_ratings(file: Path | None, workspace: Workspace) -> HumanRatings | None:
    """Return the ratings in a file, and the votes of the workspace's listening test; None without any.

    The file is a CSV of ratings, or a JSONL of votes as a workspace keeps them. Raises ``ConfigError`` with
    file, line, column and value for a mistake.
    """
    votes = [vote for vote in VoteBook(workspace.votes).all() if vote.counts]
    sources = ["the listening test"] if votes else []
    if file is None:
        return HumanRatings((), votes, sources) if votes else None
    ratings: Sequence[Rating] = ()
    if file.suffix.lower() == ".jsonl":
        votes = list(dict.fromkeys([*votes, *(vote for vote in read_vote_file(file) if vote.counts)]))
    else:
        ratings = read_ratings(file)
    return HumanRatings(ratings, votes, [file.name, *sources])


def read_ratings(file: Path) -> list[Rating]:
    """Return the ratings in a CSV file, in its order.

    Raises ``ConfigError`` with file, line, column and value for what a manifest would not be read with
    either, for columns that say neither or both kinds of rating, for an empty cell that is needed, a number
    that is none or out of range, a preference for no side, and two ratings of one thing by one listener.
    """
    with open_listing(file) as opened:
        rows = list(csv_rows(file, checked_lines(file, opened), _check_columns))
    ratings = [_rating(where, cells) for where, cells in rows]
    _check_once_each(ratings)
    return ratings


def _check_columns(where: str, columns: Sequence[str]) -> None:
    check_column_names(where, columns, _COLUMNS)
    if ("mos" in columns) == ("preferred" in columns):
        raise ConfigError(
            f"{where}: ratings have either a column 'mos' or a column 'preferred'; found: "
            f"{', '.join(columns) or 'nothing'}"
        )
    allowed = _columns_of_mos(where, columns) if "mos" in columns else _columns_of_preferences(where, columns)
    for column in columns:
        if column not in {*allowed, "listener"}:
            raise ConfigError(f"{where}: the column {column!r} says nothing beside {', '.join(allowed)}")


def _columns_of_mos(where: str, columns: Sequence[str]) -> Sequence[str]:
    names = [name for name in _NAMES if name in columns]
    if len(names) != 1:
        raise ConfigError(f"{where}: one column names the recording: {', '.join(_NAMES)}; found {names}")
    if names[0] not in _WITH_MODEL:
        return *names, "mos"
    if "model" not in columns:
        raise ConfigError(f"{where}: {names[0]!r} needs a column 'model' beside it")
    return *names, "model", "take", "mos"


def _columns_of_preferences(where: str, columns: Sequence[str]) -> Sequence[str]:
    by_pair, by_sides = "pair_id" in columns, {"a", "b"} & set(columns)
    if by_pair == bool(by_sides) or (by_sides and by_sides != {"a", "b"}):
        raise ConfigError(
            f"{where}: a preference is of a 'pair_id', or of recordings 'a' and 'b'; found: "
            f"{', '.join(columns)}"
        )
    return ("pair_id", "preferred") if by_pair else ("a", "b", "preferred")


def _rating(where: str, cells: Mapping[str, str]) -> Rating:
    listener = cells.get("listener", "").strip() or None
    if "mos" in cells:
        name = next(name for name in _NAMES if name in cells)
        model = _text(where, "model", cells) if "model" in cells else None
        take = _take(where, cells.get("take", ""))
        of = RecordingName(name, _text(where, name, cells), model, take)
        return OpinionScore(where, of, _mos(where, cells["mos"]), listener)
    key = "pair_id" if "pair_id" in cells else "a"
    preferred = _preferred(where, cells["preferred"], _SIDES[key])
    if key == "pair_id":
        return SidePreference(where, _text(where, key, cells), (), preferred, listener)
    a, b = (RecordingName(side, _text(where, side, cells)) for side in _SIDES["a"])
    if a.text == b.text:
        raise ConfigError(f"{where}: 'a' and 'b' are both {a.text!r}")
    return SidePreference(where, None, (a, b), preferred, listener)


def _text(where: str, column: str, cells: Mapping[str, str]) -> str:
    text = cells[column].strip()
    if not text:
        raise ConfigError(f"{where}: {column!r} is empty")
    return text


def _take(where: str, text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise ConfigError(f"{where}: 'take' must be a whole number, 0 or more, got {text!r}")
    return int(text)


def _mos(where: str, text: str) -> float:
    try:
        mos = float(text)
    except ValueError:
        mos = math.nan
    if not LOWEST_MOS <= mos <= HIGHEST_MOS:
        raise ConfigError(
            f"{where}: 'mos' must be a number from {LOWEST_MOS:g} to {HIGHEST_MOS:g}, got {text!r}"
        )
    return mos


def _preferred(where: str, text: str, sides: Sequence[str]) -> int | None:
    said = text.strip()
    if said not in {*sides, NEITHER}:
        known = ", ".join((*sides, NEITHER))
        raise ConfigError(f"{where}: 'preferred' must be one of {known}, got {text!r}")
    return None if said == NEITHER else sides.index(said)


def _check_once_each(ratings: Sequence[Rating]) -> None:
    """Raise ``ConfigError`` if somebody with a name has rated one thing twice."""
    found: dict[Hashable, str] = {}
    for rating in ratings:
        if rating.listener is None:
            continue
        before = found.setdefault((rating.listener, rating.subject), rating.where)
        if before != rating.where:
            raise ConfigError(
                f"{rating.where}: {rating.listener!r} has rated this in {before} too; which one counts?"
            )
