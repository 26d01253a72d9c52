"""Operators within operators: a degradation that is a restorer's work, a restorer made of others."""

from collections.abc import Iterator

from schemas import OperatorSpec
from stages.operators.operator import Operator
from stages.restorers import RESTORERS


def licences_of(operator: Operator) -> list[str]:
    """Return the licences of an operator and of those within it."""
    return [licence for each in with_nested(operator) for licence in each.licences]


def network_licences_of(operator: Operator) -> list[str]:
    """Return the licences of the networks among an operator and those within it.

    What a network was trained on may show in what it gives; a filter leaves nothing of itself behind.
    """
    inside = list(nested_in(operator))
    if inside:
        return [licence for inner in inside for licence in network_licences_of(inner)]
    return [] if operator.weights == Operator.weights else list(operator.licences)


def with_nested(operator: Operator) -> Iterator[Operator]:
    """Yield an operator and all that are within it, however deep."""
    yield operator
    for inner in nested_in(operator):
        yield from with_nested(inner)


def nested_in(operator: Operator) -> Iterator[Operator]:
    """Yield the operators that stand in an operator's settings."""
    yield from operator.inner
    for _, value in operator:
        for spec in value if isinstance(value, list | tuple) else [value]:
            if isinstance(spec, OperatorSpec):
                yield RESTORERS.build(spec)
