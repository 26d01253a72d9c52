"""From entries of a config to operators: kinds, parameters, bounds, and what can be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from pipeline.config.chain_schema import Entry
from pipeline.config.document import Location
from pipeline.config.files import locate_params
from pipeline.config.nested_operators import with_nested
from pipeline.config.problems import A_FLAG, Problems, find_flags_read_as_numbers, messages_of, suggest
from pipeline.config.reader import ReadContext
from pipeline.config.schema import MetricEntry, NamedEntry, RestorerEntry
from pipeline.store.dataset_columns import is_column
from schemas import Params
from stages import score
from stages.metrics import METRICS
from stages.operators.distribution_forms import FORMS, distribution_of
from stages.operators.distributions import Constant, Distribution, PoolDraw, bounds_of
from stages.operators.metric import Metric, Output, score_name
from stages.operators.operator import Operator
from stages.operators.restorer import Restorer
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS

TRIALS = 4
"""Drawings before a run: settings that exclude one another show when they are drawn together."""

E = TypeVar("E", bound=Entry)
Located = tuple[Location, E]


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

    @property
    def identity(self) -> Params:
        """All that its scores depend on besides the audio, as table and dataset keep it."""
        return {
            "name": self.name,
            "stage": score.VERSION,
            "level_db": score.SCORING_LEVEL_DB,
            **self.metric.identity,
        }


def restorers_of(
    entries: Sequence[Located[RestorerEntry]], context: ReadContext
) -> tuple[RestorerSetup, ...]:
    """Return the restoration models, those that can be built."""
    setups: list[RestorerSetup] = []
    for location, entry in entries:
        if context.knows((*location, "kind"), entry.kind, RESTORERS):
            with context.problems.at(location, RESTORERS[entry.kind]):
                setups += _restorer(location, entry, context)
    _check_names(entries, context.problems)
    return tuple(setups)


def _restorer(location: Location, entry: RestorerEntry, context: ReadContext) -> list[RestorerSetup]:
    member = RESTORERS[entry.kind]
    draws = draws_of(member, location, entry, context)
    if draws is None:
        return []
    fixed = {name: d.value for name, d in draws.items() if isinstance(d, Constant)}
    drawn = {name: d for name, d in draws.items() if not isinstance(d, Constant)}
    if refused := sorted(drawn.keys() & member.undrawable()):
        for name in refused:
            message = f"{name} is one for all takes; give each value an entry of its own"
            context.problems.add((*location, name), message)
        return []
    restorer = _try_model(member, fixed, drawn)
    if entry.takes > 1 and not (restorer.sampling or drawn or member.draws):
        way = ", or say 'model_sampling: true' if it draws" if "model_sampling" in member.model_fields else ""
        message = f"{entry.kind} gives the same audio every time; ask for one take{way}"
        context.problems.add((*location, "takes"), message)
    own = max(each.resources.gpus for each in with_nested(restorer))
    gpus = entry.gpus if entry.gpus is not None else own
    return [RestorerSetup(entry.called, context.make_ready(location, restorer), entry.takes, drawn, gpus)]


def _try_model(
    member: type[Restorer], fixed: Mapping[str, Any], drawn: Mapping[str, Distribution]
) -> Restorer:
    """Return the model as it would be for some take; raises ``ValueError`` for settings that cannot be."""
    if any(isinstance(distribution, PoolDraw) for distribution in drawn.values()):
        raise ValueError("a restorer draws its settings from no pool")
    for rng in trials_of(drawn):
        restorer = member.model_validate({**fixed, **{name: d.draw(rng, {}) for name, d in drawn.items()}})
    return restorer


def trials_of(draws: Mapping[str, Distribution]) -> Sequence[np.random.Generator]:
    """Return what each trial of some settings is drawn with; settings that never vary are tried once."""
    varies = any(not isinstance(distribution, Constant) for distribution in draws.values())
    return [rng_for(trial, "check") for trial in range(TRIALS if varies else 1)]


def metrics_of(entries: Sequence[Located[MetricEntry]], context: ReadContext) -> tuple[MetricSetup, ...]:
    """Return the metrics, those that can be built."""
    setups: list[MetricSetup] = []
    for location, entry in entries:
        if context.knows((*location, "kind"), entry.kind, METRICS):
            with context.problems.at(location, METRICS[entry.kind]):
                made = _metric(location, entry, context)
                _check_scores(location, made, setups, context.problems)
                setups += made
    _check_names(entries, context.problems)
    return tuple(setups)


def _metric(location: Location, entry: MetricEntry, context: ReadContext) -> list[MetricSetup]:
    member = METRICS[entry.kind]
    if not _has_fields(member, location, entry, context):
        return []
    metric = member.model_validate(locate_params(context.base, entry.params))
    context.problems.add_flags(location, entry.params, metric)
    gpus = entry.gpus if entry.gpus is not None else member.resources.gpus
    return [MetricSetup(entry.called, context.make_ready(location, metric), gpus)]


def _check_scores(
    location: Location, made: Sequence[MetricSetup], others: Sequence[MetricSetup], problems: Problems
) -> None:
    """Note scores that have the name of another metric's, or of a column that a dataset has in any case."""
    given = {name: setup.name for setup in others for name in setup.outputs}
    for setup in made:
        for name in setup.outputs:
            if given.get(name, setup.name) != setup.name:
                message = f"{given[name]!r} gives a score {name!r} already; give this one another 'name'"
                problems.add(location, message)
            if is_column(name):
                message = f"a dataset has a column {name!r} in any case; give this metric another 'name'"
                problems.add(location, message)


