"""From a config file to operators: everything is checked before anything runs, all mistakes at once."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import TypeAdapter, ValidationError

from pipeline.config import Config, CriterionEntry, MetricEntry, RestorerEntry, StepEntry
from pipeline.places import Document, Location, load, override
from schemas import AudioRef, ConfigError, MissingWeightsError, UnknownOperatorError, fingerprint_of
from stages.chain import Step
from stages.degradations import DEGRADATIONS
from stages.distributions import Constant, Distribution, FromPool, bounds_of, distribution_of
from stages.metrics import METRICS
from stages.metrics.base import Aspect, Metric, Output, score_name
from stages.operator import Operator, Registry
from stages.restorers import RESTORERS
from stages.restorers.base import Restorer
from stages.rng import rng_for
from stages.unanimity import Criterion
from stages.user_modules import PREFIX, OperatorModule, install

FULL_BAND_ABOVE_HZ = 16_000
ANY_REF = AudioRef(pool="any", id="any", digest="0" * 64, sample_rate=16_000, num_samples=16_000)


@dataclass(frozen=True, slots=True)
class RestorerSetup:
    """A restoration model under its name in the run, its takes, and how its settings are drawn."""

    name: str
    restorer: Restorer
    takes: int
    draws: Mapping[str, Distribution]
    gpus: float


@dataclass(frozen=True, slots=True)
class MetricSetup:
    """A metric under its name in the run."""

    name: str
    metric: Metric
    gpus: float

    @property
    def outputs(self) -> Mapping[str, Output]:
        """What it gives, by score name."""
        return {score_name(self.name, suffix): output for suffix, output in self.metric.outputs.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """A config, checked, with its operators built."""

    config: Config
    base: Path
    modules: tuple[OperatorModule, ...]
    chain: tuple[Step, ...]
    restorers: tuple[RestorerSetup, ...]
    metrics: tuple[MetricSetup, ...]
    criteria: tuple[Criterion, ...]

    @property
    def config_hash(self) -> str:
        """Sixteen hex digits of everything the config says."""
        return self.config.fingerprint

    def path(self, text: str) -> str:
        """Return a path of the config: relative ones start from the config's folder."""
        return _resolved(self.base, text)

    def outputs(self) -> dict[str, Output]:
        """Return every score of the run."""
        return {name: output for setup in self.metrics for name, output in setup.outputs.items()}


