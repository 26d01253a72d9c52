"""Operators: the interchangeable parts, each one file, each known by its kind; a family is its folder."""

import difflib
import importlib
import pkgutil
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Generic, Self, TypeVar

from schemas import OperatorSpec, Params, Record, UnknownOperatorError
from stages.operators.licences import UNKNOWN


class Resources(Record):
    """Logical CPUs and GPUs that a worker reserves while it holds the operator."""

    cpus: float = 1.0
    gpus: float = 0.0


class Operator(Record, ABC):
    """A part whose fields are its settings, and whose spec is enough to build it again.

    Raise ``version`` whenever the same settings would give a different result; every
    table that depends on it is then made anew. Loaded weights are private attributes.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    licence: ClassVar[str] = "Apache-2.0"
    """Licence of the code or weights behind the operator, as an SPDX identifier where there is one.

    ``as …`` where only the settings say it; such an operator says it in ``licences``.
    """
    weights: ClassVar[str] = "none needed"
    """Where weights come from, for people."""
    unverified: ClassVar[str] = ""
    """What of it was never run here, as "not run with its published weights"; empty where all was."""
    resources: ClassVar[Resources] = Resources()
    cost_s_per_s: ClassVar[float | None] = None
    """Core-seconds per second of audio, and for candidates per candidate, with reading and writing the shard.

    Rough, from one core of a 2020s server; None where nobody has measured it.
    """
    cost_s_per_record: ClassVar[float | None] = None
    """Instead, core-seconds per row and candidate where the length of the audio hardly matters."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose code or models decide what it gives."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions that it imports to do its work, beside those that every run needs."""
    package_files: ClassVar[Mapping[str, str]] = {}
    """Models that come inside packages: what each is called, and where it is, as ``package/folder/file``."""
    isolated: ClassVar[bool] = False
    """Whether it calls code that can crash or hang, and so runs in a child process."""

    @property
    def spec(self) -> OperatorSpec:
        """The operator as data."""
        return OperatorSpec(kind=self.kind, version=self.version, params=self.model_dump(mode="json"))

    @property
    def fingerprint_params(self) -> Params:
        """The settings by which results are known; less than the spec where it holds the place of a file."""
        return self.model_dump(mode="json")

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences of all that these settings stand for: code and weights."""
        return (UNKNOWN if self.licence.startswith("as ") else self.licence,)

    @property
    def inner(self) -> "tuple[Operator, ...]":
        """The operators that it is made of, if it is made of any."""
        return ()

    def with_digests(self) -> Self:
        """Return the same settings with the digests of the files that they name, if they name any."""
        return self


T = TypeVar("T", bound=Operator)


class Registry(Mapping[str, type[T]], Generic[T]):
    """One family of operators. Each kind has one owner; a second claim is an error."""

    def __init__(self, family: str) -> None:
        self.family = family
        self._members: dict[str, type[T]] = {}

    def register(self, member: type[T]) -> type[T]:
        """Class decorator that enters ``member`` under its kind."""
        owner = self._members.setdefault(member.kind, member)
        if owner is not member and not _is_same_class_imported_again(owner, member):
            raise ValueError(f"{self.family} {member.kind!r} is already {owner.__qualname__}")
        self._members[member.kind] = member
        return member

    def build(self, spec: OperatorSpec) -> T:
        """Return the operator that ``spec`` describes."""
        member = self[spec.kind]
        if member.version != spec.version:
            raise UnknownOperatorError(
                f"{self.family} {spec.kind!r} is at version {member.version} here, not {spec.version}"
            )
        return member.model_validate(spec.params)

    def __getitem__(self, kind: str) -> type[T]:
        try:
            return self._members[kind]
        except KeyError:
            raise UnknownOperatorError(self.describe_unknown(kind)) from None

    def describe_unknown(self, kind: str) -> str:
        """Say that there is no such operator, and which name is closest."""
        close = difflib.get_close_matches(kind, self._members, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(self)}"
        return f"no {self.family} is called {kind!r}; {known}"

    def __contains__(self, kind: object) -> bool:
        return kind in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._members))

    def __len__(self) -> int:
        return len(self._members)


def _is_same_class_imported_again(owner: type, member: type) -> bool:
    return (owner.__module__, owner.__qualname__) == (member.__module__, member.__qualname__)


def import_members(package: str, path: Iterable[str]) -> None:
    """Import every module of ``package`` so that its operators register themselves."""
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        if not module.ispkg:  # what members share, and workers
            importlib.import_module(f"{package}.{module.name}")