def _check_names(entries: Sequence[Located[NamedEntry]], problems: Problems) -> None:
    taken: set[str] = set()
    for location, entry in entries:
        if entry.called in taken:
            problems.add(location, f"the name {entry.called!r} is taken; give this one a 'name' of its own")
        taken.add(entry.called)


def _has_fields(member: type[Operator], location: Location, entry: Entry, context: ReadContext) -> bool:
    known = [*member.model_fields, *type(entry).model_fields]
    unknown = [name for name in entry.params if name not in member.model_fields]
    for name in unknown:
        context.problems.add((*location, name), f"{entry.kind} has no {name!r}; {suggest(name, known)}")
    return not unknown


def draws_of(
    member: type[Operator], location: Location, entry: Entry, context: ReadContext
) -> dict[str, Distribution] | None:
    """Return how each given parameter is drawn, its bounds checked against the field's; None if one fails."""
    before = len(context.problems.found)
    _has_fields(member, location, entry, context)
    draws: dict[str, Distribution] = {}
    for name, value in locate_params(context.base, entry.params).items():
        if name in member.model_fields:
            with context.problems.at((*location, name)):
                draws[name] = distribution_of(value)
                for inner, message in _misfits(member, name, draws[name]):
                    context.problems.add((*location, name, *inner), message)
    return draws if len(context.problems.found) == before else None


def _misfits(member: type[Operator], name: str, distribution: Distribution) -> Sequence[tuple[Location, str]]:
    """Return what keeps the field from taking the values that span the distribution."""
    info = member.model_fields[name]
    form: Any = Annotated[info.annotation, info]
    field = TypeAdapter[Any](form)
    for value in bounds_of(distribution):
        try:
            read = field.validate_python(value)
        except ValidationError as error:
            meant = _guess_form(value)
            return [((), meant)] if meant else list(messages_of(error, field.json_schema()))
        if flags := list(find_flags_read_as_numbers(value, read)):
            return [(place, A_FLAG) for place in flags]
    return []


def _guess_form(value: Any) -> str | None:
    """Return what a mapping with one key may have been meant for: a distribution, misspelled."""
    if not isinstance(value, dict) or len(value) != 1 or "kind" in value:
        return None
    (form,) = value
    return f"there is no distribution {form!r}; {suggest(str(form), FORMS)}"
