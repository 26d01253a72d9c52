"""What it takes to read the entries of a config, and what every operator that is read must meet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pipeline.config import ANY_LICENCE, PoolPart
from pipeline.nested import licences_of, with_nested
from pipeline.places import Location
from pipeline.problems import Problems
from pipeline.sources import Corpus
from schemas import MissingWeightsError
from stages.licences import UNKNOWN, is_allowed
from stages.operator import Operator, Registry

Member = TypeVar("Member", bound=Operator)


@dataclass(slots=True)
class ReadContext:
    """Where a config lies, what was found wrong with it so far, and what it allows."""

    base: Path
    problems: Problems
    all_known: bool = True
    """Whether every operator that there may be is registered, so that an unknown kind is a mistake."""
    allow_licences: Sequence[str] = ANY_LICENCE
    needs_weights: bool = True
    """Whether weights must be there; operators are then known by their digests."""
    operators: list[Operator] = field(default_factory=list)
    """All that could be read, and those within them."""

    def knows(self, location: Location, kind: str, registry: Registry[Any]) -> bool:
        """Whether there is such an operator; notes that there is none, if all are known."""
        if self.all_known and kind not in registry:
            self.problems.add(location, registry.unknown(kind))
        return kind in registry

    def ready(self, location: Location, operator: Member) -> Member:
        """Return the operator, known by the digests of its files, once all that it is made of is allowed.

        Raises ``MissingWeightsError`` if a file is not there, or is another one.
        """
        self.operators.extend(with_nested(operator))
        if not self.needs_weights:
            return operator
        try:
            pinned = _with_required_digests(operator)
        except MissingWeightsError:  # nobody should fetch what is then refused
            self._check_licences(location, operator)
            raise
        self._check_licences(location, pinned)
        return pinned

    def _check_licences(self, location: Location, operator: Operator) -> None:
        for licence in dict.fromkeys(licences_of(operator)):
            if not is_allowed(licence, self.allow_licences):
                self.problems.add(location, f"{operator.kind} is under {_describe_refusal(licence)}")

    def check_corpora(self, stated: Sequence[tuple[Location, Corpus | PoolPart]]) -> None:
        """Note corpora and pools whose recordings are under a licence that is not allowed, if they say so."""
        for location, corpus in stated:
            licence = getattr(corpus, "licence", None)
            if licence is not None and not is_allowed(licence, self.allow_licences):
                self.problems.add((*location, "licence"), f"the recordings are under {_describe_refusal(licence)}")


def _describe_refusal(licence: str) -> str:
    known = "a licence that nobody states" if licence == UNKNOWN else f"the licence {licence}"
    return f"{known}, which allow_licences does not list"


def _with_required_digests(operator: Member) -> Member:
    """Return the operator with its file's digest; raises ``MissingWeightsError`` if it is another file."""
    wanted = getattr(operator, "sha256", None)
    if wanted is None:
        return operator.pinned()
    pinned = operator.model_copy(update={"sha256": None}).pinned()
    found = getattr(pinned, "sha256", None)
    if found != wanted:
        raise MissingWeightsError(f"the file has SHA-256 {found}, but {wanted} is asked for")
    return pinned
