"""The packages and models that a run needs: which are there, in which versions, and whether they import."""

import importlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stages.operators.operator import Operator

PROJECT = "unanimous"
CORE = ("numpy", "scipy", "soundfile", "soxr", "pyarrow", "datasets")
"""What every run imports."""
OTHER_BUILDS: Mapping[str, str] = {"onnxruntime": "onnxruntime-gpu"}
"""Distributions that fill the same folder, so that only one of the two is installed."""
AnyOperator = Operator | type[Operator]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Something that a run needs, and whether it is there."""

    name: str
    detail: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """What the project says it needs: always, and with each extra."""

    always: Sequence[Requirement] = ()
    extras: Mapping[str, Sequence[Requirement]] = field(default_factory=dict)


def check_packages(operators: Iterable[AnyOperator]) -> Iterator[CheckResult]:
    """Yield every package that is declared, with those extras that ``operators`` need, or they alone need.

    A broken one shows when it is imported, not before: those that every run imports are, and those of
    operators without weights. Others are imported when their weights are loaded.
    """
    members = list(operators)
    needed = dict.fromkeys([*CORE, *(name for each in members for name in (*each.libraries, *each.packages))])
    plain = [name for each in members if each.weights == Operator.weights for name in each.libraries]
    imported = set(map(canonicalize_name, (*CORE, *plain)))
    for name, requirement in _requirements(declared(), list(needed)).items():
        yield _found(requirement, is_imported=name in imported)
        yield from _lacking_of_extras(requirement)


def declared() -> Declared:
    """Return what the installed project declares, or the pyproject.toml beside it; nothing without one."""
    try:
        return _of_distribution(metadata.distribution(PROJECT))
    except metadata.PackageNotFoundError:
        return _of_file(Path(str(files("pipeline"))).parent / "pyproject.toml")


def check_embedded_models(operators: Iterable[AnyOperator]) -> Iterator[CheckResult]:
    """Yield every model of ``operators`` that comes inside a package."""
    models = {name: place for each in operators for name, place in each.package_files.items()}
    for name, place in models.items():
        package, _, file = place.partition("/")
        path = _find_inside(package, file)
        is_there = path is not None and path.is_file()
        yield CheckResult(
            name, f"inside the package {package}" if is_there else f"no {file} in {package}", is_there
        )


def broken(distribution: str) -> str:
    """Return what a package fails with when it is imported, if it fails; one of another name is not tried."""
    module = distribution.replace("-", "_")
    try:
        if find_spec(module) is not None:
            importlib.import_module(module)
    except (ImportError, OSError, AttributeError) as error:
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def _of_distribution(project: metadata.Distribution) -> Declared:
    every = [Requirement(text) for text in project.requires or ()]
    extras = project.metadata.get_all("Provides-Extra") or ()
    return Declared(
        [each for each in every if _holds(each)],
        {extra: [each for each in every if not _holds(each) and _holds(each, extra)] for extra in extras},
    )


def _of_file(path: Path) -> Declared:
    if not path.is_file():
        return Declared()
    project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    extras = project.get("optional-dependencies", {})
    return Declared(
        list(map(Requirement, project.get("dependencies", ()))),
        {extra: list(map(Requirement, texts)) for extra, texts in extras.items()},
    )


def _holds(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _requirements(project: Declared, needed: Sequence[str]) -> Mapping[str, Requirement]:
    """Return what to look for, by name: all that is declared, whole extras, and what nobody has declared."""
    found: dict[str, Requirement] = {canonicalize_name(each.name): each for each in project.always}
    for name in needed:
        if canonicalize_name(name) not in found:
            for each in _extra_of(project, name):
                found.setdefault(canonicalize_name(each.name), each)
    return found


def _extra_of(project: Declared, name: str) -> Sequence[Requirement]:
    """Return all of the extra that brings ``name``, or that alone if no extra does."""
    for all_of in project.extras.values():
        if canonicalize_name(name) in {canonicalize_name(each.name) for each in all_of}:
            return all_of
    return [Requirement(name)]


def _found(requirement: Requirement, *, is_imported: bool) -> CheckResult:
    if lack := _lack(requirement):
        return CheckResult(requirement.name, lack, is_there=False)
    version = _version(requirement.name) or ""
    if is_imported and (failure := broken(requirement.name)):
        return CheckResult(requirement.name, f"{version}: {failure}", is_there=False)
    return CheckResult(requirement.name, version, is_there=True)


def _version(name: str) -> str | None:
    for distribution in (name, OTHER_BUILDS.get(name, name)):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return None


def _lack(requirement: Requirement) -> str:
    """Return what is wrong with the package that is installed, with the way out; or nothing."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    way = f"pip install {quote(f'{requirement.name}{extras}{requirement.specifier}')}"
    version = _version(requirement.name)
    if version is None:
        return f"not installed; {way}"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{version}, but {requirement.specifier} is needed; {way}"


def _lacking_of_extras(requirement: Requirement) -> Iterator[CheckResult]:
    """Yield what is wrong with what a package needs for those of its extras that are asked for."""
    if not requirement.extras or _lack(requirement):
        return
    for inner in map(Requirement, metadata.requires(requirement.name) or ()):
        asked = not _holds(inner) and any(_holds(inner, extra) for extra in requirement.extras)
        if asked and (lack := _lack(inner)):
            by = f"{requirement.name}[{','.join(sorted(requirement.extras))}]"
            yield CheckResult(inner.name, f"for {by}: {lack}", is_there=False)


def _find_inside(package: str, file: str) -> Path | None:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / file
