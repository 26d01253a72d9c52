"""``operators``: everything that can stand in a config, its settings, ranges and default draws."""

import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import JsonValue, ValidationError
from pydantic.fields import FieldInfo

from pipeline.config.files import install_files
from pipeline.text import say
from pipeline.weights.cache import source_of, weights_size_of
from schemas import AudioRef, Record, UserError
from schemas.field_docs import describe_fields
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.operators.distributions import (
    Constant,
    Distribution,
    FromPool,
    Integer,
    LogUniform,
    SeveralFromPool,
    Uniform,
)
from stages.operators.metric import Metric, Output, score_name
from stages.operators.operator import Operator, Registry
from stages.operators.restorer import Restorer
from stages.restorers import RESTORERS
from stages.weights.has_weights import HasWeights

WIDTH = 100
INDENT = 4
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


def operator_lines(member: type[Operator]) -> Iterator[str]:
    """Yield all there is to say of an operator, in lines of at most 100 columns."""
    yield member.kind
    yield from _paragraph(_first_paragraph(inspect.cleandoc(member.__doc__ or "")))
    for fact in _facts(member):
        yield from _paragraph(fact)
    if issubclass(member, Metric):
        for suffix, output in _outputs(member).items():
            yield from _item(f"score {score_name(member.kind, suffix)}", *_output(output))
    draws: Mapping[str, Distribution] = getattr(member, "draws", {})
    said = describe_fields(member)
    for name, info in member.model_fields.items():
        yield from _item(name, _field(info, draws.get(name)), said.get(name, ""))


def _facts(member: type[Operator]) -> Iterator[str]:
    if issubclass(member, Restorer):
        drawn = "in drawn settings" if member.draws else "where the config draws settings"
        differ = "by sampling" if _samples(member) else drawn
        yield f"{member.paradigm}; takes differ {differ}; {_rate(member)}"
    if issubclass(member, Metric):
        needs = "needs the clean reference" if member.needs_clean else "needs no reference"
        transcript = " and a transcript" if member.needs_transcript else ""
        band = "; hears the full band" if member.full_band else ""
        yield f"{needs}{transcript}; {_rate(member)}{band}"
    cpus = f"; {member.resources.cpus:g} CPUs" if member.resources.cpus != 1.0 else ""
    gpus = f"; {member.resources.gpus:g} GPU" if member.resources.gpus else ""
    weights = "no weights needed" if member.weights == Operator.weights else f"weights: {member.weights}"
    yield f"licence: {member.licence}; {weights}{cpus}{gpus}; version {member.version}"
    if issubclass(member, HasWeights):
        for published in member.catalogue():
            of = f"{weights_size_of(published)}, {published.licence}"
            yield f"{published.name}: {of}, {source_of(published)}"
    if member.unverified:
        yield member.unverified


def _samples(member: type[Restorer]) -> bool:
    try:
        return member().sampling
    except ValidationError:  # it cannot be built without settings: what the class says holds for all
        return inspect.getattr_static(member, "sampling") is True


def _rate(member: type[Restorer | Metric]) -> str:
    try:
        rate = member().sample_rate
    except ValidationError:  # it cannot be built without settings
        return "works at the rate that its settings say"
    return "works at any rate" if rate is None else f"works at {rate:,} Hz"


def _outputs(member: type[Metric]) -> Mapping[str, Output]:
    """Return what the metric gives by default: with other settings some have other names."""
    try:
        return member().outputs
    except ValidationError:  # it cannot be built without settings: what the class says holds for all
        return member.outputs


def _output(output: Output) -> tuple[str, str]:
    low = "" if output.low is None else f"from {output.low:g} "
    high = "" if output.high is None else f"to {output.high:g}"
    ends = f"{low}{high}".strip() or "without bounds"
    votes = "votes" if output.votes else "no vote"
    said = f"{output.aspect}; {output.better} is better; {ends}; noise floor {output.noise_floor:g}; {votes}"
    return said, output.note


def _field(info: FieldInfo, drawn: Distribution | None) -> str:
    parts = [type_words(info.annotation, info.metadata)]
    if not info.is_required():
        parts.append(f"default {_value(info.get_default(call_default_factory=True))}")
    if drawn is not None:
        parts.append(f"drawn {draw_words(drawn)}")
    return "; ".join(parts)


