"""From the entries of a chain to the chain: groups and steps, however deep, all mistakes at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from pipeline.config.chain_schema import (
    ENTRIES,
    ChainEntry,
    Members,
    OneOfEntry,
    PartSettings,
    SomeOfEntry,
    StepEntry,
    form_of,
)
from pipeline.config.document import Location
from pipeline.config.operators import draws_of, trials_of
from pipeline.config.reader import ReadContext, inside, read_entry
from pipeline.weights.cache import needs_of
from schemas import AudioRef, OperatorSpec
from stages.degradations import DEGRADATIONS, Degradation
from stages.operators.distributions import Constant, Distribution, OneOf
from stages.plan.chain import AnyPart, Branch, Chain, OneOfParts, SomeOfParts, Step
from stages.restorers import RESTORERS

RECORDINGS = tuple(
    AudioRef(pool="any", id=f"any {n}", digest=f"{n:064x}", sample_rate=16_000, num_samples=16_000)
    for n in range(64)
)
"""What is drawn when settings are tried: there are no pools yet."""
NOTHING: Mapping[str, Any] = {"chain": []}
"""An entry that is right, where others may be wrong."""


class ChainReader:
    """Reads the entries of a chain."""

    def __init__(self, pools: Iterable[str], context: ReadContext) -> None:
        self._pools = tuple(pools)
        self._context = context
        self.is_whole = True
        """Whether every entry so far could be read."""

    def parts(self, items: Iterable[tuple[Location, Any]]) -> tuple[AnyPart, ...]:
        """Return what the entries mean, as far as they can be read."""
        return tuple(part for _, part in self._read(items, weights=False))

    def _read(
        self, items: Iterable[tuple[Location, Any]], *, weights: bool
    ) -> list[tuple[PartSettings, AnyPart]]:
        found = []
        for location, item in items:
            entry = entry_of(item)
            part = None if entry is None else self._part(location, entry)
            if entry is None or part is None:
                self.is_whole = False
                continue
            for kind in entry.when.kinds if entry.when else ():
                self._context.knows((*location, "when"), kind, DEGRADATIONS)
            if not weights and "weight" in (item if isinstance(item, dict) else entry.model_fields_set):
                self._context.problems.add(
                    (*location, "weight"), "a weight counts only for members of one_of and some_of"
                )
            found.append((entry, part))
        return found

    def _part(self, location: Location, entry: PartSettings) -> AnyPart | None:
        with self._context.problems.at(location):
            match entry:
                case StepEntry():
                    return self._step(location, entry)
                case ChainEntry():
                    return self._chain(location, entry)
                case OneOfEntry():
                    return self._one_of(location, entry)
                case SomeOfEntry():
                    return self._some_of(location, entry)
        return None

    def _step(self, location: Location, entry: StepEntry) -> Step | None:
        if not self._context.knows((*location, "kind"), entry.kind, DEGRADATIONS):
            return None
        member = DEGRADATIONS[entry.kind]
        with self._context.problems.at(location, member):
            draws = draws_of(member, location, entry, self._context)
            if draws is None:
                return None
            draws = {
                name: self._pin_inside(location, draw)
                if member.model_fields[name].annotation is OperatorSpec
                else draw
                for name, draw in draws.items()
            }
            step = Step(kind=entry.kind, probability=entry.probability, when=entry.when, draws=draws)
            self._check_pools(location, step)
            examples = _examples(step)
            if len(needs_of(examples)) > 1:
                raise ValueError(
                    f"what is drawn for {entry.kind} asks for one of several weights; make each a step of "
                    "its own, in one_of"
                )
            return _pin_step(step, examples[-1], self._context.make_ready(location, examples[-1]))
        return None

    def _pin_inside(self, location: Location, draw: Distribution) -> Distribution:
        """Return how a restorer within a degradation is drawn, each known by the digests of its files."""
        match draw:
            case Constant():
                return Constant(value=self._pin_spec(location, draw.value))
            case OneOf():
                values = tuple(self._pin_spec(location, value) for value in draw.values)
                return draw.model_copy(update={"values": values})
        return draw

    def _pin_spec(self, location: Location, value: JsonValue) -> JsonValue:
        operator = RESTORERS.build(OperatorSpec.model_validate(value))
        pinned = self._context.make_ready(location, operator)
        return value if pinned == operator else pinned.spec.model_dump(mode="json")

    def _check_pools(self, location: Location, step: Step) -> None:
        known = ", ".join(self._pools) or "none"
        for pool in sorted(step.pools - set(self._pools)):
            self._context.problems.add(
                location, f"draws from the pool {pool!r}, which 'pools' does not have; it has: {known}"
            )

    def _chain(self, location: Location, entry: ChainEntry) -> Chain | None:
        members = self._members((*location, "chain"), entry.chain, weights=False)
        if members is None:
            return None
        parts = tuple(branch.part for branch in members)
        return Chain(parts=parts, order=entry.order, probability=entry.probability, when=entry.when)

    def _one_of(self, location: Location, entry: OneOfEntry) -> OneOfParts | None:
        branches = self._members((*location, "one_of"), entry.one_of, weights=True)
        if not branches:
            return None
        return OneOfParts(branches=branches, probability=entry.probability, when=entry.when)

    def _some_of(self, location: Location, entry: SomeOfEntry) -> SomeOfParts | None:
        content: Any = entry.some_of
        members = self._members((*location, "some_of", "members"), inside(content, "members"), weights=True)
        without = {**content, "members": [NOTHING]} if isinstance(content, dict) else content
        known = read_entry(without, Members)
        if not members or known is None:
            return None
        return SomeOfParts(
            counts=tuple(known.counts.get(number, 0.0) for number in range(max(known.counts) + 1)),
            members=members,
            order=entry.order,
            probability=entry.probability,
            when=entry.when,
        )

    def _members(self, location: Location, items: Any, *, weights: bool) -> tuple[Branch, ...] | None:
        """Return the members of a group; None if one of them cannot be read."""
        if not isinstance(items, list | tuple):
            return None
        placed: Sequence[tuple[Location, Any]] = [((*location, i), item) for i, item in enumerate(items)]
        found = self._read(placed, weights=weights)
        if len(found) < len(items):
            return None
        return tuple(Branch(weight=entry.weight, part=part) for entry, part in found)


def entry_of(item: Any) -> PartSettings | None:
    """Return an entry without the keys that are wrong, its members as they are given; None if it is none."""
    if isinstance(item, PartSettings):
        return item
    form = form_of(item)
    if form == "kind":
        return read_entry(item, StepEntry)
    known = {key: value for key, value in item.items() if key in ChainEntry.model_fields}
    settings = read_entry({**known, **NOTHING}, ChainEntry)
    return ENTRIES[form].model_construct(**{**dict(settings or ()), form: item[form]})


def example_of(step: Step) -> Degradation:
    """Return the degradation of a step as it might be drawn."""
    return _examples(step)[0]


def _examples(step: Step) -> list[Degradation]:
    member, any_pools = DEGRADATIONS[step.kind], dict.fromkeys(step.pools, RECORDINGS)
    return [member.drawn(rng, any_pools, step.draws) for rng in trials_of(step.distributions)]


def _pin_step(step: Step, tried: Degradation, pinned: Degradation) -> Step:
    """Return the step with the digests of the files that it names, as constants like any other setting."""
    digests = {
        name: Constant(value=getattr(pinned, name))
        for name in type(tried).model_fields
        if getattr(pinned, name) != getattr(tried, name)
    }
    return step.model_copy(update={"draws": {**step.draws, **digests}}) if digests else step
