"""A config rewritten: stand-ins in the places of operators without weights, and of their votes.

It is done before the config is read, so that all that follows (checks, hash, tables, card) knows only what is
in the run. Mistakes keep their places in the file.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pipeline.config.document import Document, Location
from pipeline.config.files import install_listed_modules
from pipeline.config.operators import metrics_of, restorers_of
from pipeline.config.preference import outputs_of
from pipeline.config.problems import Problems, suggest
from pipeline.config.reader import PartialConfig, ReadContext, inside
from pipeline.config.schema import (
    CriterionEntry,
    MetricEntry,
    MetricStandIn,
    RestorerEntry,
    RestorerStandIn,
)
from pipeline.config.stand_ins import LEAVE_OUT, Decide, StandIn
from pipeline.weights.cache import Need, needs_of
from stages.operators.metric import Output

_Entry: TypeAlias = MetricEntry | RestorerEntry
_Located = tuple[Location, _Entry]


def substitute(document: Document, base: Path, decide: Decide) -> tuple[StandIn, ...]:
    """Put those stand-ins into the document that ``decide`` is for; return all that it decided on.

    Of a stand-in that cannot be one, the document is told, and nothing is changed.
    """
    found = PartialConfig(document.data)
    everything: list[_Located] = [*found.restorers, *found.metrics]
    entries = [(place, entry) for place, entry in everything if entry.without_weights is not None]
    if not entries:
        return ()
    install_listed_modules(base, found.operators, Problems(document))
    looked_at = [_look_at(base, document, place, entry) for place, entry in entries]
    decided = [each.model_copy(update={"is_used": decide(each)}) for each in looked_at]
    used = [located for located, each in zip(entries, decided, strict=True) if each.is_used]
    rewrite = _Rewrite(document, base, dict(everything))
    swaps = [rewrite.swap_of(place, entry) for place, entry in used]
    if not document.refused:
        rewrite.apply(swaps)
    return tuple(decided)


def _look_at(base: Path, document: Document, place: Location, entry: _Entry) -> StandIn:
    other = entry.without_weights
    needs = _needs_of(base, document, place, entry)
    return StandIn(
        family=_family_of(entry),
        name=entry.called,
        stand_in=other.called if isinstance(other, MetricStandIn | RestorerStandIn) else LEAVE_OUT,
        weights=tuple(needs),
        are_here=not any(need.weights.missing for need in needs.values()),
    )


def _family_of(entry: _Entry) -> Literal["restorer", "metric"]:
    return "metric" if isinstance(entry, MetricEntry) else "restorer"


def _needs_of(base: Path, document: Document, place: Location, entry: _Entry) -> Mapping[str, Need]:
    """Return the published weights of an entry, and of the operators within it, as far as it can be built."""
    context = ReadContext(base, Problems(document), needs_weights=False)
    if isinstance(entry, MetricEntry):
        metrics_of([(place, entry)], context)
    else:
        restorers_of([(place, entry)], context)
    return needs_of(context.operators)


@dataclass
class _Swap:
    """One operator, and what takes its place."""

    place: Location
    entry: _Entry
    other: _Entry | None
    """None where it is left out."""
    is_there: bool = False
    """Whether what takes its place is in the config in any case."""
    scores: dict[str, CriterionEntry | None] = field(default_factory=dict)
    """For each of its scores the one in its place, None if nothing is."""
    lost: list[str] = field(default_factory=list)
    """Scores of vetoes that are left out."""
    voted: list[str] = field(default_factory=list)
    """Scores that had a vote."""

    @property
    def called(self) -> str | None:
        """The name of what takes its place."""
        return None if self.other is None else self.other.called

    @property
    def described(self) -> str:
        """What became of it, for people."""
        said = "its weights were not here when the run began; "
        said += "it is left out" if self.called is None else f"{self.called} stands in"
        if self.voted:
            votes = dict.fromkeys(new.metric for name in self.voted if (new := self.scores[name]) is not None)
            how = f"{', '.join(votes)} voting" if votes else "nothing voting"
            said += f", {how} in place of {', '.join(self.voted)}"
        return said + (f"; no veto looks at {', '.join(self.lost)}" if self.lost else "")


class _Rewrite:
    """Changes to one document; ``before`` is how it was, for the places of mistakes."""

    def __init__(self, document: Document, base: Path, entries: Mapping[Location, _Entry]) -> None:
        self._document = document
        self._before = copy.deepcopy(document)
        self._base = base
        self._entries = entries

    def swap_of(self, place: Location, entry: _Entry) -> _Swap:
        """Return what takes the place of an entry; the document is told if that cannot be."""
        given, at = entry.without_weights, (*place, "without_weights")
        if not isinstance(given, MetricStandIn | RestorerStandIn):
            scores = dict.fromkeys(self._outputs(place, entry), None)
            return _Swap(place, entry, None, scores=dict(scores))
        said = given.model_dump(exclude={"scores"}, exclude_unset=True)
        other = type(entry).model_validate(said)
        there = self._entry_called(other.called, place)
        if there is not None and not _is_the_same(said, there):
            self._refuse(
                at,
                f"{other.called!r} is in the config with other settings; give this one a 'name' of its own, "
                "or say only its kind and name",
            )
        self._entries = {**self._entries, at: other} if there is None else self._entries
        if needs := _needs_of(self._base, self._document, at, there or other):
            self._refuse(
                at,
                f"{other.called} needs weights too ({', '.join(needs)}); name one that needs none, or say "
                f"{LEAVE_OUT}",
            )
        swap = _Swap(place, entry, other, is_there=there is not None)
        if isinstance(given, MetricStandIn):
            self._match_scores(swap, given, there or other)
        return swap

    def _entry_called(self, name: str, place: Location) -> _Entry | None:
        """Return another entry of a name in the family of ``place``, or what stands in there."""
        same = (
            e for at, e in self._entries.items() if at[0] == place[0] and at != place and e.called == name
        )
        return next(same, None)

    def _match_scores(self, swap: _Swap, given: MetricStandIn, other: _Entry) -> None:
        own, others = self._outputs(swap.place, swap.entry), self._outputs(swap.place, other)
        at = (*swap.place, "without_weights")
        for name in given.scores.keys() - own.keys():
            self._document.refused[*at, "scores", name] = (
                f"{swap.entry.called} gives no {name!r}; {suggest(name, own)}"
            )
        for name, output in own.items():
            said = given.scores.get(name)
            swap.scores[name] = CriterionEntry(metric=said) if isinstance(said, str) else said
            if said is None and others:
                swap.scores[name] = _closest(output, others)
        voting = {_name_of(item) for item in self._items("preference", "criteria")}
        unclear = [name for name in own if name in voting and swap.scores[name] is None]
        if unclear and others:
            self._refuse(
                at,
                f"which score of {other.called} votes in place of {unclear[0]}? Say it with 'scores: "
                f"{{{unclear[0]}: …}}'; there are: {', '.join(others)}",
            )

    def _refuse(self, place: Location, why: str) -> None:
        self._document.refused.setdefault(place, why)

    def _outputs(self, place: Location, entry: _Entry) -> Mapping[str, Output]:
        if not isinstance(entry, MetricEntry):
            return {}
        context = ReadContext(self._base, Problems(self._document), needs_weights=False)
        return outputs_of(metrics_of([(place, entry)], context))

    def _items(self, *location: str | int) -> Sequence[Any]:
        found = self._document.data
        for part in location:
            found = inside(found, part)
        return found if isinstance(found, list) else []

    def apply(self, swaps: Sequence[_Swap]) -> None:
        """Rewrite entries, votes, vetoes, held-out scores and names; note what stands in for what."""
        if not swaps:
            return
        for family in ("restorers", "metrics"):
            self._put_entries(family, {s.place[1]: s for s in swaps if s.place[0] == family})
        scores = {name: (swap, new) for swap in swaps for name, new in swap.scores.items()}
        self._put_criteria(scores)
        self._drop_vetoes(scores)
        self._put_names(
            ("preference", "held_out"),
            {
                **{name: swap.called if new is None else new.metric for name, (swap, new) in scores.items()},
                **_names_of(swaps, "metrics"),
            },
        )
        self._put_names(("preference", "pairs", "never_chosen"), _names_of(swaps, "restorers"))
        noted = {f"{_family_of(swap.entry)} {swap.entry.called}": swap.described for swap in swaps}
        self._document.data["stand_ins"] = noted

    def _put_entries(self, family: str, swaps: Mapping[str | int, _Swap]) -> None:
        kept: list[tuple[Any, Location]] = []
        for index, item in enumerate(self._items(family)):
            swap = swaps.get(index)
            if swap is None:
                kept.append((item, (family, index)))
            elif swap.other is not None and not swap.is_there:
                new = {key: value for key, value in item["without_weights"].items() if key != "scores"}
                kept.append((new, (family, index, "without_weights")))
        self._put((family,), kept)

    def _put_criteria(self, scores: Mapping[str, tuple[_Swap, CriterionEntry | None]]) -> None:
        place = ("preference", "criteria")
        items = self._items(*place)
        taken = {name for item in items if (name := _name_of(item)) not in scores}
        kept: list[tuple[Any, Location]] = []
        for index, item in enumerate(items):
            name = _name_of(item)
            if name not in scores:
                kept.append((item, (*place, index)))
                continue
            swap, new = scores[name]
            swap.voted.append(name)
            if new is not None and new.metric not in taken:
                taken.add(new.metric)
                kept.append((new.model_dump(exclude_unset=True), (*place, index)))
        self._put(place, kept)

    def _drop_vetoes(self, scores: Mapping[str, tuple[_Swap, CriterionEntry | None]]) -> None:
        """Leave out the vetoes on scores that are not there: a bound on one score is none on another."""
        place = ("preference", "vetoes")
        kept: list[tuple[Any, Location]] = []
        for index, item in enumerate(self._items(*place)):
            name = str(inside(item, "score"))
            if name in scores:
                scores[name][0].lost.append(name)
            else:
                kept.append((item, (*place, index)))
        self._put(place, kept)

    def _put_names(self, place: tuple[str, ...], names: Mapping[str, str | None]) -> None:
        """Say other names, each once, in a list of names."""
        kept: dict[str, Location] = {}
        for index, item in enumerate(self._items(*place)):
            new = names.get(item, item) if isinstance(item, str) else item
            if new is not None:
                kept.setdefault(new, (*place, index))
        self._put(place, list(kept.items()))

    def _put(self, place: tuple[str, ...], kept: Sequence[tuple[Any, Location]]) -> None:
        """Put items into a list that is there, each with where it stood."""
        there = self._items(*place)
        if not isinstance(there, list) or [item for item, _ in kept] == there:
            return
        there[:] = [item for item, _ in kept]
        for index, (_, origin) in enumerate(kept):
            self._document.set_by_move((*place, index), self._before, origin)


def _is_the_same(said: Mapping[str, Any], there: _Entry) -> bool:
    """Whether what is said of a stand-in fits an entry of its name that is in the config."""
    settings = {key: value for key, value in said.items() if key != "name"}
    own = there.model_dump(exclude={"name", "without_weights"}, exclude_unset=True)
    return settings in ({"kind": there.kind}, own)


def _closest(output: Output, others: Mapping[str, Output]) -> CriterionEntry | None:
    """Return the score that takes the place of one: the only one that may vote, or that of its aspect."""
    voting = [name for name, other in others.items() if other.votes]
    alike = [name for name in voting if others[name].aspect is output.aspect]
    found = voting if len(voting) == 1 else alike
    return CriterionEntry(metric=found[0]) if len(found) == 1 else None


def _names_of(swaps: Sequence[_Swap], family: str) -> dict[str, str | None]:
    """Return what is called how in place of the operators of a family."""
    return {swap.entry.called: swap.called for swap in swaps if swap.place[0] == family}


def _name_of(criterion: Any) -> str:
    return str(criterion if isinstance(criterion, str) else inside(criterion, "metric"))
