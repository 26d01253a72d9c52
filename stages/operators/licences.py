"""Licences: how much each forbids, what several together come to, and which of them a user allows.

A licence is an SPDX identifier or expression (``MIT AND CC-BY-4.0``, ``MIT OR Apache-2.0``); any other text,
and none at all, counts as unknown: nobody can say what it allows.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import chain
from typing import Generic, TypeVar

UNKNOWN = "unknown"
"""Stands for a licence that nobody stated."""


class Restriction(IntEnum):
    """What licences ask of those who pass on what is made of a work, from nothing to everything.

    No derivatives comes as late as it does because every row of a dataset is a derivative.
    """

    PUBLIC_DOMAIN = 0
    PERMISSIVE = 1
    SHARE_ALIKE = 2
    NON_COMMERCIAL = 3
    NON_COMMERCIAL_SHARE_ALIKE_OR_NO_DERIVATIVES = 4
    UNKNOWN = 5
    """For research only, licences of their own, and what is not stated."""


_KNOWN: Mapping[Restriction, str] = {
    Restriction.PUBLIC_DOMAIN: "CC0-* CC-PDDC CC-PDM-* PDDL-* Unlicense 0BSD MIT-0 "
    "LicenseRef-not-subject-to-copyright",
    Restriction.NON_COMMERCIAL_SHARE_ALIKE_OR_NO_DERIVATIVES: "CC-BY-NC-SA-* CC-BY-NC-ND-* CC-BY-ND-*",
    Restriction.NON_COMMERCIAL: "CC-BY-NC-*",
    Restriction.SHARE_ALIKE: "CC-BY-SA-* GPL-* LGPL-* AGPL-* MPL-* EPL-* ODbL-* CDLA-Sharing-*",
    Restriction.PERMISSIVE: "MIT BSD-* Apache-* ISC Zlib BSL-1.0 CC-BY-* ODC-By-* CDLA-Permissive-*",
}
"""Patterns of identifiers; the first that fits counts, so the special ones stand before ``CC-BY-*``."""
T = TypeVar("T")
Join = Callable[[Iterable[T]], T]


@lru_cache(maxsize=1024)  # rows ask by the hundred thousand, and for a few licences
def restriction_of(licence: str | None) -> Restriction:
    """Return how much a licence asks: of ``A AND B`` the more, of ``A OR B`` the less."""

    def most(ranks: Iterable[Restriction]) -> Restriction:
        return max(ranks)

    def least(ranks: Iterable[Restriction]) -> Restriction:
        return min(ranks)

    return _folded(licence or UNKNOWN, _of_identifier, both=most, either=least)


def most_restrictive_of(licences: Iterable[str | None]) -> str:
    """Return what a work is under that is made of works under ``licences``; those of one rank with AND.

    Raises ``ValueError`` if there are none.
    """
    named = {part for licence in licences for part in _conjuncts(licence or UNKNOWN)}
    if not named:
        raise ValueError("nothing is under no licence at all")
    most = max(map(restriction_of, named))
    return " AND ".join(sorted(part for part in named if restriction_of(part) is most))


def is_allowed(licence: str | None, allowed: Sequence[str]) -> bool:
    """Return whether ``allowed``, identifiers or patterns such as ``CC-BY-*``, let a licence through.

    Of ``A AND B`` both must be there, of ``A OR B`` one. Upper and lower case are the same.
    """
    patterns = [pattern.casefold() for pattern in allowed]

    def fits(identifier: str) -> bool:
        known = identifier.casefold()
        if "*" in patterns or known in patterns:
            return True
        return not _is_prose(known) and any(fnmatchcase(known, pattern) for pattern in patterns)

    return _folded(licence or UNKNOWN, fits, both=all, either=any)


def _of_identifier(identifier: str) -> Restriction:
    return next(
        (rank for rank, known in _KNOWN.items() if _is_one_of(identifier, known)), Restriction.UNKNOWN
    )


def _is_one_of(identifier: str, patterns: str) -> bool:
    return not _is_prose(identifier) and any(
        fnmatchcase(identifier.casefold(), pattern.casefold()) for pattern in patterns.split()
    )


def _is_prose(text: str) -> bool:
    return len(text.split()) > 1


def _conjuncts(licence: str) -> list[str]:
    """Return the parts of ``A AND B``; an expression with a choice in it stays whole."""
    if re.search(r"\bOR\b", licence):
        return [licence]

    def together(parts: Iterable[list[str]]) -> list[str]:
        return list(chain.from_iterable(parts))

    return _folded(licence, lambda part: [part], both=together, either=together)


def _folded(licence: str, leaf: Callable[[str], T], both: Join[T], either: Join[T]) -> T:
    """Return the value of an expression; a text that is none counts as one identifier."""
    try:
        return _Expression(licence, leaf, both, either).value()
    except (ValueError, IndexError):
        return leaf(licence)


class _Expression(Generic[T]):
    """SPDX expressions: OR of ANDs of identifiers or parentheses. Raises ``ValueError`` or ``IndexError``."""

    def __init__(self, text: str, leaf: Callable[[str], T], both: Join[T], either: Join[T]) -> None:
        self._words = re.findall(r"[()]|[^\s()]+", text)[::-1]
        self._leaf = leaf
        self._both = both
        self._either = either

    def value(self) -> T:
        """Return the value of the whole text."""
        value = self._choice()
        if self._words:
            raise ValueError(self._words)
        return value

    def _choice(self) -> T:
        values = [self._conjunction()]
        while self._words[-1:] == ["OR"]:
            self._words.pop()
            values.append(self._conjunction())
        return self._either(values)

    def _conjunction(self) -> T:
        values = [self._single()]
        while self._words[-1:] == ["AND"]:
            self._words.pop()
            values.append(self._single())
        return self._both(values)

    def _single(self) -> T:
        word = self._words.pop()
        if word in {")", "AND", "OR", "WITH"}:
            raise ValueError(word)
        if word == "(":
            value = self._choice()
            if self._words.pop() != ")":
                raise ValueError(word)
            return value
        if self._words[-1:] == ["WITH"]:  # an exception only adds permissions
            del self._words[-2:]
        return self._leaf(word)
