"""Which operator did it: a degradation, a restoration model or a metric, as data."""

from pydantic import JsonValue

from schemas.record import Record

Params = dict[str, JsonValue]


class OperatorSpec(Record):
    """One operator, one version of its code, one setting of its parameters."""

    kind: str
    version: int
    params: Params = {}
