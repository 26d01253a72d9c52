"""What each model of a config needs here, and what brings it: one list, in the order in which it is done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType

from pipeline.cli.commands.weights import fetch_before_run
from pipeline.config.nested_operators import with_nested
from pipeline.config.stand_ins import StandIn
from pipeline.environments.lock import read_lock
from pipeline.environments.make import make_environment, state_of_environment
from pipeline.execution.machine import list_gpus
from pipeline.progress.ticket_log import TicketLine
from pipeline.text import align_columns, format_bytes, say
from pipeline.weights.cache import state_of, weights_size_of
from schemas import MissingWeightsError, RunError
from stages.operators.licences import Restriction, restriction_of
from stages.operators.metric import Metric
from stages.operators.operator import Operator
from stages.operators.restorer import Restorer
from stages.restorers.common.worker import PublishedWorker
from stages.weights.has_weights import HasWeights

THOUSAND_OF_S = 5.0
"""Length of the candidates that a thousand is told in hours of."""
_HEAD = ("model", "environment", "weights", "size", "GPU memory", "hours per 1,000 of 5 s")


@dataclass(frozen=True, slots=True)
class MeasuredCost:
    """What a model took on this machine, by the tickets of a workspace."""

    hours: float
    """For a thousand candidates of five seconds."""
    gpu_bytes: int = 0


class Deed(IntEnum):
    """Kinds of what is to be done, in the order in which it is."""

    PACKAGE = 0
    ENVIRONMENT = 1
    TOOL = 2
    WEIGHTS = 3
    BY_HAND = 4
    GPU = 5
    CONFIG = 6
    RECORDINGS = 7


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that a model lacks, and what mends it."""

    deed: Deed
    subject: str
    lack: str
    way: str
    """The command, or what somebody has to do."""
    needs_consent: bool = False
    """Whether somebody has to agree to terms first."""
    stand_in: str = ""
    """What becomes of a run that begins without; empty where none can."""

    @property
    def text(self) -> str:
        """What is lacking and what mends it, in one line."""
        said = ": ".join(part for part in (self.subject, self.lack, self.way) if part)
        return f"{said}; a run that begins without: {self.stand_in}" if self.stand_in else said


@dataclass(frozen=True, slots=True)
class ModelNeeds:
    """One model of a config, and what it lacks here."""

    operator: HasWeights
    row: tuple[str, ...]
    steps: tuple[Remedy, ...]


def models_in(
    operators: Iterable[Operator],
    gpus_said: Mapping[str, float],
    stand_ins: Iterable[StandIn] = (),
    measured: Mapping[str, MeasuredCost] = MappingProxyType({}),
) -> Sequence[ModelNeeds]:
    """Return the models with published weights or an environment of their own, each once, as named.

    ``gpus_said`` are the GPUs that the config says, by kind, and ``measured`` what kinds took. What
    ``stand_ins`` replace is not lacking.
    """
    without = {name: each.consequence for each in stand_ins if each.is_used for name in each.weights}
    every = (inner for operator in operators for inner in with_nested(operator))
    found: dict[tuple[str, str], HasWeights] = {}
    for each in every:
        if isinstance(each, HasWeights) and (each.published is not None or isinstance(each, PublishedWorker)):
            found.setdefault((each.kind, each.published.name if each.published else ""), each)
    gpus = list_gpus() if found else []
    needs = [
        _needs_of_model(each, gpus_said.get(each.kind, each.resources.gpus), gpus, without)
        for each in found.values()
    ]
    return [_with_measured(each, measured.get(each.operator.kind)) for each in needs]


def measured_in(lines: Iterable[TicketLine], kinds: Mapping[str, str]) -> Mapping[str, MeasuredCost]:
    """Return what models took by the tickets of a workspace; ``kinds`` are theirs by name of the table."""
    timed: dict[str, list[TicketLine]] = {}
    for line in lines:
        if line.table in kinds and line.model_s > 0.0 and line.audio_s > 0.0:
            timed.setdefault(kinds[line.table], []).append(line)
    return {kind: _measured(own) for kind, own in timed.items()}


def _measured(lines: Sequence[TicketLine]) -> MeasuredCost:
    heard_s = sum(line.audio_s * line.takes for line in lines)
    hours = sum(line.model_s for line in lines) / heard_s * THOUSAND_OF_S * 1000 / 3600
    return MeasuredCost(hours, max(line.peak_gpu_bytes for line in lines))


def _with_measured(needs: ModelNeeds, measured: MeasuredCost | None) -> ModelNeeds:
    if measured is None:
        return needs
    memory = f"{format_bytes(measured.gpu_bytes)} (measured here)" if measured.gpu_bytes else needs.row[-2]
    return replace(needs, row=(*needs.row[:-2], memory, f"{measured.hours:.2g} (measured here)"))


def show_models(models: Sequence[ModelNeeds]) -> None:
    """Print what each model needs."""
    if models:
        say("models")
        say("\n".join([*(f"  {line}" for line in model_lines(models)), ""]))


