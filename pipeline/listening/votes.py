"""What listeners said, kept beside the run: a JSON line per vote, a file per listener, only ever added to."""

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from pipeline.sources.csv_rows import open_listing
from pipeline.store.line_log import Lines, LogFolder
from schemas import ConfigError, Digest, Record, WorkspaceError

LONGEST_NAME = 32
PUNCTUATION = " -_."


def _listener(name: str) -> str:
    """Return the name in one spelling; it is a file's name too, and so can hold no path."""
    spelled = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(spelled) <= LONGEST_NAME:
        raise ValueError(f"a listener's name has 1 to {LONGEST_NAME} characters")
    if not spelled[0].isalnum() or not all(map(_is_of_a_name, spelled)):
        raise ValueError(
            "a listener's name has letters, digits, spaces, '-', '_' and '.', a letter or digit first"
        )
    return spelled


def _is_of_a_name(character: str) -> bool:
    """Whether it is a letter, a digit, a mark on the letter before it, as many scripts need, or a sign."""
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark or character.isalnum() or character in PUNCTUATION


Listener = Annotated[str, AfterValidator(_listener)]


class VoteChoice(StrEnum):
    """What a listener prefers; ``NEITHER`` says that they cannot tell."""

    A = "a"
    B = "b"
    NEITHER = "neither"


class Origin(StrEnum):
    """Why two restorations are compared."""

    PAIR = "pair"
    """The metrics are unanimous on them, and the rules kept them."""
    DRAWN = "drawn"
    """They were drawn among all of one input, whatever the metrics say of them."""


class TrialPurpose(StrEnum):
    """What a trial is for."""

    VOTE = "vote"
    TRAINING = "training"
    """To get used to the test: the answer does not count."""
    REFERENCE = "reference"
    """One side is the clean speech, the other the damaged input, and nobody is told: who listens finds it."""


class Stimulus(Record):
    """One restored version, and the digest of what was heard: a later run may make it anew."""

    model: str
    take: int
    digest: Digest


Question = tuple[str, frozenset[Stimulus]]
"""A degraded utterance and the two restorations of it that are compared."""


class Vote(Record):
    """One answer to one trial."""

    listener: Listener
    trial: int = Field(ge=0)
    """Counts the listener's own trials from 0."""
    row: str
    """The degraded utterance."""
    origin: Origin
    a: Stimulus
    b: Stimulus
    choice: VoteChoice
    is_repeat: bool = False
    """Whether the listener had judged the same two before, then on swapped sides."""
    purpose: TrialPurpose = Field(
        default=TrialPurpose.VOTE, exclude_if=lambda purpose: purpose is TrialPurpose.VOTE
    )
    voted_at_s: float
    """Seconds since 1970."""

    @property
    def question(self) -> Question:
        """What was compared, whichever was A."""
        return self.row, frozenset((self.a, self.b))

    @property
    def counts(self) -> bool:
        """Whether it says something of restorations, and not of the listener alone."""
        return self.purpose is TrialPurpose.VOTE

    @property
    def preferred(self) -> Stimulus | None:
        """The side that the listener prefers; None if they cannot tell."""
        return {VoteChoice.A: self.a, VoteChoice.B: self.b}.get(self.choice)


class VoteBook:
    """The votes of a workspace."""

    def __init__(self, logs: LogFolder) -> None:
        self._logs = logs

    def add(self, vote: Vote) -> None:
        """Keep a vote for good: it is on disk when this returns.

        Raises ``WorkspaceError`` where it cannot be kept, or for a link, which may lead out of the workspace.
        """
        log = self._log(vote.listener)
        try:
            log.append(vote.model_dump_json(), is_synced=True)
        except OSError as error:
            raise WorkspaceError(f"no vote can be kept in {log}: {error.strerror}") from error

    def of(self, listener: str) -> list[Vote]:
        """Return a listener's votes in the order in which they were given."""
        return list(_votes(self._log(listener)))

    def all(self) -> list[Vote]:
        """Return everybody's votes, by listener."""
        return [vote for log in self._logs.all() for vote in _votes(log)]

    def stamp(self) -> list[str]:
        """Return text that changes when a vote is added."""
        return [log.stamp() for log in self._logs.all()]

    def _log(self, listener: str) -> Lines:
        return self._logs.log(_listener(listener))


def read_vote_file(file: Path) -> list[Vote]:
    """Return the votes in a file of them, such as a workspace's of one listener.

    Raises ``ConfigError`` with the line for one that is no vote, and if the file cannot be read.
    """
    with open_listing(file) as opened:
        lines = enumerate(opened, start=1)
        return [_vote(f"{file}, line {number}", line) for number, line in lines if line.strip()]


def _vote(where: str, line: str) -> Vote:
    try:
        return Vote.model_validate_json(line)
    except ValidationError as error:
        why = error.errors()[0]
        place = ".".join(map(str, why["loc"]))
        raise ConfigError(
            f"{where}: no vote of a listening test: {place or 'the line'}: {why['msg']}"
        ) from error


def _votes(log: Lines) -> Iterator[Vote]:
    for line in log.lines():
        try:
            yield Vote.model_validate_json(line)
        except ValidationError:  # a torn line
            continue
