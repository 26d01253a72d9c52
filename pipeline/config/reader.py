"""What can be read of a config, entry by entry, even where other parts of it are wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.config.document import Location
from pipeline.config.nested_operators import licences_of, with_nested
from pipeline.config.problems import Problems
from pipeline.config.schema import ANY_LICENCE, CriterionEntry, MetricEntry, PoolPart, RestorerEntry
from pipeline.sources.corpora import Corpus
from schemas import MissingWeightsError, Record
from stages.operators.licences import UNKNOWN, is_allowed
from stages.operators.operator import Operator, Registry
from stages.prefer.vetoes import Veto

T = TypeVar("T", bound=Record)
_POOL_PART: TypeAdapter[PoolPart] = TypeAdapter(PoolPart)
Member = TypeVar("Member", bound=Operator)


class PartialConfig:
    """The entries of a config's lists, each with its place; those that say nothing usable are left out.

    ``data`` is the config, or what its file says where that is none.
    """

    def __init__(self, data: Any) -> None:
        self._data = data
        self.chain = tuple(self._items(("degradations", "chain")))
        self.restorers = tuple(self._entries(("restorers",), RestorerEntry))
        self.metrics = tuple(self._entries(("metrics",), MetricEntry))
        self.criteria = tuple(self._entries(("preference", "criteria"), CriterionEntry, "metric"))
        self.vetoes = tuple(self._entries(("preference", "vetoes"), Veto))
        self.speech = tuple(self._entries(("speech",), Corpus))
        self.operators = tuple(self._texts("operators"))
        self.allow_licences = tuple(text for _, text in self._texts("allow_licences")) or ANY_LICENCE
        pools = inside(data, "pools")
        self.pools = {str(name): parts for name, parts in pools.items()} if isinstance(pools, dict) else {}
        self.pool_parts = tuple(self._parts())

    def _entries(
        self, location: Location, model: type[T], short_for: str | None = None
    ) -> Iterator[tuple[Location, T]]:
        for place, item in self._items(location):
            whole = {short_for: item} if short_for and isinstance(item, str) else item
            entry = read_entry(whole, model)
            if entry is not None:
                yield place, entry

    def _items(self, location: Location) -> Iterator[tuple[Location, Any]]:
        inner = self._data
        for part in location:
            inner = inside(inner, part)
        for index, item in enumerate(inner if isinstance(inner, list | tuple) else ()):
            yield (*location, index), item

    def _texts(self, key: str) -> Iterator[tuple[Location, str]]:
        return ((place, text) for place, text in self._items((key,)) if isinstance(text, str))

    def _parts(self) -> Iterator[tuple[Location, PoolPart]]:
        for pool in self.pools:
            for place, item in self._items(("pools", pool)):
                try:
                    yield place, _POOL_PART.validate_python(item)
                except ValidationError:  # said when the whole config is checked
                    continue


def inside(value: Any, key: str | int) -> Any:
    """Return what a mapping or a record holds under ``key``; None if it holds nothing there."""
    if isinstance(value, Record):
        return getattr(value, str(key), None)
    return value.get(key) if isinstance(value, dict) else None


def read_entry(item: Any, model: type[T]) -> T | None:
    """Return the entry, without the keys that are wrong; None if it cannot do without them."""
    if isinstance(item, model):
        return item
    if not isinstance(item, dict):
        return None
    try:
        return model.model_validate(item)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
    try:
        return model.model_validate({key: value for key, value in item.items() if key not in wrong})
    except ValidationError:
        return None


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
            self.problems.add(location, registry.describe_unknown(kind))
        return kind in registry

    def make_ready(self, location: Location, operator: Member) -> Member:
        """Return the operator, known by the digests of its files, once all that it is made of is allowed.

        Raises ``MissingWeightsError`` if a file is not there, or is another one.
        """
        self.operators.extend(with_nested(operator))
        if not self.needs_weights:
            if not any(
                getattr(each, "path", None) for each in with_nested(operator)
            ):  # of a copy it tells which
                self._check_licences(location, operator)
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
                self.problems.add(
                    (*location, "licence"), f"the recordings are under {_describe_refusal(licence)}"
                )


def _describe_refusal(licence: str) -> str:
    known = "a licence that nobody states" if licence == UNKNOWN else f"the licence {licence}"
    return f"{known}, which allow_licences does not list"


def _with_required_digests(operator: Member) -> Member:
    """Return the operator with its file's digest; raises ``MissingWeightsError`` if it is another file."""
    wanted = getattr(operator, "sha256", None)
    if wanted is None:
        return operator.with_digests()
    pinned = operator.model_copy(update={"sha256": None}).with_digests()
    found = getattr(pinned, "sha256", None)
    if found != wanted:
        raise MissingWeightsError(f"the file has SHA-256 {found}, but {wanted} is asked for")
    return pinned
