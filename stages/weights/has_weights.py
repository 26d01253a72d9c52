"""Operators whose weights are published, or lie where the config says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import ValidationError

from schemas import Digest, MissingWeightsError, Params
from stages.operators.licences import UNKNOWN
from stages.operators.operator import Operator
from stages.weights.files import Weights, weights_digest


class HasWeights(Operator):
    """A mixin: weights from the cache unless ``path`` names others, known by digest and not by place."""

    loaded_by: ClassVar[frozenset[str]] = frozenset({"path", "sha256", "model_licence"})

    path: Path | None = None
    """A file or folder of weights instead of the published ones in the cache."""
    sha256: Digest | None = None
    """What the weights must be; filled in by ``with_digests``."""
    model_licence: str | None = None
    """Licence of the weights that ``path`` names; the published ones bring their own."""

    @property
    def published(self) -> Weights | None:
        """The weights that these settings stand for; None if only the config can name some."""
        return None

    @classmethod
    def catalogue(cls) -> tuple[Weights, ...]:
        """Return all weights that some setting stands for: each choice of each field that is a choice."""
        choices = [
            {name: option} for name, info in cls.model_fields.items() for option in _options(info.annotation)
        ]
        tried = [_try_building(cls, settings) for settings in ({}, *choices)]
        found = {each.published.name: each.published for each in tried if each and each.published}
        return tuple(found.values())

    @property
    def place(self) -> Path:
        """Where the weights are. Raises ``MissingWeightsError`` if nothing says so."""
        if self.path is not None:
            return self.path
        if self.published is None:
            raise MissingWeightsError(f"{self.kind} needs 'path', where its weights are")
        return self.published.place

    @property
    def fingerprint_params(self) -> Params:
        """The settings without the place of the weights: a copy elsewhere is the same model."""
        return self.model_dump(mode="json", exclude={"path", "model_licence"})

    @property
    def licences(self) -> tuple[str, ...]:
        """Of the code, and of the weights: the published ones', a copy of them included, or what is said."""
        code = [self.licence] if not self.licence.startswith("as ") else []
        return (*code, self._weights_licence)

    def with_digests(self) -> Self:
        """Return the settings with the weights' SHA-256. Raises ``MissingWeightsError`` without them."""
        return self.model_copy(update={"sha256": self.sha256 or self._digest()})

    def require_place(self) -> Path:
        """Return where the weights are, once they are seen to be those that ``sha256`` names.

        Raises ``MissingWeightsError`` if they are others, or not there.
        """
        found = self._digest()
        if self.sha256 not in {None, found}:
            raise MissingWeightsError(f"{self.place} has SHA-256 {found}, but {self.sha256} was asked for")
        return self.place

    @property
    def _weights_licence(self) -> str:
        published = self.published
        if published is None:
            return self.model_licence or UNKNOWN
        are_published = self.path is None or (self.sha256 is not None and self.sha256 == published.digest)
        return published.licence if are_published else self.model_licence or UNKNOWN

    def _digest(self) -> Digest:
        """Return the digest of what is there. What is in the cache must be what was published."""
        if self.path is not None or self.published is None:
            return weights_digest(self.place)
        return self.published.require_digest(self.kind)


def _options(annotation: Any) -> Iterator[Any]:
    """Yield what may stand in a field that is a choice, or a choice among other things."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in {Union, UnionType}:
        for part in get_args(annotation):
            yield from _options(part)


def _try_building(member: type[HasWeights], settings: Mapping[str, Any]) -> HasWeights | None:
    try:
        return member.model_validate(settings)
    except ValidationError:  # this choice needs another setting
        return None
