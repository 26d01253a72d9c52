"""From scores to pairs: the unanimous comparisons of one degraded utterance that vetoes and rule leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, InstanceOf

from schemas import ComparisonCounts, Outcome, Reason, Removal, Status
from stages.prefer.comparisons import NO_PAIRS, CandidateScores, Indices, PairColumns, compare_candidates
from stages.prefer.criteria import ComparisonOutcome, Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.vetoes import Veto
from stages.stage import Stage

VERSION = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides on pairs."""

    criteria: Sequence[Criterion]
    pairs: PairRule = field(default_factory=PairRule)
    vetoes: Sequence[Veto] = ()

    @property
    def votes(self) -> tuple[str, ...]:
        """The scores that vote."""
        return tuple(criterion.metric for criterion in self.criteria)

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that are looked at, each once: those that vote come first."""
        named = [*self.votes, *(veto.score for veto in self.vetoes if veto.score)]
        return tuple(dict.fromkeys(named))

    @property
    def facts(self) -> tuple[str, ...]:
        """Names of what is looked at beside scores: facts of takes, which their models' tables hold."""
        return tuple(dict.fromkeys(veto.looks_at for veto in self.vetoes if not veto.score))


class Choice(ComparisonCounts):
    """What was decided on one degraded utterance: a preference whose pairs are columns.

    A record of every pair and vote would take most of the time of deciding.
    """

    candidates: InstanceOf[CandidateScores] = Field(exclude=True)
    kept: InstanceOf[PairColumns] = Field(exclude=True)
    """The pairs that stay, the clearest first."""

    @property
    def sides(self) -> list[tuple[tuple[str, int], tuple[str, int]]]:
        """Chosen and rejected of each pair that stays, as model and take."""
        candidates = list(zip(self.candidates.models, self.candidates.takes, strict=True))
        both = zip(self.kept.chosen, self.kept.rejected, strict=True)
        return [(candidates[chosen], candidates[rejected]) for chosen, rejected in both]


class PreferStage(Stage[CandidateScores, Choice]):
    """Compare every two candidates and keep the pairs on which all criteria agree and no veto falls."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def name_of(self, record: CandidateScores) -> str:
        """Return the name of the degraded utterance."""
        return record.id

    def batches(self, records: Sequence[CandidateScores]) -> Iterator[Sequence[CandidateScores]]:
        """Take all at once: a decision costs less than a note of it."""
        if records:
            yield records

    def process(self, batch: Sequence[CandidateScores]) -> list[Choice]:
        """Return what is decided on each degraded utterance."""
        return [self._decided(candidates) for candidates in batch]

    def without_value(self, record: CandidateScores, outcome: Outcome) -> Choice:
        """Return a decision without pairs that says why."""
        return Choice(id=record.id, candidates=record, kept=NO_PAIRS, **outcome.fields)

    def _decided(self, candidates: CandidateScores) -> Choice:
        if not candidates.models:
            nobody = Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM)
            return self.without_value(candidates, nobody)
        rules = self._rules
        found = compare_candidates(candidates, rules.criteria, *rules.pairs.comparisons(candidates.models))
        sound, removed = self._examine(candidates, found.unanimous)
        votes = np.stack([candidates.scores[vote] for vote in rules.votes])
        return Choice(
            id=candidates.id,
            num_candidates=len(candidates.models),
            num_same_audio=candidates.num_same_audio,
            num_complete=int((~np.isnan(votes)).all(axis=0).sum()),
            num_comparisons=sum(found.counts.values()),
            num_unanimous=found.counts[ComparisonOutcome.UNANIMOUS],
            num_within_margin=found.counts[ComparisonOutcome.WITHIN_MARGIN],
            num_disagreed=found.counts[ComparisonOutcome.DISAGREED],
            num_missing_vote=found.counts[ComparisonOutcome.MISSING_VOTE],
            removed=removed,
            candidates=candidates,
            kept=found.unanimous.at(self._apply_rule(candidates, found.unanimous, sound)),
        )

    def _examine(
        self, candidates: CandidateScores, pairs: PairColumns
    ) -> tuple[NDArray[np.bool_], tuple[Removal, ...]]:
        """Return which pairs nothing speaks against, and how many each rule or veto took away."""
        sound = np.ones(len(pairs), dtype=bool)
        removed = []
        for label, refused in self._objections(candidates, pairs):
            if number := int((sound & refused).sum()):
                removed.append(Removal(by=label, pairs=number))
            sound &= ~refused
        return sound, tuple(removed)

    def _objections(
        self, candidates: CandidateScores, pairs: PairColumns
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Walk what may be said against pairs, and against which of them it is said."""
        winners = np.array(candidates.models)[pairs.chosen]
        for model in dict.fromkeys(candidates.models):
            if not self._rules.pairs.may_win(model):
                yield f"{model} chosen", winners == model
        for veto in self._rules.vetoes:
            yield veto.label, veto.refuses(candidates, pairs.chosen, pairs.rejected)

    def _apply_rule(
        self, candidates: CandidateScores, pairs: PairColumns, sound: NDArray[np.bool_]
    ) -> Indices:
        """Return which of the sound pairs the rule keeps, in its order."""
        places = np.flatnonzero(sound)
        models = np.array(candidates.models)
        chosen, rejected = (models[side[places]].tolist() for side in (pairs.chosen, pairs.rejected))
        kept: Indices = places[self._rules.pairs.select(pairs.strengths[places], chosen, rejected)]
        return kept