class _Problems:
    """Mistakes, collected with their places."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[str] = []

    def add(self, location: Location, message: str) -> None:
        self.found.append(f"{self._document.place(location)}: {'.'.join(map(str, location))}: {message}")

    def catch(self, location: Location, call: Callable[[], Any]) -> Any:
        """Return what ``call`` returns, or note its mistake and return None."""
        try:
            return call()
        except ValidationError as error:
            for detail in error.errors():
                self.add((*location, *detail["loc"]), _said(detail))
        except (UnknownOperatorError, MissingWeightsError, ValueError) as error:
            self.add(location, str(error))
        return None


def resolve(
    path: Path, assignments: Sequence[str] = (), replacements: Mapping[str, str] | None = None
) -> Run:
    """Return the run that the config in ``path`` describes.

    ``assignments`` are ``a.b=value`` texts; ``replacements`` point ``speech``, ``noise`` or ``responses`` at
    a folder or manifest of the user's own. Raises ``ConfigError`` with every mistake and its place.
    """
    document = load(path)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}: a config is a mapping of settings, see 'python -m pipeline schema'")
    for assignment in assignments:
        override(document, assignment)
    _replace(document, replacements or {})
    problems = _Problems(document)
    config: Config | None = problems.catch((), lambda: Config.model_validate(document.data))
    if config is None:
        _unknown_kinds(document.data, problems)
        raise ConfigError("\n".join(problems.found))
    run = _built(config, path.parent, problems)
    if problems.found or run is None:
        raise ConfigError("\n".join(problems.found))
    return run


def _built(config: Config, base: Path, problems: _Problems) -> Run | None:
    modules = tuple(_modules(config, base, problems))
    problems.catch(("operators",), lambda: install(modules))
    chain = tuple(_steps(config, problems))
    restorers = tuple(_restorers(config, base, problems))
    metrics = tuple(_metrics(config, base, problems))
    _same_names([r.name for r in restorers], "restorers", problems)
    _same_names([m.name for m in metrics], "metrics", problems)
    outputs = {name: output for setup in metrics for name, output in setup.outputs.items()}
    criteria = tuple(_criteria(config, outputs, problems))
    if not problems.found:
        _check_coverage(config, metrics, criteria, problems)
    _check_files(config, base, problems)
    return Run(config, base, modules, chain, restorers, metrics, criteria)


def _replace(document: Document, replacements: Mapping[str, str]) -> None:
    data = document.data
    for what, where in replacements.items():
        absolute = str(Path(where).expanduser().absolute())
        if what == "speech":
            data["speech"] = [{"name": Path(where).stem or "speech", "path": absolute}]
        else:
            pool = {"noise": "noise", "responses": "rir"}[what]
            data.setdefault("pools", {})[pool] = [{"path": absolute}]


def _modules(config: Config, base: Path, problems: _Problems) -> Iterator[OperatorModule]:
    for index, text in enumerate(config.operators):
        path = Path(_resolved(base, text))
        if not path.is_file():
            problems.add(("operators", index), f"there is no file {path}")
            continue
        source = path.read_text(encoding="utf-8")
        yield OperatorModule(
            name=f"{PREFIX}{path.stem}_{fingerprint_of(source)}", path=path.name, source=source
        )


def _steps(config: Config, problems: _Problems) -> Iterator[Step]:
    for index, entry in enumerate(config.degradations.chain):
        location: Location = ("degradations", "chain", index)
        step = problems.catch(location, lambda e=entry, at=location: _step(e, config, at, problems))
        if step is not None:
            yield step


def _step(entry: StepEntry, config: Config, location: Location, problems: _Problems) -> Step | None:
    member = DEGRADATIONS[entry.kind]
    draws = _draws(member, entry.params, location, problems)
    if draws is None:
        return None
    step = Step(kind=entry.kind, probability=entry.probability, draws=draws)
    for pool in sorted(step.pools - config.pools.keys()):
        known = ", ".join(config.pools) or "none"
        problems.add(location, f"draws from the pool {pool!r}, which 'pools' does not have; it has: {known}")
    any_pools = dict.fromkeys(step.pools, (ANY_REF,))
    for trial in range(4):  # settings that exclude one another show when they are drawn together
        member.drawn(rng_for(trial, "check"), any_pools, step.draws)
    return step


def _restorers(config: Config, base: Path, problems: _Problems) -> Iterator[RestorerSetup]:
    for index, entry in enumerate(config.restorers):
        at: Location = ("restorers", index)
        setup = problems.catch(at, lambda e=entry, at=at: _restorer(e, base, at, problems))
        if setup is not None:
            yield setup


def _restorer(
    entry: RestorerEntry, base: Path, location: Location, problems: _Problems
) -> RestorerSetup | None:
    member = RESTORERS[entry.kind]
    given = _draws(member, _located(entry.params, base), location, problems)
    if given is None:
        return None
    fixed = {name: d.value for name, d in given.items() if isinstance(d, Constant)}
    drawn = {name: d for name, d in given.items() if not isinstance(d, Constant)}
    restorer = member.model_validate({**fixed, **{n: _example(d) for n, d in drawn.items()}}).pinned()
    if entry.takes > 1 and not (restorer.sampling or drawn or member.draws):
        problems.add((*location, "takes"), f"{entry.kind} gives the same audio every time; ask for one take")
    gpus = entry.gpus if entry.gpus is not None else member.resources.gpus
    return RestorerSetup(entry.name or entry.kind, restorer, entry.takes, drawn, gpus)


def _metrics(config: Config, base: Path, problems: _Problems) -> Iterator[MetricSetup]:
    for index, entry in enumerate(config.metrics):
        at: Location = ("metrics", index)
        setup = problems.catch(at, lambda e=entry, at=at: _metric(e, base, at, problems))
        if setup is not None:
            yield setup


def _metric(entry: MetricEntry, base: Path, location: Location, problems: _Problems) -> MetricSetup | None:
    member = METRICS[entry.kind]
    if not _known_fields(member, entry.params, location, problems):
        return None
    metric = member.model_validate(_located(entry.params, base))
    gpus = entry.gpus if entry.gpus is not None else member.resources.gpus
    return MetricSetup(entry.name or entry.kind, metric, gpus)


def _criteria(config: Config, outputs: Mapping[str, Output], problems: _Problems) -> Iterator[Criterion]:
    for index, given in enumerate(config.preference.criteria):
        entry = CriterionEntry(metric=given) if isinstance(given, str) else given
        location: Location = ("preference", "criteria", index)
        output = outputs.get(entry.metric)
        if output is None:
            problems.add(location, f"no metric gives {entry.metric!r}; {_closest(entry.metric, outputs)}")
        elif not output.votes and not entry.diagnostic:
            problems.add(
                location, f"{entry.metric} is a diagnostic ({output.note}); say 'diagnostic: true' to insist"
            )
        else:
            margin = output.noise_floor if entry.margin is None else entry.margin
            scale = output.noise_floor or 1.0
            yield Criterion(metric=entry.metric, better=output.better, margin=margin, scale=scale)


def _check_coverage(
    config: Config, metrics: Sequence[MetricSetup], criteria: Sequence[Criterion], problems: _Problems
) -> None:
    owners = {name: setup for setup in metrics for name in setup.outputs}
    covered = {owners[c.metric].outputs[c.metric].aspect for c in criteria}
    for aspect in Aspect:
        if aspect not in covered and aspect not in config.preference.uncovered:
            problems.add(
                ("preference", "criteria"),
                f"no criterion covers {aspect}; add one, or list it in 'preference.uncovered' on purpose",
            )
    rate = config.ingest.sample_rate
    above = rate == "native" or rate > FULL_BAND_ABOVE_HZ
    hears = any(owners[c.metric].metric.full_band for c in criteria)
    if above and not hears and not config.preference.band_limited:
        problems.add(
            ("preference", "criteria"),
            f"at sample_rate {rate} no criterion hears above 8 kHz; add one such as multi_resolution_stft, "
            "or say 'preference.band_limited: true' on purpose",
        )


def _check_files(config: Config, base: Path, problems: _Problems) -> None:
    for index, corpus in enumerate(config.speech):
        _check_path(base, corpus.path, ("speech", index, "path"), problems)
    for pool, parts in config.pools.items():
        if not parts:
            problems.add(("pools", pool), "the pool is empty")
        for index, part in enumerate(parts):
            for key in ("path", "voices"):
                text = getattr(part, key, None)
                if text:
                    _check_path(base, text, ("pools", pool, index, key), problems)


def _check_path(base: Path, text: str, location: Location, problems: _Problems) -> None:
    path = Path(_resolved(base, text))
    if "://" in text:
        problems.add(location, f"{text!r} is a URL; only local or mounted paths can be read")
    elif not any(letter in text for letter in "*?[") and not path.exists():
        problems.add(location, f"there is nothing at {path}")


def _draws(
    member: type[Operator], params: Mapping[str, Any], location: Location, problems: _Problems
) -> dict[str, Distribution] | None:
    """Return the distribution of each given parameter, its bounds checked against the field's."""
    if not _known_fields(member, params, location, problems):
        return None
    before = len(problems.found)
    draws: dict[str, Distribution] = {}
    for name, value in params.items():
        drawn = problems.catch((*location, name), lambda v=value: distribution_of(v))
        if drawn is None:
            continue
        info = member.model_fields[name]
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[cast("Any", info.annotation), info])
        if not isinstance(drawn, FromPool):
            for bound in bounds_of(drawn):
                problems.catch((*location, name), lambda a=adapter, b=bound: a.validate_python(b))
        draws[name] = drawn
    return draws if len(problems.found) == before else None


