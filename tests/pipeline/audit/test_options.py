"""What many utterances at once promise: the very pairs, and counts, that the readable definition gives."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from hypothesis import given, settings

from pipeline.audit.ablation import Ablation
from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.audit.options import Mask, OrderedPairs
from stages.prefer.criteria import ComparisonOutcome, Criterion, judge
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import PreferStage, Rules
from stages.prefer.vetoes import Veto
from tests.support.candidate_batches import (
    ALL,
    MODELS,
    batch_of,
    chooser,
    chosen_among,
    rules,
    tables,
    vetoes,
)
from tests.support.candidate_scores import candidates_of

Table = Sequence[Sequence[Sequence[float]]]
Sides = tuple[str, int, str, int]


def kept_pairs(options: OrderedPairs, kept: Mask, row: int) -> set[Sides]:
    """Return chosen and rejected side of what is kept of one degraded utterance."""
    models, takes = options.batch.models, options.batch.takes
    return {
        (
            models[options.chosen[pair]],
            takes[options.chosen[pair]],
            models[options.rejected[pair]],
            takes[options.rejected[pair]],
        )
        for pair in np.flatnonzero(kept[row])
    }


def preferred(batch: CandidateBatch, row: int, of: Rules) -> set[Sides]:
    """Return the pairs that a run makes of one degraded utterance."""
    (found,) = PreferStage(of).process([batch.candidate_scores(row)])
    return {(*chosen, *rejected) for chosen, rejected in found.sides}


@settings(deadline=None, max_examples=50)
@given(tables, rules, vetoes)
def test_keeps_the_pairs_that_a_run_keeps(table: Table, rule: PairRule, vetoed: Sequence[Veto]) -> None:
    """Under any rule, cap, veto and list of those who may not win."""
    batch = batch_of(table)

    options, kept = chosen_among(chooser(rule, vetoed), batch)

    for row in range(len(table)):
        assert kept_pairs(options, kept, row) == preferred(batch, row, Rules(ALL, rule, vetoed))


@settings(deadline=None, max_examples=50)
@given(tables, rules, vetoes)
def test_leaves_out_one_criterion_after_the_other(
    table: Table, rule: PairRule, vetoed: Sequence[Veto]
) -> None:
    """The pairs are those of a run without it; the votes are those of the readable definition."""
    batch = batch_of(table)
    of = chooser(rule, vetoed)
    ablation = Ablation(of)

    ablation.add(*chosen_among(of, batch))

    for left_out, criterion in zip(ablation.walk_criteria(), ALL, strict=True):
        others = [other for other in ALL if other is not criterion]
        rows = range(len(table))
        now = {(row, *sides) for row in rows for sides in preferred(batch, row, Rules(ALL, rule, vetoed))}
        then = {(row, *sides) for row in rows for sides in preferred(batch, row, Rules(others, rule, vetoed))}
        assert left_out.criterion == criterion.metric
        assert left_out.pairs == len(then)
        assert (left_out.added, left_out.dropped) == (len(then - now), len(now - then))
        votes = sum((readable_votes(batch, row, criterion, others, rule) for row in rows), Counter[str]())
        assert left_out.model_dump(include={"agreed", "contradicted", "within_margin", "unmeasured"}) == {
            name: votes[name] for name in ("agreed", "contradicted", "within_margin", "unmeasured")
        }
        assert left_out.others_agree == votes.total()


def readable_votes(
    batch: CandidateBatch, row: int, criterion: Criterion, others: Sequence[Criterion], rule: PairRule
) -> Counter[str]:
    """Count how one criterion votes on the comparisons on which all others agree, two by two."""
    candidates = candidates_of(batch.candidate_scores(row))
    compared = set(zip(*(side.tolist() for side in rule.comparisons(MODELS)), strict=True))
    votes: Counter[str] = Counter()
    for a, b in combinations(range(len(candidates)), 2):
        outcome, pair = judge(candidates[a], candidates[b], others)
        if (a, b) not in compared or outcome is not ComparisonOutcome.UNANIMOUS or pair is None:
            continue
        first_is_chosen = (pair.chosen_model, pair.chosen_take) == (candidates[a].model, candidates[a].take)
        sides = (candidates[a], candidates[b]) if first_is_chosen else (candidates[b], candidates[a])
        scores = [side.scores.get(criterion.metric) for side in sides]
        if scores[0] is None or scores[1] is None:
            votes["unmeasured"] += 1
            continue
        advantage = criterion.advantage(scores[0], scores[1])
        votes[_named(advantage, criterion.margin)] += 1
    return votes


def _named(advantage: float, margin: float) -> str:
    if advantage > margin:
        return "agreed"
    return "contradicted" if advantage < -margin else "within_margin"


def test_one_criterion_cannot_be_left_out() -> None:
    """Nobody would then decide."""
    of = chooser(PairRule(), criteria=ALL[:1])

    assert not list(Ablation(of).walk_criteria())
