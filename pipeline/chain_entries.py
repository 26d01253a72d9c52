"""From the entries of a chain to the chain: groups and steps, however deep, all mistakes at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from pipeline.chain_config import Members, PartSettings, StepEntry, form_of
from pipeline.operator_entries import TRIALS, draws_of
from pipeline.places import Location
from pipeline.reading import Reading
from pipeline.sections import readable
from pipeline.weights_needed import needed_by
from schemas import AudioRef, OperatorSpec
from stages.chain import AnyPart, Branch, Chain, OneOfParts, SomeOfParts, Step
from stages.degradations import DEGRADATIONS, Degradation
from stages.distributions import Constant, Distribution, OneOf
from stages.restorers import RESTORERS
from stages.rng import rng_for

RECORDINGS = tuple(
    AudioRef(pool="any", id=f"any {n}", digest=f"{n:064x}", sample_rate=16_000, num_samples=16_000)
    for n in range(64)
)
"""What is drawn when settings are tried: there are no pools yet."""


class ChainReader:
    """Reads the entries of a chain."""

    def __init__(self, pools: Iterable[str], reading: Reading) -> None:
        self._pools = tuple(pools)
        self._reading = reading
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
            settings = readable(item, PartSettings) if isinstance(item, dict) else None
            part = None if settings is None else self._part(location, item, settings)
            if settings is None or part is None:
                self.is_whole = False
                continue
            self._check_condition(location, settings)
            if "weight" in item and not weights:
                self._reading.problems.add(
                    (*location, "weight"), "a weight counts only for members of one_of and some_of"
                )
            found.append((settings, part))
        return found

    def _part(self, location: Location, item: Mapping[str, Any], settings: PartSettings) -> AnyPart | None:
        with self._reading.problems.at(location):
            match form_of(item):
                case "kind":
                    return self._step(location, item)
                case "chain":
                    return self._chain(location, item, settings)
                case "one_of":
                    return self._one_of(location, item, settings)
                case "some_of":
                    return self._some_of(location, item, settings)
        return None

    def _step(self, location: Location, item: Mapping[str, Any]) -> Step | None:
        entry = readable(item, StepEntry)
        if entry is None:
            return None
        problems = self._reading.problems
        if entry.kind not in DEGRADATIONS:
            if self._reading.all_known:
                problems.add((*location, "kind"), DEGRADATIONS.unknown(entry.kind))
            return None
        member = DEGRADATIONS[entry.kind]
        with problems.at(location, member):
            draws = draws_of(member, location, entry, self._reading)
            if draws is None:
                return None
            draws = {
                name: self._pinned_inside(location, draw)
                if member.model_fields[name].annotation is OperatorSpec
                else draw
                for name, draw in draws.items()
            }
            step = Step(kind=entry.kind, probability=entry.probability, when=entry.when, draws=draws)
            self._check_pools(location, step)
            any_pools = dict.fromkeys(step.pools, RECORDINGS)
            trials = [member.drawn(rng_for(trial, "check"), any_pools, step.draws) for trial in range(TRIALS)]
            if len(needed_by(trials)) > 1:
                raise ValueError(
                    f"what is drawn for {entry.kind} asks for one of several weights; make each a step of "
                    "its own, in one_of"
                )
            return _pinned(step, trials[-1], self._reading.ready(location, trials[-1]))
        return None

    def _pinned_inside(self, location: Location, draw: Distribution) -> Distribution:
        """Return how a restorer within a degradation is drawn, each known by the digests of its files."""
        match draw:
            case Constant():
                return Constant(value=self._pinned_spec(location, draw.value))
            case OneOf():
                values = tuple(self._pinned_spec(location, value) for value in draw.values)
                return draw.model_copy(update={"values": values})
        return draw

    def _pinned_spec(self, location: Location, value: JsonValue) -> JsonValue:
        operator = RESTORERS.build(OperatorSpec.model_validate(value))
        pinned = self._reading.ready(location, operator)
        return value if pinned == operator else pinned.spec.model_dump(mode="json")

    def _check_pools(self, location: Location, step: Step) -> None:
        known = ", ".join(self._pools) or "none"
        for pool in sorted(step.pools - set(self._pools)):
            self._reading.problems.add(
                location, f"draws from the pool {pool!r}, which 'pools' does not have; it has: {known}"
            )

    def _check_condition(self, location: Location, settings: PartSettings) -> None:
        named = settings.when.kinds if settings.when and self._reading.all_known else ()
        for kind in named:
            if kind not in DEGRADATIONS:
                self._reading.problems.add((*location, "when"), DEGRADATIONS.unknown(kind))

    def _chain(self, location: Location, item: Mapping[str, Any], settings: PartSettings) -> Chain | None:
        members = self._members((*location, "chain"), item["chain"], weights=False)
        if members is None:
            return None
        parts = tuple(branch.part for branch in members)
        return Chain(parts=parts, order=settings.order, probability=settings.probability, when=settings.when)

    def _one_of(
        self, location: Location, item: Mapping[str, Any], settings: PartSettings
    ) -> OneOfParts | None:
        branches = self._members((*location, "one_of"), item["one_of"], weights=True)
        if not branches:
            return None
        return OneOfParts(branches=branches, probability=settings.probability, when=settings.when)

    def _some_of(
        self, location: Location, item: Mapping[str, Any], settings: PartSettings
    ) -> SomeOfParts | None:
        content = item["some_of"]
        if not isinstance(content, dict):
            return None
        members = self._members((*location, "some_of", "members"), content.get("members"), weights=True)
        counts = readable({**content, "members": [{"chain": []}]}, Members)
        if not members or counts is None:
            return None
        return SomeOfParts(
            counts=tuple(counts.counts.get(number, 0.0) for number in range(max(counts.counts) + 1)),
            members=members,
            order=settings.order,
            probability=settings.probability,
            when=settings.when,
        )

    def _members(self, location: Location, items: Any, *, weights: bool) -> tuple[Branch, ...] | None:
        """Return the members of a group; None if one of them cannot be read."""
        if not isinstance(items, list):
            return None
        placed: Sequence[tuple[Location, Any]] = [((*location, i), item) for i, item in enumerate(items)]
        found = self._read(placed, weights=weights)
        if len(found) < len(items):
            return None
        return tuple(Branch(weight=settings.weight, part=part) for settings, part in found)


def tried(step: Step) -> Degradation:
    """Return the degradation of a step as it might be drawn."""
    any_pools = dict.fromkeys(step.pools, RECORDINGS)
    return DEGRADATIONS[step.kind].drawn(rng_for(0, "check"), any_pools, step.draws)


def _pinned(step: Step, tried: Degradation, pinned: Degradation) -> Step:
    """Return the step with the digests of the files that it names, as constants like any other setting."""
    digests = {
        name: Constant(value=getattr(pinned, name))
        for name in type(tried).model_fields
        if getattr(pinned, name) != getattr(tried, name)
    }
    return step.model_copy(update={"draws": {**step.draws, **digests}}) if digests else step
