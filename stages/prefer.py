"""From scores to pairs: all unanimous comparisons of one degraded utterance, under the pair rule."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from pydantic import Field

from schemas import Outcome, Pair, Preference, Reason, Recipe, Record, Scored, Status
from stages.stage import Stage
from stages.unanimity import Candidate, Criterion, Verdict, judge, strength

VERSION = 1


class PairRule(Record):
    """Which comparisons are made, and how many unanimous pairs are kept."""

    between: Literal["any", "same_model", "across_models"] = "any"
    """Compare takes of one model with each other (GenSR-Pref's in-paradigm pairs), of two models, or both."""
    max_per_utterance: int | None = Field(default=None, ge=1)
    """Keep at most this many pairs per degraded utterance, those with the clearest narrowest vote first."""


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of one degraded utterance: those of each model by each metric."""

    recipe: Recipe
    scored: Sequence[Scored]


class PreferStage(Stage[Scores, Preference]):
    """Compare every two candidates and keep the pairs on which all criteria agree."""

    def __init__(self, criteria: Sequence[Criterion], rule: PairRule) -> None:
        self._criteria = criteria
        self._rule = rule

    def name_of(self, record: Scores) -> str:
        """Return the name of the degraded utterance."""
        return record.recipe.id

    def process(self, batch: Sequence[Scores]) -> list[Preference]:
        """Return the preference of each degraded utterance."""
        return [self._preference(record) for record in batch]

    def without_value(self, record: Scores, outcome: Outcome) -> Preference:
        """Return a preference without pairs that says why."""
        return Preference(id=record.recipe.id, **outcome.fields)

    def _preference(self, record: Scores) -> Preference:
        candidates = list(candidates_of(record.scored))
        if not candidates:
            reason = Reason.NO_VALUE_UPSTREAM
            return self.without_value(record, Outcome(status=Status.SKIPPED, reason=reason))
        verdicts: Counter[Verdict] = Counter()
        pairs: list[Pair] = []
        for a, b in combinations(candidates, 2):
            if not self._compares(a, b):
                continue
            verdict, pair = judge(a, b, self._criteria)
            verdicts[verdict] += 1
            if pair is not None:
                pairs.append(pair)
        return Preference(
            id=record.recipe.id,
            num_candidates=len(candidates),
            num_complete=sum(all(c.metric in x.scores for c in self._criteria) for x in candidates),
            num_comparisons=verdicts.total(),
            num_unanimous=verdicts[Verdict.UNANIMOUS],
            num_within_margin=verdicts[Verdict.WITHIN_MARGIN],
            num_disagreed=verdicts[Verdict.DISAGREED],
            num_missing_vote=verdicts[Verdict.MISSING_VOTE],
            pairs=self._kept(pairs),
        )

    def _compares(self, a: Candidate, b: Candidate) -> bool:
        if self._rule.between == "any":
            return True
        return (a.model == b.model) == (self._rule.between == "same_model")

    def _kept(self, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
        # a stable sort: equal strengths stay in the order of models and takes
        ranked = sorted(pairs, key=lambda pair: -strength(pair, self._criteria))
        return tuple(ranked[: self._rule.max_per_utterance])


def candidates_of(scored: Sequence[Scored]) -> Iterator[Candidate]:
    """Gather the candidates and their scores; takes that are no candidate of their own are left out."""
    gathered: dict[tuple[str, int], dict[str, float]] = {}
    for row in scored:
        for take in row.takes:
            if any(score.status is not Status.SKIPPED for score in take.scores):
                scores = gathered.setdefault((row.model, take.take), {})
                scores.update({s.name: s.value for s in take.scores if s.value is not None})
    for (model, take_number), scores in gathered.items():
        yield Candidate(model, take_number, scores)