def _known_fields(
    member: type[Operator], params: Mapping[str, Any], location: Location, problems: _Problems
) -> bool:
    unknown = [name for name in params if name not in member.model_fields]
    for name in unknown:
        problems.add(
            (*location, name), f"{member.kind} has no {name!r}; {_closest(name, member.model_fields)}"
        )
    return not unknown


def _unknown_kinds(data: Mapping[str, Any], problems: _Problems) -> None:
    """Check operator names even where the rest of the config is wrong, so that all mistakes show at once."""
    degradations = data.get("degradations")
    chain = degradations.get("chain") if isinstance(degradations, dict) else None
    families: Sequence[tuple[Location, Any, Registry[Any]]] = (
        (("degradations", "chain"), chain, DEGRADATIONS),
        (("restorers",), data.get("restorers"), RESTORERS),
        (("metrics",), data.get("metrics"), METRICS),
    )
    if data.get("operators"):
        return  # the user's own operators are not known yet
    for location, entries, registry in families:
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            kind = entry.get("kind") if isinstance(entry, dict) else None
            if isinstance(kind, str) and kind not in registry:
                problems.add((*location, index, "kind"), registry.unknown(kind))


def _same_names(names: Sequence[str], where: str, problems: _Problems) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.add((where, index), f"the name {name!r} is taken; give this one a 'name' of its own")


def _located(params: Mapping[str, Any], base: Path) -> dict[str, Any]:
    return {
        name: _resolved(base, value) if isinstance(value, str) and name.endswith("path") else value
        for name, value in params.items()
    }


def _resolved(base: Path, text: str) -> str:
    path = Path(text).expanduser()
    return str(path if path.is_absolute() else (base / path).absolute())


def _example(distribution: Distribution) -> Any:
    return bounds_of(distribution)[0]


def _said(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        name = str(detail["loc"][-1])
        return f"unknown key {name!r}; {_closest(name, _all_keys())}"
    if detail["type"] == "missing":
        return "is missing"
    return f"{detail['msg']}, got {detail['input']!r}"


def _all_keys() -> set[str]:
    schema = Config.model_json_schema()
    return {key for part in (schema, *schema.get("$defs", {}).values()) for key in part.get("properties", {})}


def _closest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
