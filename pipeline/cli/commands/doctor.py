"""``doctor``: could a run start here, and if not, what is lacking. Touches no network, writes nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from pipeline.cli.commands.environment import (
    AnyOperator,
    CheckResult,
    broken,
    check_embedded_models,
    check_packages,
)
from pipeline.cli.commands.model_needs import Deed, Remedy, mend, models_in, show_models, step_lines, steps_of
from pipeline.config.chain import example_of
from pipeline.config.nested_operators import with_nested
from pipeline.config.resolve import (
    MetricSetup,
    ResolvedConfig,
    RestorerSetup,
    gpus_said_in,
    operators_in,
    resolve,
    resolve_but_weights,
    stand_ins_in,
)
from pipeline.config.schema import PoolFiles, PoolPart, PoolRooms
from pipeline.config.stand_ins import Begun, StandIn, nothing_begun
from pipeline.execution.machine import list_gpus, list_machine_facts
from pipeline.sources.corpora import Corpus, list_unread
from pipeline.sources.first_look import FirstLook, describe_missing, is_there, look_at
from pipeline.text import align_columns, count, format_bytes, say
from pipeline.weights.cache import describe_moving, needs_of, source_of, state_of, weights_size_of
from schemas import ConfigError, RunError, UserError
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.operators.metric import Metric
from stages.operators.operator import Operator
from stages.operators.restorer import Restorer
from stages.operators.user_modules import USERS_MISTAKES
from stages.plan.chain import steps_in
from stages.restore.calls import load_model
from stages.restorers import RESTORERS
from stages.weights.has_weights import HasWeights

_MEND = "mend it in the config, or name yours with --speech, --noise, --responses, --set"


def doctor_command(
    path: Path | None,
    assignments: Sequence[str] = (),
    replacements: Mapping[str, str] | None = None,
    begun: Begun = nothing_begun,
    *,
    mends: bool = False,
) -> None:
    """Print what is there and what is lacking; ``begun`` knows what the config's run began with.

    With ``mends``, what can be brought without a question is brought first. Raises ``UserError`` if a run
    could not start.
    """
    if mends and path is not None:
        mend(models_in(operators_in(path, assignments, begun), gpus_said_in(path, assignments)))
    lacking = _show(
        "machine", [CheckResult(name, value, is_there=True) for name, value in list_machine_facts(Path.cwd())]
    )
    named: Sequence[AnyOperator] = _registered() if path is None else operators_in(path, assignments, begun)
    plain = [each for each in named if each.weights == Operator.weights]
    inside = [*check_packages(plain if path is None else named)], [*check_embedded_models(named)]
    for title, findings in zip(("packages", "models inside packages"), inside, strict=True):
        lacking += _show(title, findings)
    if path is not None:
        found, steps = _config(path, assignments, replacements or {}, begun)
        lacking += found
        packages = [_step(Deed.PACKAGE, each) for each in chain(*inside) if not each.is_there]
        _show_steps([*packages, *steps])
    what = "a run" if path is None else f"a run of {path}"
    if lacking:
        raise UserError(f"{what} could not start here: {count(lacking, 'thing')} lacking")
    say(f"{what} could start here")


def _registered() -> list[type[Operator]]:
    return [*DEGRADATIONS.values(), *RESTORERS.values(), *METRICS.values()]


def _config(
    path: Path, assignments: Sequence[str], replacements: Mapping[str, str], begun: Begun
) -> tuple[int, Sequence[Remedy]]:
    """Print what a config needs; return how many things are lacking, and what is to be done about them."""
    named, stand_ins = operators_in(path, assignments, begun), stand_ins_in(path, assignments, begun)
    models = models_in(named, gpus_said_in(path, assignments), stand_ins)
    show_models(models)
    _show("weights", list(check_weight_files(named, stand_ins)))
    # the config's mistakes count them
    try:
        run = resolve(path, assignments, replacements, begun)
    except ConfigError as error:
        said = str(error).splitlines()
        say("\n".join([str(path), *(f"  LACKS  {line}" for line in said), ""]))
        lacking, others = _but_weights(path, assignments, replacements, begun)
        return len(said) + lacking, [*steps_of(models), *others]
    operators, sources = list(check_operators(run)), list(check_sources(run))
    lacking = _show("operators", operators) + _show("recordings", sources)
    known = {step.subject for step in steps_of(models)}
    others = [_step(Deed.CONFIG, each) for each in operators if not each.is_there and each.name not in known]
    return lacking, [*steps_of(models), *others, *_source_steps(sources)]


def _but_weights(
    path: Path, assignments: Sequence[str], replacements: Mapping[str, str], begun: Begun
) -> tuple[int, Sequence[Remedy]]:
    """Look at what else is wrong with a config for which weights or environments are lacking."""
    try:
        run = resolve_but_weights(path, assignments, replacements, begun)
    except ConfigError as error:
        return 0, [Remedy(Deed.CONFIG, "config", line, _MEND) for line in str(error).splitlines()]
    sources = list(check_sources(run))
    return _show("recordings", sources), _source_steps(sources)


def _source_steps(findings: Iterable[CheckResult]) -> Sequence[Remedy]:
    return [_step(Deed.RECORDINGS, each) for each in findings if not each.is_there]


def _step(deed: Deed, finding: CheckResult) -> Remedy:
    return Remedy(deed, finding.name, finding.detail, "" if deed is Deed.PACKAGE else _MEND)


def _show_steps(steps: Sequence[Remedy]) -> None:
    """Print the one list of what is to be done, if anything is."""
    if not steps:
        return
    say("to be done, in this order ('--fix' does what asks no question)")
    say("\n".join([*step_lines(sorted(steps, key=lambda step: step.deed)), ""]))


def check_weight_files(
    operators: Iterable[Operator], stand_ins: Iterable[StandIn] = ()
) -> Iterator[CheckResult]:
    """Yield the published weights that operators stand for: whether they are there, and how they come.

    What a run begins without does not keep it from starting; it is said what stands in.
    """
    without = {name: each for each in stand_ins if each.is_used for name in each.weights}
    named = list(operators)
    pinned = {each.kind for each in named if isinstance(each, HasWeights) and each.sha256}
    for name, need in needs_of(named).items():
        state = state_of(need.weights)
        said = f"{weights_size_of(need.weights)}, licence {need.weights.licence}, for {', '.join(need.kinds)}"
        if (moving := describe_moving(need.weights)) and not pinned.issuperset(need.kinds):
            said += f"; UNPINNED: {moving}"
        if state == "there":
            yield CheckResult(name, f"{said}: in {need.weights.place}", is_there=True)
            continue
        way = f"{state}; 'python -m pipeline weights fetch {name}' gets them from {source_of(need.weights)}"
        if name in without:
            way += f"; a run that begins without them: {without[name].consequence}"
        yield CheckResult(name, f"{said}: {way}", is_there=name in without)


def check_operators(run: ResolvedConfig) -> Iterator[CheckResult]:
    """Yield every operator of a run but plain filters, loaded once to see that its weights are there.

    What it can compute is tried where it would run: here, unless that is a GPU.
    """
    found = list_gpus()
    setups: Sequence[RestorerSetup | MetricSetup] = (*run.restorers, *run.metrics)
    for setup in setups:
        operator = setup.restorer if isinstance(setup, RestorerSetup) else setup.metric
        yield _operator(setup.name, operator, setup.gpus)
        if setup.gpus and not found:
            yield CheckResult(setup.name, "needs a GPU, and none was found here", is_there=False)
    for step in steps_in(run.chain):
        for inside in with_nested(example_of(step)):
            if inside.weights != Operator.weights:
                yield _operator(f"degradation {step.kind}", inside)


def _operator(name: str, operator: Operator, gpus: float = 0.0) -> CheckResult:
    said = f"licence {' AND '.join(dict.fromkeys(operator.licences)) or 'of what is within'}; "
    said += f"weights: {operator.weights}{_size(operator)}"
    for unverified in dict.fromkeys(each.unverified for each in with_nested(operator) if each.unverified):
        said += f"; {unverified}"
    if operator.weights == Operator.weights:
        return CheckResult(name, said, is_there=True)
    try:
        if isinstance(operator, Restorer | Metric):
            fresh = operator.model_validate(operator.model_dump())  # and let go: all would be too many
            if isinstance(fresh, Restorer) and not gpus:
                load_model(fresh, "cpu")
            else:
                fresh.load("cpu")
        elif isinstance(operator, HasWeights):
            operator.require_place()
    except (RunError, UserError) as error:
        return CheckResult(name, f"{said}: {error}", is_there=False)
    except USERS_MISTAKES as error:
        return CheckResult(name, f"{said}: {type(error).__name__}: {error}", is_there=False)
    return CheckResult(name, f"{said}: there", is_there=True)


def _size(operator: Operator) -> str:
    paths = [value for _, value in operator if isinstance(value, Path) and value.is_file()]
    return "".join(f", {path}, {format_bytes(path.stat().st_size)}" for path in paths)


def check_sources(run: ResolvedConfig) -> Iterator[CheckResult]:
    """Yield what the corpora and pools of a run hold: listed, and one recording of each opened."""
    for corpus in run.config.speech:
        located = corpus.model_copy(update={"path": run.path(corpus.path)})
        yield _check_listing(f"speech {corpus.name}", located)
    for pool, parts in run.config.pools.items():
        for part in parts:
            yield _part(run, pool, part)


def _part(run: ResolvedConfig, pool: str, part: PoolPart) -> CheckResult:
    if isinstance(part, PoolFiles):
        corpus = Corpus(name=pool, path=run.path(part.path), audio=part.audio)
        return _check_listing(f"pool {pool}", corpus)
    if isinstance(part, PoolRooms):
        failure = broken("pyroomacoustics")
        said = f"{count(part.rooms, 'room')} to simulate{failure and f': {failure}'}"
        return CheckResult(f"pool {pool}", said, is_there=not failure)
    number = len(part.synthesise) * part.count
    return CheckResult(f"pool {pool}", f"{count(number, 'recording')} to synthesise", is_there=True)


def _check_listing(name: str, corpus: Corpus) -> CheckResult:
    try:
        listed = list_unread(corpus)
    except ConfigError as error:
        return CheckResult(name, str(error), is_there=False)
    missing = [source for source in listed if not is_there(source)]
    if len(missing) == len(listed):
        return CheckResult(name, describe_missing(missing, len(listed)), is_there=False)
    look = look_at([source for source in listed if is_there(source)])
    said = [f"{count(len(listed), 'recording')} in {corpus.path}", _describe_look(look)]
    if missing:
        said.append(describe_missing(missing, len(listed)))
    return CheckResult(name, "; ".join(said), is_there=not look.is_hopeless)


def _describe_look(look: FirstLook) -> str:
    refused = f"{count(len(look.refused), 'recording')} cannot be decoded, {look.why}" if look.refused else ""
    if look.heard is None:
        return f"the first {refused}"
    rate, channels = look.heard.waveform.sample_rate, count(look.heard.channels, "channel")
    return f"the first is of {channels} at {rate} Hz" + (f", after {refused}" if refused else "")


def _show(title: str, findings: Sequence[CheckResult]) -> int:
    """Print findings under a title, if there are any, and return how many are lacking."""
    if not findings:
        return 0
    say(title)
    rows = [("ok" if f.is_there else "LACKS", f.name, f.detail) for f in findings]
    for line in align_columns(rows, left=3):
        say(f"  {line}")
    say("")
    return sum(not finding.is_there for finding in findings)
