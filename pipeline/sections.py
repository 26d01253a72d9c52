"""What can be read of a config, entry by entry, even where other parts of it are wrong."""

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.config import ANY_LICENCE, CriterionEntry, MetricEntry, PoolPart, RestorerEntry
from pipeline.places import Location
from pipeline.sources import Corpus
from schemas import Record
from stages.vetoes import Veto

T = TypeVar("T", bound=Record)
_POOL_PART: TypeAdapter[PoolPart] = TypeAdapter(PoolPart)


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
