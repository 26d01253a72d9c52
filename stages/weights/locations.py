"""Where weights lie, apart from what they are: recipes know the digest, each machine its own place.

Within an operator's settings, a ``path`` with a ``sha256`` beside it says both. Taken out of a recipe and put
back where it is carried out, it leaves no trace in what is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas import Digest, OperatorSpec, Params

WeightLocations = Mapping[Digest, str]
"""Paths of this machine, by the SHA-256 of what lies there."""


def paths_in(value: Any) -> Iterator[tuple[Digest, str]]:
    """Yield the digest and the path of all weights that settings name with both, however deep."""
    if isinstance(value, Mapping):
        if _is_weight_path("path", value) and value.get("path"):
            yield value["sha256"], str(value["path"])
        for inner in value.values():
            yield from paths_in(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from paths_in(inner)


def without_paths(settings: Mapping[str, Any]) -> Params:
    """Return settings without the paths that have a digest beside them, however deep."""
    return {
        name: _strip_paths(value) for name, value in settings.items() if not _is_weight_path(name, settings)
    }


def with_paths(spec: OperatorSpec, locations: WeightLocations) -> OperatorSpec:
    """Return an operator with the paths of this machine, as far as they are known."""
    return spec.model_copy(update={"params": _insert_paths(spec.params, locations)}) if locations else spec


def _is_weight_path(name: str, settings: Mapping[str, Any]) -> bool:
    return name == "path" and bool(settings.get("sha256"))


def _strip_paths(value: Any) -> Any:
    match value:
        case Mapping():
            return without_paths(value)
        case list() | tuple():
            return [_strip_paths(item) for item in value]
    return value


def _insert_paths(value: Any, locations: WeightLocations) -> Any:
    match value:
        case Mapping():
            inner = {name: _insert_paths(item, locations) for name, item in value.items()}
            place = locations.get(str(value.get("sha256")))
            return inner if place is None or inner.get("path") else {**inner, "path": place}
        case list() | tuple():
            return [_insert_paths(item, locations) for item in value]
    return value
