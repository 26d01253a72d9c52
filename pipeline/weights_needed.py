"""Weights by name: those that the operators of a config stand for, and all that operators may stand for."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas import ConfigError
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.operator import Operator
from stages.restorers import RESTORERS
from stages.weighted import HasWeights
from stages.weights import Weights


@dataclass(frozen=True, slots=True)
class Need:
    """Weights, and the kinds of the operators that they are for."""

    weights: Weights
    kinds: tuple[str, ...]


def needs_of(operators: Iterable[Operator]) -> Mapping[str, Need]:
    """Return the published weights that ``operators`` stand for, by name; not those that a path replaces."""
    found: dict[str, Need] = {}
    for operator in operators:
        if isinstance(operator, HasWeights) and operator.path is None and operator.published is not None:
            _add(found, operator.published, operator.kind)
    return found


def list_known_weights() -> Mapping[str, Need]:
    """Return the published weights that any operator stands for under some setting, by name."""
    found: dict[str, Need] = {}
    members: list[type[Operator]] = [*DEGRADATIONS.values(), *RESTORERS.values(), *METRICS.values()]
    for member in members:
        if issubclass(member, HasWeights):
            for weights in member.catalogue():
                _add(found, weights, member.kind)
    return dict(sorted(found.items()))


def find_weights(name: str) -> Need:
    """Return the weights of a name. Raises ``ConfigError`` that says which name is closest."""
    known = list_known_weights()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known weights: {', '.join(known)}"
    raise ConfigError(f"there is no config and there are no weights {name!r}; {hint}")


def _add(found: dict[str, Need], weights: Weights, kind: str) -> None:
    kinds = found[weights.name].kinds if weights.name in found else ()
    found[weights.name] = Need(weights, kinds if kind in kinds else (*kinds, kind))
