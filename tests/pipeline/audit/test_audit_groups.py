"""What an audit says of groups: candidates above clean, yields, and the scores of both sides."""

import numpy as np
import pytest

from pipeline.audit.ablation import Ablation
from pipeline.audit.above_clean import AboveClean
from pipeline.audit.bootstrap import Bootstrap
from pipeline.audit.candidate_batches import Damage
from pipeline.audit.distributions import Distributions
from pipeline.audit.records import QUANTILES, Group
from pipeline.audit.win_rates import WinRates
from pipeline.audit.yields import Yields
from schemas import AppliedStep
from stages.prefer.pair_rules import PairRule
from tests.support.candidate_batches import DISTANCE, QUALITY, audited, batch_of, chooser, chosen_among

CRITERIA = (QUALITY, DISTANCE)
MODELS = ("a", "b", "clean")
NAN = float("nan")


def test_flags_candidates_that_beat_clean_speech() -> None:
    """By more than the margin of a vote, or the noise floor of a score without one; those far ahead first."""
    # quality up, margin 0.1; distance down, margin 0.5; opinion up, noise floor 0.2
    table = [
        [(4.05, 1.0, 4.1), (5.0, 0.2, 4.3), (4.0, 0.0, 4.0)],
        [(3.0, 5.0, NAN), (4.5, 0.0, 5.0), (4.0, 1.0, 4.0)],
    ]
    of = chooser(PairRule(), criteria=CRITERIA)
    above_clean = AboveClean(of, audited(*CRITERIA))

    above_clean.add(*chosen_among(of, batch_of(table, MODELS, CRITERIA)))

    quality, distance, opinion = above_clean.walk_counts()
    assert (quality.candidates, quality.beating, quality.chosen) == (4, 2, 2)
    assert quality.by_model == {"b": 2}
    assert (distance.beating, opinion.candidates, opinion.beating) == (1, 3, 2)
    flagged = [(one.score, one.id, one.model, one.value, one.clean) for one in above_clean.walk_flagged()]
    assert flagged == [
        ("quality", "u0:0", "b", 5.0, 4.0),
        ("quality", "u1:0", "b", 4.5, 4.0),
        ("distance", "u1:0", "b", 0.0, 1.0),
        ("opinion", "u1:0", "b", 5.0, 4.0),
        ("opinion", "u0:0", "b", 4.3, 4.0),
    ]
    assert all(one.is_chosen for one in above_clean.walk_flagged())


def test_names_no_more_than_the_five_furthest_ahead() -> None:
    """Of all batches together."""
    of = chooser(PairRule(), criteria=CRITERIA)
    above_clean = AboveClean(of, audited(*CRITERIA))

    for ahead in (1.0, 4.0, 2.0):
        table = [[(ahead + n / 10, 9.0, NAN), (0.0, 9.0, NAN), (0.0, 0.0, NAN)] for n in range(3)]
        above_clean.add(*chosen_among(of, batch_of(table, MODELS, CRITERIA)))

    assert [one.value for one in above_clean.walk_flagged()] == pytest.approx([4.2, 4.1, 4.0, 2.2, 2.1])


@pytest.mark.parametrize(
    ("steps", "kinds", "snr_db"),
    [
        ([], (), None),
        ([AppliedStep(kind="clipping", facts={"applied": 0.0})], (), None),
        ([AppliedStep(kind="noise", facts={"snr_db": 7.0})], ("noise",), 7.0),
        # two noises of one power are 3 dB more than one
        ([AppliedStep(kind="noise", facts={"snr_db": 10.0})] * 2, ("noise",), 10 - 10 * np.log10(2)),
        (
            [AppliedStep(kind="hum", facts={"snr_db": 0.0, "applied": 0.0}), AppliedStep(kind="reverb")],
            ("reverb",),
            None,
        ),
    ],
)
def test_damage_is_what_changed_the_speech(
    steps: list[AppliedStep], kinds: tuple[str, ...], snr_db: float | None
) -> None:
    """Kinds once each, and one level of all that was added."""
    found = Damage.of(steps)

    assert found.kinds == kinds
    assert found.snr_db == (None if snr_db is None else pytest.approx(snr_db))


