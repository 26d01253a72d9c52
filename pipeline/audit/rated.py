"""Ratings beside what the tables of a run say of the recordings that were rated."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.audit.human_records import UnmatchedRating
from pipeline.audit.ratings import OpinionScore, Rating, RecordingName, SidePreference
from pipeline.listening.votes import Vote
from pipeline.tables.sql import RunTables
from schemas.rows import CLEAN

TIE_MOS = 0.5
"""Opinion scores that are no further apart are a tie, where there are ties (arXiv 2601.18438)."""
_DIGITS = 9
"""Of opinion scores; what is farther behind the point is rounding, and no preference."""
_RECORDINGS = f"""
    SELECT id, utterance_id, model, take, digest,
           CASE WHEN model = '{CLEAN}' THEN concat(id, '/', model) ELSE concat(id, '/', model, '/', take) END
           AS candidate_id
    FROM (SELECT id, model, t.take AS take, t.audio.digest AS digest
          FROM (SELECT id, model, unnest(takes) AS t FROM restore_rows)) JOIN recipes USING (id)
    WHERE digest IS NOT NULL"""  # noqa: S608 - nothing of a user's
_NAMED = f"""
    WITH recordings AS ({_RECORDINGS})
    SELECT * FROM recordings WHERE id IN (
        SELECT id FROM recordings
        WHERE id IN (SELECT unnest($1)) OR utterance_id IN (SELECT unnest($1))
            OR candidate_id IN (SELECT unnest($1)) OR replace(candidate_id, '/', '_') IN (SELECT unnest($1)))
    ORDER BY id, model, take"""  # noqa: S608 - nothing of a user's
_PAIRS = """
    SELECT pair_id, id, chosen_model, chosen_take, rejected_model, rejected_take FROM pairs
    WHERE pair_id IN (SELECT unnest($1)) OR id IN (SELECT unnest($2))"""
_SCORES = """
    SELECT id, model, take, name, value FROM scores
    WHERE value IS NOT NULL AND id IN (SELECT unnest(?)) ORDER BY model, take"""
_Recording = tuple[str, str]
"""A degraded utterance and the digest of its restoration: what several models made is one recording."""


@dataclass(frozen=True, slots=True)
class RatedPair:
    """Two restorations of one degraded utterance that people have compared."""

    row: str
    a: str
    """Digest of the recording."""
    b: str
    lead: float
    """By how much listeners prefer ``a``: difference of opinion scores, or of votes per vote."""
    is_tie: bool
    for_a: int
    """Listeners who prefer it."""
    for_b: int
    is_from_opinions: bool


@dataclass(slots=True)
class RatedRecordings:
    """What people said of recordings that are there, and what is known of these."""

    unmatched: list[UnmatchedRating] = field(default_factory=list)
    outdated_votes: int = 0
    num_ratings: int = 0
    listeners: set[str] = field(default_factory=set)
    utterances: dict[str, str] = field(default_factory=dict)
    """The utterance of each degraded one."""
    scores: dict[_Recording, dict[str, float]] = field(default_factory=dict)
    chosen: dict[tuple[str, frozenset[str]], str] = field(default_factory=dict)
    """The chosen side of each kept pair."""
    opinions: dict[_Recording, list[tuple[float, str | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    preferences: dict[tuple[str, frozenset[str]], list[str | None]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What was preferred of two, once per answer; None for neither."""

    @classmethod
    def of(cls, tables: RunTables, ratings: Sequence[Rating], votes: Sequence[Vote]) -> "RatedRecordings":
        """Return ratings and votes of the listening test with what the tables say of what was rated."""
        votes = [vote for vote in votes if not vote.is_repeat]
        found = cls()
        there = _RecordingsThere(tables, [*_names_in(ratings), *(vote.row for vote in votes)])
        for rating in ratings:
            why = found._take_in(rating, there)
            if why is not None:
                found.unmatched.append(UnmatchedRating(where=rating.where, name=_say(rating), why=why))
        for vote in votes:
            found._take_in_vote(vote, there)
        found.utterances, found.chosen = there.utterances, there.chosen
        found.scores = there.read_scores({row for row, _ in (*found.opinions, *found.preferences)})
        return found

    def _take_in(self, rating: Rating, there: "_RecordingsThere") -> str | None:
        """Take in a rating; return why it cannot be."""
        if isinstance(rating, OpinionScore):
            recording = there.find(rating.of)
            if isinstance(recording, str):
                return recording
            self.opinions[recording].append((rating.mos, rating.listener))
        else:
            sides = there.find_sides(rating)
            if isinstance(sides, str):
                return sides
            (row, a), (_, b) = sides
            self.preferences[row, frozenset((a, b))].append(
                None if rating.preferred is None else (a, b)[rating.preferred]
            )
        self._count(rating.listener)
        return None

    def _take_in_vote(self, vote: Vote, there: "_RecordingsThere") -> None:
        a, b = vote.a.digest, vote.b.digest
        if a == b or not {(vote.row, a), (vote.row, b)} <= there.restored:
            self.outdated_votes += 1
            return
        preferred = None if vote.preferred is None else vote.preferred.digest
        self.preferences[vote.row, frozenset((a, b))].append(preferred)
        self._count(vote.listener)

    def _count(self, listener: str | None) -> None:
        self.num_ratings += 1
        if listener is not None:
            self.listeners.add(listener)

    def mos_of(self, recording: _Recording) -> float:
        """Return the mean opinion score of a recording, which does not depend on who was read first."""
        return round(float(np.mean([mos for mos, _ in self.opinions[recording]])), _DIGITS)

    def walk_pairs(self) -> Iterator[RatedPair]:
        """Walk the comparisons: of every two with opinion scores, then those that were asked for."""
        by_row: defaultdict[str, list[str]] = defaultdict(list)
        for row, digest in sorted(self.opinions):
            by_row[row].append(digest)
        for row, digests in by_row.items():
            yield from (self._by_opinions(row, a, b) for a, b in combinations(digests, 2))
        for (row, sides), answers in sorted(
            self.preferences.items(), key=lambda item: (item[0][0], sorted(item[0][1]))
        ):
            a, b = sorted(sides)
            for_a, for_b = answers.count(a), answers.count(b)
            yield RatedPair(
                row=row,
                a=a,
                b=b,
                lead=(for_a - for_b) / len(answers),
                is_tie=2 * max(for_a, for_b) <= len(answers),
                for_a=for_a,
                for_b=for_b,
                is_from_opinions=False,
            )

    def _by_opinions(self, row: str, a: str, b: str) -> RatedPair:
        lead = round(self.mos_of((row, a)) - self.mos_of((row, b)), _DIGITS)
        of_a, of_b = (
            {listener: mos for mos, listener in self.opinions[row, side] if listener is not None}
            for side in (a, b)
        )
        leads = [of_a[listener] - of_b[listener] for listener in of_a.keys() & of_b]
        return RatedPair(
            row=row,
            a=a,
            b=b,
            lead=lead,
            is_tie=abs(lead) <= TIE_MOS,
            for_a=sum(each > 0 for each in leads),
            for_b=sum(each < 0 for each in leads),
            is_from_opinions=True,
        )