def mend(models: Sequence[ModelNeeds]) -> None:
    """Make environments, and fetch weights under terms that ask for nothing; what fails is said and left."""
    for model in models:
        for step in model.steps:
            if step.deed is Deed.ENVIRONMENT and isinstance(model.operator, PublishedWorker):
                _make_environment(model.operator)
    open_to_all = [m.operator for m in models if any(_may_be_fetched(step) for step in m.steps)]
    fetch_before_run(open_to_all)


def _may_be_fetched(step: Remedy) -> bool:
    return step.deed is Deed.WEIGHTS and not step.needs_consent


def _make_environment(model: PublishedWorker) -> None:
    try:
        make_environment(read_lock(model), model.environment_folder, say)
    except (RunError, MissingWeightsError) as error:
        say(f"{model.kind}: {error}")


def steps_of(models: Iterable[ModelNeeds]) -> Sequence[Remedy]:
    """Return all that is to be done, in order: environments, programs, weights, files by hand, a GPU."""
    return sorted((step for model in models for step in model.steps), key=lambda step: step.deed)


def model_lines(models: Sequence[ModelNeeds]) -> Iterator[str]:
    """Yield a table of models; nothing, if there are none."""
    if models:
        yield from align_columns([_HEAD, *(model.row for model in models)], left=len(_HEAD))


def step_lines(steps: Sequence[Remedy]) -> Iterator[str]:
    """Yield the numbered list of what is to be done."""
    for number, step in enumerate(steps, start=1):
        yield f"{number:>3}. {step.text}"


def _needs_of_model(
    operator: HasWeights, asked: float, gpus: Sequence[str], without: Mapping[str, str]
) -> ModelNeeds:
    steps = [*_environment_steps(operator, asked, gpus), *_weight_steps(operator)]
    name = operator.published.name if operator.published else ""
    if name in without:
        steps = [replace(step, stand_in=without[name]) for step in steps]
    is_worker = isinstance(operator, PublishedWorker)
    row = (
        operator.kind,
        _environment_of(operator) if is_worker else "this Python",
        _weights_of(operator),
        weights_size_of(operator.published) if operator.published else "unknown",
        operator.gpu_memory if isinstance(operator, PublishedWorker) and asked else "none needed",
        _hours_of(operator),
    )
    return ModelNeeds(operator, row, tuple(steps))


def _environment_of(operator: HasWeights) -> str:
    assert isinstance(operator, PublishedWorker)
    if operator.interpreter_path is not None:
        return f"{operator.interpreter_path}"
    return state_of_environment(read_lock(operator), operator.environment_folder)


def _environment_steps(operator: HasWeights, asked: float, gpus: Sequence[str]) -> Iterator[Remedy]:
    if not isinstance(operator, PublishedWorker):
        return
    state = _environment_of(operator)
    is_usable = operator.interpreter_path is not None or state in {"there", "made by hand"}
    if not is_usable:
        command = f"python -m pipeline environments make {operator.kind}"
        yield Remedy(Deed.ENVIRONMENT, operator.kind, f"its environment is {state}", command)
    if gpus and asked:
        for name, way in operator.lacking_tools.items():
            yield Remedy(
                Deed.TOOL, operator.kind, f"there is no {name}, with which it compiles on a GPU", way
            )
    elif asked:
        way = "run it on a machine with one, or say 'gpus: 0' of it in the config, which takes far longer"
        yield Remedy(Deed.GPU, operator.kind, "no GPU was found here", way)


def _weights_of(operator: HasWeights) -> str:
    if operator.path is not None:
        return f"at {operator.path}"
    assert operator.published is not None
    state = state_of(operator.published)
    return f"{state}, unpinned" if operator.published.moving and operator.sha256 is None else state


def _weight_steps(operator: HasWeights) -> Iterator[Remedy]:
    weights = operator.published
    if weights is not None and operator.path is None and (state := state_of(weights)) != "there":
        asks = restriction_of(weights.licence) > Restriction.PERMISSIVE
        lack = f"weights are {state} ({weights_size_of(weights)}, licence {weights.licence})"
        command = f"python -m pipeline weights fetch {weights.name}"
        yield Remedy(Deed.WEIGHTS, operator.kind, lack, command, needs_consent=asks)
    if isinstance(operator, PublishedWorker):
        for place, where in operator.lacking_by_hand.items():
            way = f"get it from {where}, and put it there"
            yield Remedy(Deed.BY_HAND, operator.kind, f"there is no {place}", way)


def _hours_of(operator: HasWeights) -> str:
    """Return hours of one core, where the operator says what it costs; of workers nobody has measured it."""
    if not isinstance(operator, Metric | Restorer) or operator.cost_s_per_s is None:
        return "unknown"
    hours = operator.cost_s_per_s * THOUSAND_OF_S * 1000 / 3600
    return f"{hours:.2g} of one core (rough)"