def test_counts_pairs_by_degradation_noise_and_model() -> None:
    """Each degraded version under all kinds that it has."""
    of = chooser(PairRule(), criteria=CRITERIA)
    better, mixed = [(2.0, 0.0, NAN), (1.0, 1.0, NAN)], [(2.0, 1.0, NAN), (1.0, 0.0, NAN)]
    damages = {0: Damage(("noise",), -3.0), 1: Damage(("noise", "reverb"), 5.0), 2: Damage((), None)}
    batch = batch_of([better, mixed, better], ("a", "b"), CRITERIA, damages)
    yields = Yields()

    yields.add(*chosen_among(of, batch))

    found = {(one.by, one.name): (one.inputs, one.comparisons, one.pairs) for one in yields.walk_yields()}
    assert found == {
        (Group.ALL, "all"): (3, 3, 2),
        (Group.DEGRADATION, "noise"): (2, 2, 1),
        (Group.DEGRADATION, "reverb"): (1, 1, 0),
        (Group.MODELS, "a × b"): (3, 3, 2),
        (Group.SNR, "-5 to 0 dB"): (1, 1, 1),
        (Group.SNR, "5 to 10 dB"): (1, 1, 0),
        (Group.SNR, "nothing added"): (1, 1, 1),
    }
    assert [(m.model, m.candidates, m.chosen, m.rejected) for m in yields.walk_models()] == [
        ("a", 3, 2, 0),
        ("b", 3, 0, 2),
    ]


def test_nothing_at_all_is_counted_as_nothing() -> None:
    """A run whose recordings are all unusable has a whole of 0."""
    (whole,) = Yields().walk_yields()

    assert (whole.inputs, whole.pairs, whole.share) == (0, 0, None)


def test_versions_without_candidates_count_as_versions() -> None:
    """Nothing else is said of them."""
    of = chooser(PairRule(), criteria=CRITERIA)
    batch = batch_of([[], []], (), CRITERIA)
    win_rates = WinRates(of, audited(*CRITERIA), Bootstrap(2))
    counted = (
        Ablation(of),
        AboveClean(of, audited(*CRITERIA)),
        Distributions(audited(*CRITERIA)),
        Yields(),
    )
    options, kept = chosen_among(of, batch)

    win_rates.add([(options, kept)], 2)
    for each in counted:
        each.add(options, kept)

    assert all(
        judgement.pairs == 0 and judgement.win_rate is None for judgement in win_rates.walk_judgements()
    )
    (whole, _) = counted[-1].walk_yields()
    assert (whole.inputs, whole.comparisons) == (2, 0)


def test_gives_the_scores_of_both_sides() -> None:
    """At the quantiles; a missing score is left out."""
    of = chooser(PairRule(), criteria=CRITERIA)
    table = [[(2.0 + n, 0.0, NAN if n == 0 else 1.0), (1.0, 1.0, 3.0)] for n in range(3)]
    distributions = Distributions(audited(*CRITERIA))

    distributions.add(*chosen_among(of, batch_of(table, ("a", "b"), CRITERIA)))

    quality, distance, opinion = distributions.walk_distributions()
    assert quality.chosen == pytest.approx(np.quantile([2.0, 3.0, 4.0], QUANTILES))
    assert set(quality.rejected) == {1.0}
    assert set(distance.advantage) == {1.0}
    assert set(opinion.chosen) == {1.0}
    assert set(opinion.advantage) == {-2.0}
    (empty, *_) = Distributions(audited(*CRITERIA)).walk_distributions()
    assert empty.chosen == ()


def test_of_very_many_pairs_an_even_share_is_held() -> None:
    """Memory stays bounded, and the quantiles stay where they are."""
    of = chooser(PairRule(), criteria=CRITERIA)
    distributions = Distributions(audited(*CRITERIA), most_pairs=100)

    for start in range(0, 1_000, 40):
        table = [[(2.0 + n, 0.0, 1.0), (1.0, 1.0, 0.0)] for n in range(start, start + 40)]
        distributions.add(*chosen_among(of, batch_of(table, ("a", "b"), CRITERIA)))

    quality, *_ = distributions.walk_distributions()
    assert quality.chosen == pytest.approx(np.quantile(np.arange(2.0, 1_002.0), QUANTILES), abs=20)
    assert 50 <= distributions.num_held <= 100
