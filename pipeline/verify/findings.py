"""What is wrong with a dataset, one thing at a time."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Something that is not as the dataset says."""

    place: str
    """A file, or a row."""
    what: str
    published: object
    found: object

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: published {_said(self.published)}, found {_said(self.found)}"


def _said(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
