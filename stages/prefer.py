"""From scores to pairs: the unanimous comparisons of one degraded utterance that vetoes and rule leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schemas import Outcome, Pair, Preference, Reason, Removal, Status
from stages.pair_rules import PairRule
from stages.stage import Stage
from stages.unanimity import Criterion, Verdict
from stages.verdicts import Ballot, Indices, Verdicts, pairs_of, verdicts_of
from stages.vetoes import Veto

VERSION = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides on pairs."""

    criteria: Sequence[Criterion]
    pairs: PairRule = field(default_factory=PairRule)
    vetoes: Sequence[Veto] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that are looked at, each once: those that vote come first."""
        named = [*(c.metric for c in self.criteria), *(veto.score for veto in self.vetoes if veto.score)]
        return tuple(dict.fromkeys(named))

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of what is looked at beside scores: facts of takes, which their models' tables hold."""
        return tuple(dict.fromkeys(veto.looks_at for veto in self.vetoes if not veto.score))


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on one degraded utterance, its pairs as places in arrays."""

    found: Verdicts
    removed: tuple[Removal, ...]
    kept: Indices
    """Which of the unanimous pairs stay, the clearest first."""


class PreferStage(Stage[Ballot, Preference]):
    """Compare every two candidates and keep the pairs on which all criteria agree and no veto falls."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @property
    def votes(self) -> tuple[str, ...]:
        """The scores that vote."""
        return tuple(criterion.metric for criterion in self._rules.criteria)

    def name_of(self, record: Ballot) -> str:
        """Return the name of the degraded utterance."""
        return record.id

    def batches(self, records: Sequence[Ballot]) -> Iterator[Sequence[Ballot]]:
        """Take all at once: a decision costs less than a note of it."""
        if records:
            yield records

    def process(self, batch: Sequence[Ballot]) -> list[Preference]:
        """Return the preference of each degraded utterance."""
        return [self._preference(ballot) for ballot in batch]

    def _preference(self, ballot: Ballot) -> Preference:
        decision = self.decide(ballot)
        if decision is None:
            return self.row(ballot, None)
        return self.row(
            ballot, decision, pairs_of(ballot, self._rules.criteria, decision.found, decision.kept)
        )

    def decide(self, ballot: Ballot) -> Decision | None:
        """Return what is decided on the candidates of one degraded utterance; None if it has none."""
        if not ballot.models:
            return None
        rules = self._rules
        found = verdicts_of(ballot, rules.criteria, *rules.pairs.comparisons(ballot.models))
        sound, removed = self._examined(ballot, found)
        return Decision(found, removed, self._kept(ballot, found, sound))

    def row(self, ballot: Ballot, decision: Decision | None, pairs: tuple[Pair, ...] = ()) -> Preference:
        """Return a decision as a row, with its counts and these pairs."""
        if decision is None:
            reason = Reason.NO_VALUE_UPSTREAM
            return self.without_value(ballot, Outcome(status=Status.SKIPPED, reason=reason))
        votes = np.stack([ballot.scores[vote] for vote in self.votes])
        counts = decision.found.counts
        return Preference(
            id=ballot.id,
            num_candidates=len(ballot.models),
            num_complete=int((~np.isnan(votes)).all(axis=0).sum()),
            num_comparisons=sum(counts.values()),
            num_unanimous=counts[Verdict.UNANIMOUS],
            num_within_margin=counts[Verdict.WITHIN_MARGIN],
            num_disagreed=counts[Verdict.DISAGREED],
            num_missing_vote=counts[Verdict.MISSING_VOTE],
            removed=decision.removed,
            pairs=pairs,
        )

    def without_value(self, record: Ballot, outcome: Outcome) -> Preference:
        """Return a preference without pairs that says why."""
        return Preference(id=record.id, **outcome.fields)

    def _examined(self, ballot: Ballot, found: Verdicts) -> tuple[NDArray[np.bool_], tuple[Removal, ...]]:
        """Return which pairs nothing speaks against, and how many each rule or veto took away."""
        sound = np.ones(found.chosen.size, dtype=bool)
        removed = []
        for label, refused in self._objections(ballot, found):
            if number := int((sound & refused).sum()):
                removed.append(Removal(by=label, pairs=number))
            sound &= ~refused
        return sound, tuple(removed)

    def _objections(self, ballot: Ballot, found: Verdicts) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Walk what may be said against pairs, and against which of them it is said."""
        winners = np.array(ballot.models)[found.chosen]
        for model in dict.fromkeys(ballot.models):
            if not self._rules.pairs.may_win(model):
                yield f"{model} chosen", winners == model
        for veto in self._rules.vetoes:
            yield veto.label, veto.refuses(ballot, found.chosen, found.rejected)

    def _kept(self, ballot: Ballot, found: Verdicts, sound: NDArray[np.bool_]) -> Indices:
        """Return which of the unanimous pairs the rule keeps, in its order."""
        places = np.flatnonzero(sound)
        models = np.array(ballot.models)
        chosen, rejected = (models[side[places]].tolist() for side in (found.chosen, found.rejected))
        kept: Indices = places[self._rules.pairs.kept(found.strengths[places], chosen, rejected)]
        return kept
