"""What judging by a held-out score promises: the same number of pairs for everybody, and honest intervals."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.audit.bootstrap import BOOTSTRAP_RESAMPLES, Bootstrap, interval_of
from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.audit.options import Chooser
from pipeline.audit.records import Judgement
from pipeline.audit.win_rates import WinRates
from schemas.rows import CLEAN
from stages.operators.rng import rng_for
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import PreferStage, Rules
from stages.prefer.vetoes import Veto
from tests.support.candidate_batches import (
    ALL,
    LIKENESS,
    MODELS,
    QUALITY,
    audited,
    batch_of,
    chooser,
    chosen_among,
    rules,
    tables,
    vetoes,
)

Table = Sequence[Sequence[Sequence[float]]]
TWO = (QUALITY, LIKENESS)


def judged(of: Chooser, batches: Sequence[CandidateBatch]) -> dict[tuple[str, str], Judgement]:
    """Return the judgements by selection and score, every batch a shard of its own."""
    numbers = [int(batch.utterances.max(initial=-1)) + 1 for batch in batches]
    win_rates = WinRates(of, audited(*of.rules.criteria), Bootstrap(sum(numbers)))
    for batch, number in zip(batches, numbers, strict=True):
        win_rates.add([chosen_among(of, batch)], number)
    return {(found.selection, found.score): found for found in win_rates.walk_judgements()}


def test_says_how_often_the_chosen_side_is_better() -> None:
    """Of two pairs by both criteria, the held-out score likes one; quality alone would give it less."""
    # candidates by quality, likeness, opinion
    table = [
        [(0.0, 0.0, 3.0), (1.0, 1.0, 4.0), (3.0, 0.5, 1.0)],
        [(0.0, 0.0, 2.0), (1.0, 1.0, 2.0), (2.0, 0.0, 9.0)],
    ]
    batch = batch_of(table, models=("a", "b", "c"), criteria=TWO)

    found = judged(chooser(PairRule(), criteria=TWO), [batch])

    # u0: b > a and c > a agree, opinions +1 and -2; u1: only b > a, a tie
    unanimous = found["unanimous", "opinion"]
    assert unanimous.pairs == 3
    assert unanimous.win_rate is not None
    assert unanimous.win_rate.value == pytest.approx(1.5 / 3)
    assert unanimous.advantage is not None
    assert unanimous.advantage.value == pytest.approx((1 - 2 + 0) / 3)
    # quality alone: of u0 any two of b > a (+1), c > a (-2), c > b (-3); of u1 any one of 0, +7, +7
    quality = found["quality", "opinion"]
    assert quality.pairs == 3
    assert quality.win_rate is not None
    assert quality.win_rate.value == pytest.approx((2 / 3 + 2.5 / 3) / 3)
    assert quality.advantage is not None
    assert quality.advantage.value == pytest.approx((2 * (-4 / 3) + 14 / 3) / 3)
    assert quality.lead is not None
    assert quality.lead.value == pytest.approx(1.5 / 3 - 1.5 / 3)
    random = found["random", "opinion"]
    assert random.win_rate is not None
    assert random.win_rate.value == 0.5
    assert random.advantage is not None
    assert random.advantage.value == 0


@settings(deadline=None, max_examples=50)
@given(tables, rules, vetoes)
def test_every_selection_takes_as_many_pairs_as_the_dataset_holds(
    table: Table, rule: PairRule, vetoed: Sequence[Veto]
) -> None:
    """A criterion alone never has fewer to choose from; pairs with the clean reference are nobody's."""
    filled = np.nan_to_num(np.array(table), nan=0.2)
    filled[..., :3] = np.array(table)[..., :3]  # votes may be missing, the held-out score is there
    batch = batch_of(filled.tolist())

    found = judged(chooser(rule, vetoed), [batch])

    rows = PreferStage(Rules(ALL, rule, vetoed)).process(
        [batch.candidate_scores(row) for row in range(len(table))]
    )
    pairs = [sides for row in rows for sides in row.sides if CLEAN not in dict(sides)]
    for (_, score), judgement in found.items():
        if score == "opinion":
            assert judgement.pairs == pytest.approx(len(pairs))
            assert (judgement.win_rate is None) == (not pairs)


