"""Batches of made-up scores, and the rules that choose among them."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from pipeline.audit.baselines import LEVEL_GAIN
from pipeline.audit.candidate_batches import CandidateBatch, Damage
from pipeline.audit.options import Chooser, Mask, OrderedPairs
from pipeline.audit.records import AuditedScore, ScoreRole
from stages.operators.metric import Better
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import Rules
from stages.prefer.vetoes import LENGTH_CHANGE, Veto

QUALITY = Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1)
DISTANCE = Criterion(metric="distance", better=Better.LOWER, margin=0.5, scale=0.25)
LIKENESS = Criterion(metric="likeness", better=Better.HIGHER)
ALL = (QUALITY, DISTANCE, LIKENESS)
MODELS = ("a", "a", "b", "clean", "identity")
OPINION = AuditedScore(name="opinion", better=Better.HIGHER, part=ScoreRole.HELD_OUT, noise_floor=0.2)

values = st.sampled_from([float("nan"), 0.0, 0.05, 0.1, 0.3, 0.7, 1.0, 2.0])
"""Few enough for ties, differences within margins, and missing votes."""
tables = st.integers(1, 3).flatmap(
    lambda rows: st.lists(
        st.lists(st.tuples(*[values] * 4), min_size=len(MODELS), max_size=len(MODELS)),
        min_size=rows,
        max_size=rows,
    )
)
"""Degraded utterance × candidate × score: those of ``ALL`` and the held-out one."""
rules = st.builds(
    PairRule,
    between=st.sampled_from(["any", "same_model", "across_models"]),
    max_per_utterance=st.sampled_from([None, 1, 2]),
    max_per_model_pair=st.sampled_from([None, 1]),
    clean_may_win=st.booleans(),
    never_chosen=st.sampled_from([(), ("identity",)]),
)
vetoes = st.sampled_from(
    [
        (),
        (Veto(score="quality", at_least=0.1),),
        (Veto(max_length_change_s=0.02, side="both"), Veto(score="opinion", at_most=1.0, unmeasured="pass")),
    ]
)
CHANGES_S = (0.0, -0.01, 0.02, -0.03, 0.05)
"""By how much candidates were made longer, one after the other."""
GAINS_DB = (1.0, 3.0, -2.0, 0.0, 0.0)
"""What brought candidates to the level of their input, one after the other."""


def audited(*criteria: Criterion) -> tuple[AuditedScore, ...]:
    """Return the criteria's scores, and the held-out one."""
    voting = [
        AuditedScore(name=c.metric, better=c.better, part=ScoreRole.VOTES, noise_floor=c.margin)
        for c in criteria
    ]
    return (*voting, OPINION)


def chooser(pair_rule: PairRule, vetoes: Sequence[Veto] = (), criteria: Sequence[Criterion] = ALL) -> Chooser:
    """Return what chooses by these rules."""
    return Chooser(Rules(criteria, pair_rule, vetoes), audited(*criteria))


def batch_of(
    table: Sequence[Sequence[Sequence[float]]],
    models: Sequence[str] = MODELS,
    criteria: Sequence[Criterion] = ALL,
    damages: Mapping[int, Damage] | None = None,
) -> CandidateBatch:
    """Return degraded utterances with these scores, each of an utterance of its own."""
    takes = tuple(models[:place].count(model) for place, model in enumerate(models))
    return CandidateBatch(
        ids=tuple(f"u{row}:0" for row in range(len(table))),
        utterances=np.arange(len(table)),
        damages=tuple((damages or {}).get(row, Damage((), None)) for row in range(len(table))),
        models=tuple(models),
        takes=takes,
        names=tuple(score.name for score in audited(*criteria)),
        scores=np.array(table, dtype=float).reshape(len(table), len(models), len(criteria) + 1),
        facts={
            LENGTH_CHANGE: np.resize(CHANGES_S, (len(table), len(models))),
            LEVEL_GAIN: np.resize(GAINS_DB, (len(table), len(models))),
        },
    )


def chosen_among(rules: Chooser, batch: CandidateBatch) -> tuple[OrderedPairs, Mask]:
    """Return the ordered pairs of a batch, and which of them the dataset would hold."""
    options = rules.ordered_pairs(batch)
    return options, rules.apply_rule(options, rules.all_votes, options.allowed)
