"""Preferences that people gave elsewhere, taken in among the votes of a workspace: all of them or none."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.audit.ratings import Rating, SidePreference, read_ratings
from pipeline.listening.votes import Listener, Origin, Stimulus, Vote, VoteBook, VoteChoice
from pipeline.operations.vote_table import CANDIDATE_NAMES, candidates_of_pair, kept_pairs_of
from pipeline.store.workspace import Workspace
from pipeline.tables.sql import RunTables
from schemas import ConfigError, WorkspaceError

_NAMED_PAIRS = "SELECT * FROM pairs WHERE pair_id IN (SELECT unnest(?))"
_LISTENER: TypeAdapter[str] = TypeAdapter(Listener)
_Found = Mapping[str, Any]
"""What the tables say of a candidate."""


def import_votes(workspace: Workspace, tables: RunTables, file: Path) -> int:
    """Take the preferences in a CSV into the votes of a workspace, and return how many there are.

    Raises ``ConfigError`` with the line for opinion scores, a preference of nobody or of what is not in the
    tables, and ``WorkspaceError`` for a listener who has voted here already; nothing is taken in then.
    """
    given = [_require_preference(rating) for rating in read_ratings(file)]
    votes = list(_votes_of(given, _sides_of(given, tables), tables))
    book = VoteBook(workspace.votes)
    there = {vote.listener for vote in book.all()} & {vote.listener for vote in votes}
    if there:
        raise WorkspaceError(
            f"{file}: {min(there)!r} has voted in {workspace} already; a listener's votes come from one "
            "test: give them another name in the file"
        )
    for vote in votes:
        book.add(vote)
    return len(votes)


def _require_preference(rating: Rating) -> SidePreference:
    if not isinstance(rating, SidePreference):
        raise ConfigError(
            f"{rating.where}: opinion scores are no votes; 'audit --human' holds scores and pairs to them"
        )
    return rating


def _sides_of(given: Sequence[SidePreference], tables: RunTables) -> Iterator[tuple[_Found, _Found]]:
    """Walk what was compared, chosen or ``a`` first."""
    asked = [each.pair_id for each in given if each.pair_id is not None]
    pairs = {row["pair_id"]: candidates_of_pair(row) for row in tables.rows(_NAMED_PAIRS, asked)}
    named: list[Sequence[str]] = []
    for each in given:
        if each.pair_id is not None and each.pair_id not in pairs:
            raise ConfigError(f"{each.where}: there is no pair {each.pair_id!r} in the tables")
        named.append([side.text for side in each.sides] if each.pair_id is None else pairs[each.pair_id])
    names = sorted({name for two in named for name in two})
    found = {row["candidate_id"]: row for row in tables.rows(CANDIDATE_NAMES, names)}
    for each, (a, b) in zip(given, named, strict=True):
        for name in (a, b):
            if name not in found:
                raise ConfigError(f"{each.where}: there is no restoration {name!r} in the tables")
        if found[a]["id"] != found[b]["id"]:
            raise ConfigError(f"{each.where}: {a!r} and {b!r} are restorations of two inputs")
        yield found[a], found[b]


def _votes_of(
    given: Sequence[SidePreference], sides: Iterator[tuple[_Found, _Found]], tables: RunTables
) -> Iterator[Vote]:
    compared = list(sides)
    kept = kept_pairs_of(tables, (a["id"] for a, _ in compared))
    pairs = {frozenset(two) for two in kept}
    trials: Counter[str] = Counter()
    for each, (a, b) in zip(given, compared, strict=True):
        listener = _listener_of(each)
        is_pair = frozenset((a["candidate_id"], b["candidate_id"])) in pairs
        yield Vote(
            listener=listener,
            trial=trials[listener],
            row=a["id"],
            origin=Origin.PAIR if is_pair else Origin.DRAWN,
            a=_stimulus_of(a),
            b=_stimulus_of(b),
            choice=(VoteChoice.A, VoteChoice.B, VoteChoice.NEITHER)[
                2 if each.preferred is None else each.preferred
            ],
            voted_at_s=0.0,
        )
        trials[listener] += 1


def _listener_of(given: SidePreference) -> str:
    if given.listener is None:
        raise ConfigError(f"{given.where}: 'listener' is empty; votes are somebody's")
    try:
        return _LISTENER.validate_python(given.listener)
    except ValidationError as error:
        raise ConfigError(f"{given.where}: {error.errors()[0]['msg']}, got {given.listener!r}") from error


def _stimulus_of(found: _Found) -> Stimulus:
    return Stimulus(model=found["model"], take=found["take"], digest=found["digest"])