@pytest.mark.parametrize("keep", ["all", "best"])
def test_criteria_agree_with_the_pairs_that_they_chose(keep: str) -> None:
    """All of them with the dataset's, each with its own; others' pairs are sometimes worse by them."""
    rng = rng_for(0, "test")
    table = rng.standard_normal((200, len(MODELS), 1)) + rng.standard_normal((200, len(MODELS), 4))

    found = judged(
        chooser(PairRule.model_validate({"keep": keep})), [batch_of((table * [1, -1, 1, 1]).tolist())]
    )

    rates = {at: judgement.win_rate.value for at, judgement in found.items() if judgement.win_rate}
    assert len(rates) == 5 * 4
    for criterion in ALL:
        assert rates["unanimous", criterion.metric] == rates[criterion.metric, criterion.metric] == 1
        others = {other.metric for other in ALL} - {criterion.metric}
        assert 0.5 < min(rates[other, criterion.metric] for other in others) < 1


def test_a_score_that_is_missing_judges_the_pairs_that_it_has() -> None:
    """And says how many they are."""
    nan = float("nan")
    batch = batch_of(
        [[(0.0, 0.0, 1.0), (1.0, 1.0, 2.0), (2.0, 2.0, nan)]], models=("a", "b", "c"), criteria=TWO
    )

    found = judged(chooser(PairRule(), criteria=TWO), [batch])["unanimous", "opinion"]

    assert found.pairs == 1
    assert found.utterances == 1


def test_five_utterances_are_the_least_for_an_interval() -> None:
    """Fewer say nothing of how much utterances differ."""
    row = [(0.0, 0.0, 1.0), (1.0, 1.0, 2.0)]
    few, enough = (
        judged(chooser(PairRule(), criteria=TWO), [batch_of([row] * n, models=("a", "b"), criteria=TWO)])
        for n in (4, 5)
    )

    assert [found["unanimous", "opinion"].win_rate for found in (few, enough)] == [
        interval_of(1.0, np.ones(1), 4),
        interval_of(1.0, np.ones(1), 5),
    ]
    assert few["unanimous", "opinion"].win_rate.low is None  # type: ignore[union-attr]
    assert enough["unanimous", "opinion"].win_rate.low == 1  # type: ignore[union-attr]


def many(num_utterances: int, versions: int, criteria: Sequence[Criterion]) -> CandidateBatch:
    """Return two candidates each; the second wins by both votes, and of each utterance by opinion or not."""
    likes = rng_for(0, "test").random(num_utterances) < 0.7
    table = [[(0.0, 0.0, 0.0), (1.0, 1.0, 1.0 if like else -1.0)] for like in likes for _ in range(versions)]
    batch = batch_of(table, models=("a", "b"), criteria=criteria)
    return CandidateBatch(
        batch.ids,
        np.repeat(np.arange(num_utterances), versions),
        batch.damages,
        batch.models,
        batch.takes,
        batch.names,
        batch.scores,
    )


@pytest.mark.parametrize("versions", [1, 4])
def test_intervals_are_those_of_utterances_not_of_versions(versions: int) -> None:
    """The 95 % interval of a share of n utterances, 1.96 √(p (1 − p) / n), however often each is damaged."""
    n = 400
    found = judged(chooser(PairRule(), criteria=TWO), [many(n, versions, TWO)])["unanimous", "opinion"]

    rate = found.win_rate
    assert rate is not None
    half = 1.96 * np.sqrt(rate.value * (1 - rate.value) / n)
    assert rate.low == pytest.approx(rate.value - half, abs=0.006)
    assert rate.high == pytest.approx(rate.value + half, abs=0.006)


def test_every_resample_draws_as_many_utterances_as_there_are() -> None:
    """Shard by shard: each utterance once on average, and with the variance of drawing with replacement."""
    resampling = Bootstrap(30)

    counts = np.concatenate([resampling.draw_counts(number) for number in (7, 0, 20, 3)], axis=1)

    assert counts.shape == (BOOTSTRAP_RESAMPLES, 30)
    assert (counts.sum(axis=1) == 30).all()
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.12)
    assert counts.var(axis=0) == pytest.approx(1 - 1 / 30, abs=0.15)
    assert np.cov(counts[:, 0], counts[:, 29])[0, 1] == pytest.approx(-1 / 30, abs=0.1)


def test_the_same_scores_give_the_same_intervals() -> None:
    """Bit for bit."""
    first, second = (judged(chooser(PairRule(), criteria=TWO), [many(20, 2, TWO)]) for _ in range(2))

    assert first == second
