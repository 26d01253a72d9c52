"""What is wrong with a dataset, one thing at a time."""

import math
from typing import NamedTuple

CLOSE = 1e-9
"""Numbers that were calculated from published ones differ by rounding, if at all."""


class Finding(NamedTuple):
    """Something that is not as the dataset says."""

    place: str
    """A file, or a row."""
    what: str
    published: object
    found: object

    def __str__(self) -> str:
        published, found = _format_value(self.published), _format_value(self.found)
        return f"{self.place}: {self.what}: published {published}, found {found}"


def are_same(a: object, b: object) -> bool:
    """Return whether two values are the same, as far as rounding lets them."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE)
    return a == b


def _format_value(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