def type_words(annotation: Any, metadata: Any = ()) -> str:
    """Return what may stand in a field: ``number from -60 to 100``, ``mp3 | opus | vorbis``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        bounds = [bound for entry in more for bound in getattr(entry, "metadata", [entry])]
        return type_words(inner, [*metadata, *bounds])
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if origin in {Union, UnionType}:
        return " | ".join(type_words(part, metadata) for part in get_args(annotation))
    if origin is not None:
        return _container(origin, get_args(annotation))
    return f"{_plain(annotation)}{_bounds(metadata)}" if annotation is not NoneType else "none"


def _container(origin: Any, parts: Sequence[Any]) -> str:
    """Return lists and mappings as YAML would write them: ``[number, …]``, ``{text: number, …}``."""
    words = ["…" if part is Ellipsis else type_words(part) for part in parts]
    if issubclass(origin, Mapping):
        return f"{{{': '.join(words)}, …}}"
    return f"[{', '.join(words)}{'' if issubclass(origin, tuple) else ', …'}]"


def _plain(annotation: Any) -> str:
    if annotation is JsonValue:
        return "any value"
    if not isinstance(annotation, type):
        return str(annotation)
    names = {bool: "true | false", int: "whole number", float: "number", str: "text", Path: "path"}
    if annotation is AudioRef:
        return "recording of a pool"
    if issubclass(annotation, StrEnum):
        return " | ".join(annotation)
    if issubclass(annotation, Record):
        return _record_words(annotation)
    return names.get(annotation, annotation.__name__)


def _record_words(record: type[Record]) -> str:
    return "{" + ", ".join(_key(name, info) for name, info in record.model_fields.items()) + "}"


def _key(name: str, info: FieldInfo) -> str:
    return f"{name}: {type_words(info.annotation, info.metadata)}"


def _bounds(metadata: Any) -> str:
    words = []
    for bound in metadata:
        match bound:
            case Ge():
                words.append(f"from {bound.ge:g}")
            case Gt():
                words.append(f"above {bound.gt:g}")
            case Le():
                words.append(f"to {bound.le:g}")
            case Lt():
                words.append(f"below {bound.lt:g}")
    return "".join(f" {word}" for word in words)


def draw_words(distribution: Distribution) -> str:
    """Return how a parameter is drawn, much as a config would write it."""
    match distribution:
        case Constant():
            return _value(distribution.value)
        case FromPool(other_speaker=False):
            return f"{{from_pool: {distribution.pool}}}"
        case FromPool():
            return f"{{from_pool: {{pool: {distribution.pool}, other_speaker: true}}}}"
        case SeveralFromPool():
            others = ", other_speaker: true" if distribution.other_speaker else ""
            count = f"[{distribution.low}, {distribution.high}]"
            return f"{{several_from_pool: {{pool: {distribution.pool}, count: {count}{others}}}}}"
        case Uniform() | LogUniform() | Integer():
            return f"{{{distribution.kind}: [{distribution.low:g}, {distribution.high:g}]}}"
    said = distribution.model_dump(exclude={"kind"}, exclude_none=True, exclude_defaults=True)
    values = [_value(value) for value in said.values()]
    return f"{{{distribution.kind}: {', '.join(values)}}}"


def _value(value: Any) -> str:
    if isinstance(value, Record):
        kind = getattr(value, "kind", None)
        return f"{{kind: {kind}}}" if kind else value.model_dump_json()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_value(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _first_paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].replace("``", "").split())


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT)


def _item(name: str, *texts: str) -> Iterator[str]:
    """Yield a name and what is said of it, the latter on lines of its own, further in."""
    yield f"{' ' * INDENT}- {name}: {texts[0]}" if _fits(name, texts[0]) else f"{' ' * INDENT}- {name}:"
    deeper = " " * (2 * INDENT)
    for text in texts if not _fits(name, texts[0]) else texts[1:]:
        said = " ".join(text.replace("``", "").split())
        yield from textwrap.wrap(said, WIDTH, initial_indent=deeper, subsequent_indent=deeper)


def _fits(name: str, text: str) -> bool:
    return INDENT + len("- : ") + len(name) + len(text) <= WIDTH