class _RecordingsThere:
    """The recordings of the degraded utterances that names speak of."""

    def __init__(self, tables: RunTables, names: Iterable[str]) -> None:
        named = sorted(set(names))
        pairs = tables.rows(_PAIRS, named, [])
        found = tables.rows(_NAMED, sorted({*named, *(pair["id"] for pair in pairs)}))
        self._tables = tables
        self.utterances = {each["id"]: each["utterance_id"] for each in found}
        self.restored = {(each["id"], each["digest"]) for each in found if each["model"] != CLEAN}
        self._digests = {(each["id"], each["model"], each["take"]): each["digest"] for each in found}
        self._by_name: defaultdict[tuple[str, str], list[tuple[str, int, _Recording]]] = defaultdict(list)
        for each in found:
            recording = each["model"], each["take"], (each["id"], each["digest"])
            for column, name in (
                ("degraded_id", each["id"]),
                ("utterance_id", each["utterance_id"]),
                ("candidate_id", each["candidate_id"]),
                ("path", each["candidate_id"].replace("/", "_")),
            ):
                self._by_name[column, name].append(recording)
        self._pairs = {
            pair["pair_id"]: pair
            for pair in tables.rows(_PAIRS, [], sorted(self.utterances))
            if all(key in self._digests for key in _sides_in(pair))  # else its shard is not there any more
        }
        self.chosen = {
            (row, frozenset((chosen, rejected))): chosen
            for (row, chosen), (_, rejected) in map(self._sides_of, self._pairs)
        }

    def _sides_of(self, pair_id: str) -> tuple[_Recording, _Recording]:
        pair = self._pairs[pair_id]
        chosen, rejected = ((pair["id"], self._digests[key]) for key in _sides_in(pair))
        return chosen, rejected

    def find(self, name: RecordingName) -> _Recording | str:
        """Return the one recording of that name, or why there is none."""
        stem = name.file_stem
        column = "candidate_id" if name.column in {"a", "b"} else name.column
        called = self._by_name.get((column, name.text) if stem is None else ("path", stem), [])
        if not called:
            return f"no such {'path' if stem is not None else column} in the tables"
        fitting = {
            recording
            for model, take, recording in called
            if name.model in {None, model} and name.take in {None, take}
        }
        if len(fitting) > 1:
            return f"{len(fitting)} recordings are called so"
        if not fitting:
            return "no candidate of it is called so"
        (recording,) = fitting
        return recording if recording in self.restored else "it is the clean reference, no restoration"

    def find_sides(self, rating: SidePreference) -> tuple[_Recording, _Recording] | str:
        """Return the two recordings that were compared, or why there are none."""
        if rating.pair_id is not None:
            if rating.pair_id not in self._pairs:
                return "no such pair in the tables"
            a, b = self._sides_of(rating.pair_id)
            return (a, b) if {a, b} <= self.restored else "one side is the clean reference, no restoration"
        first, second = (self.find(side) for side in rating.sides)
        if isinstance(first, str):
            return f"a: {first}"
        if isinstance(second, str):
            return f"b: {second}"
        if first == second:
            return "both are the same recording"
        return (first, second) if first[0] == second[0] else "they are not of one degraded utterance"

    def read_scores(self, rows: Iterable[str]) -> dict[_Recording, dict[str, float]]:
        """Return the scores of recordings, whichever of the candidates that they are was scored."""
        scores: defaultdict[_Recording, dict[str, float]] = defaultdict(dict)
        for score in self._tables.rows(_SCORES, sorted(rows)):
            digest = self._digests.get((score["id"], score["model"], score["take"]))
            if digest is not None:
                scores[score["id"], digest].setdefault(score["name"], score["value"])
        return dict(scores)


def _sides_in(pair: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Return degraded utterance, model and take of both sides, the chosen one first."""
    return [(pair["id"], pair[f"{side}_model"], pair[f"{side}_take"]) for side in ("chosen", "rejected")]


def _names_in(ratings: Iterable[Rating]) -> Iterator[str]:
    for rating in ratings:
        if isinstance(rating, SidePreference) and rating.pair_id is not None:
            yield rating.pair_id
        sides = (rating.of,) if isinstance(rating, OpinionScore) else rating.sides
        yield from (side.file_stem or side.text for side in sides)


def _say(rating: Rating) -> str:
    if isinstance(rating, OpinionScore):
        return str(rating.of)
    return rating.pair_id or " | ".join(map(str, rating.sides))
