"""``operators``: everything that can stand in a config, and what can be set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.operator_text import operator_lines
from pipeline.own_operators import install_files
from pipeline.wording import say
from schemas import UserError
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.operator import Registry
from stages.restorers import RESTORERS

FAMILIES: Mapping[str, tuple[Registry[Any], str]] = {
    "degradations": (DEGRADATIONS, "steps of degradations.chain; a parameter is a value or a distribution"),
    "restorers": (RESTORERS, "entries of restorers; parameters that are distributions are drawn per take"),
    "metrics": (METRICS, "entries of metrics; what votes can stand in preference.criteria"),
}


def operators_command(family: str | None, files: Sequence[str] = ()) -> None:
    """Print every operator of ``family``, or of all families; with those in the user's own ``files``."""
    if family is not None and family not in FAMILIES:
        raise UserError(f"there is no family {family!r}; choose one of: {', '.join(FAMILIES)}")
    install_files(files)
    for line in family_lines([family] if family else list(FAMILIES)):
        say(line)


def family_lines(families: Sequence[str]) -> Iterator[str]:
    """Yield the operators of some families."""
    for name in families:
        registry, place = FAMILIES[name]
        yield f"{name.upper()} ({place})"
        yield ""
        for member in registry.values():
            yield from operator_lines(member)
            yield ""
