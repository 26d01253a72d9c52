"""How a config says that a parameter is drawn.

In a config a distribution is a mapping with one key: ``{uniform: [-5, 20]}``, ``{log_uniform: [50, 8000]}``,
``{integer: [1, 9]}``, ``{one_of: [mp3, opus]}``, ``{one_of: [mp3, opus], weights: [3, 1]}``,
``{buckets: [[-5, 0, 0.1], [0, 20, 0.9]]}``, ``{from_pool: noise}``,
``{several_from_pool: {pool: voices, count: [2, 6], other_speaker: true}}``. Anything else is a constant.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stages.operators.distributions import (
    AnyDistribution,
    Bucket,
    Buckets,
    Constant,
    FromPool,
    Integer,
    LogUniform,
    OneOf,
    SeveralFromPool,
    Uniform,
)

RANGES: Mapping[str, type[Uniform] | type[LogUniform] | type[Integer]] = {
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "integer": Integer,
}


def distribution_of(value: Any) -> AnyDistribution:
    """Return the distribution that a config's short form means.

    Raises ``ValueError`` for a known form with impossible contents.
    """
    if not isinstance(value, Mapping):
        return Constant(value=value)
    form = next(iter(value), "")
    if len(value) == 1 and form in _READERS:
        return _READERS[form](value[form])
    if value.keys() == {"one_of", "weights"}:
        return _one_of(value["one_of"], value["weights"])
    return Constant(value=value)


def _range_of(form: str) -> Callable[[Any], AnyDistribution]:
    def read(content: Any) -> AnyDistribution:
        low, high = _require_list(form, content, "[low, high]", 2)
        return RANGES[form](low=low, high=high)

    return read


def _one_of(content: Any, weights: Any = None) -> OneOf:
    values = _require_list("one_of", content, "a list of values")
    return OneOf(values=tuple(values), weights=weights and tuple(_require_list("weights", weights, "a list")))


def _buckets(content: Any) -> Buckets:
    rows = [
        _require_list("a bucket", row, "[low, high, weight]", 3)
        for row in _require_list("buckets", content, "a list")
    ]
    return Buckets(buckets=tuple(Bucket(low=low, high=high, weight=weight) for low, high, weight in rows))


def _from_pool(content: Any) -> FromPool:
    return FromPool.model_validate(content if isinstance(content, Mapping) else {"pool": content})


def _several_from_pool(content: Any) -> SeveralFromPool:
    if not isinstance(content, Mapping) or not {"pool", "count"} <= content.keys():
        raise ValueError(f"several_from_pool takes {{pool: NAME, count: [low, high]}}, got {content!r}")
    low, high = _require_list("count", content["count"], "[low, high]", 2)
    others = {key: value for key, value in content.items() if key != "count"}
    return SeveralFromPool.model_validate({**others, "low": low, "high": high})


def _require_list(form: str, content: Any, expected: str, length: int | None = None) -> Sequence[Any]:
    if not isinstance(content, Sequence) or isinstance(content, str) or length not in {None, len(content)}:
        raise ValueError(f"{form} takes {expected}, got {content!r}")
    if form != "one_of" and any(isinstance(item, bool) for item in content):
        raise ValueError(f"{form} takes numbers, got {content!r}")
    return content


_READERS: Mapping[str, Callable[[Any], AnyDistribution]] = {
    **{form: _range_of(form) for form in RANGES},
    "one_of": _one_of,
    "buckets": _buckets,
    "from_pool": _from_pool,
    "several_from_pool": _several_from_pool,
}
FORMS = tuple(_READERS)
"""The names of distributions that a config knows."""
