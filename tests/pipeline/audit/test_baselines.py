"""What baselines promise: the longer, the louder and the less noisy side, as selections and of the pairs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.audit.baselines import LESS_NOISY, LEVEL_GAIN, LONGER, LOUDER, baselines_of
from pipeline.audit.bootstrap import Bootstrap
from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.audit.records import BaselineCheck, Judgement
from pipeline.audit.win_rates import WinRates
from pipeline.config.operators import MetricSetup
from stages.metrics import METRICS
from stages.prefer.pair_rules import PairRule
from stages.prefer.vetoes import LENGTH_CHANGE, Veto
from tests.support.candidate_batches import QUALITY, audited, batch_of, chooser, chosen_among

ONE = (QUALITY,)


def setup(kind: str, name: str) -> MetricSetup:
    """Return a metric of a config."""
    return MetricSetup(name, METRICS[kind](), gpus=0.0)


def batch(
    quality_and_opinion: Sequence[tuple[float, float]], longer_s: Sequence[float], gains_db: Sequence[float]
) -> CandidateBatch:
    """Return one degraded utterance, its candidates each of a model."""
    models = tuple("abc"[: len(longer_s)])
    made = batch_of([quality_and_opinion], models, ONE)
    facts = {LENGTH_CHANGE: np.array([longer_s]), LEVEL_GAIN: np.array([gains_db])}
    return replace(made, facts=facts)


def found_of(
    made: CandidateBatch, vetoes: Sequence[Veto] = (), metrics: Sequence[MetricSetup] = ()
) -> tuple[dict[tuple[str, str], Judgement], dict[str, BaselineCheck]]:
    """Return the judgements by selection and score, and the checks by baseline."""
    of = chooser(PairRule(), vetoes, ONE)
    win_rates = WinRates(of, audited(*ONE), Bootstrap(1), baselines_of(metrics))
    win_rates.add([chosen_among(of, made)], 1)
    judged = {(found.selection, found.score): found for found in win_rates.walk_judgements()}
    return judged, {check.name: check for check in win_rates.walk_baselines()}


def test_the_louder_and_the_longer_are_judged_like_any_choice() -> None:
    """Of three comparisons, one pair each is drawn: louder is c over a and b, and b over a."""
    # quality keeps all three: c > b > a; opinion says a > c > b
    made = batch([(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)], (0.0, 0.1, 0.0), (2.0, 1.0, -1.0))

    judged, checks = found_of(made)

    louder, longer = judged[LOUDER, "opinion"], judged[LONGER, "opinion"]
    assert louder.pairs == longer.pairs == judged["unanimous", "opinion"].pairs == 3
    assert louder.win_rate is not None
    assert louder.win_rate.value == pytest.approx(1 / 3)  # of c > a, c > b and b > a only c > b
    assert longer.win_rate is not None
    assert longer.win_rate.value == pytest.approx(0.5 / 3)  # b > a, b > c, and a or c
    assert (checks[LOUDER].told_apart, checks[LONGER].told_apart) == (1.0, pytest.approx(2 / 3))
    assert checks[LOUDER].chosen_is_more is not None
    assert checks[LOUDER].chosen_is_more.value == 1.0
    assert checks[LONGER].chosen_is_more is not None
    assert checks[LONGER].chosen_is_more.value == pytest.approx(0.5)  # b > a yes, c > b no, c and a alike


def test_where_nothing_differs_a_baseline_says_nothing() -> None:
    """It is no selection then, and the audit says so; a score that was not measured is no baseline."""
    judged, checks = found_of(batch([(1.0, 1.0), (2.0, 2.0)], (0.0, 0.0), (1.0, 2.0)))

    assert {selection for selection, _ in judged} == {"unanimous", "quality", "random", LOUDER}
    assert checks[LONGER].told_apart == 0.0
    assert LESS_NOISY not in checks


def test_the_less_noisy_goes_by_the_background_of_dnsmos() -> None:
    """Whatever the config calls it."""
    made = batch([(1.0, 4.0), (2.0, 3.0)], (0.0, 0.0), (0.0, 0.0))
    metrics = [setup("estoi", "e"), setup("dnsmos", "dns")]
    made = replace(made, names=("quality", "dns_bak"))

    judged, checks = found_of(made, metrics=metrics)

    assert checks[LESS_NOISY].chosen_is_more is not None
    assert checks[LESS_NOISY].chosen_is_more.value == 0.0
    noisy = judged[LESS_NOISY, "quality"].win_rate
    assert noisy is not None
    assert noisy.value == 0.0


def test_vetoes_hold_for_baselines_too() -> None:
    """Where they leave it nothing, it has no pairs."""
    made = batch([(1.0, 4.0), (2.0, 3.0)], (0.0, 0.0), (-1.0, 0.0))

    judged, _ = found_of(made, vetoes=[Veto(score="quality", at_least=1.5)])

    assert judged["unanimous", "opinion"].pairs == 1
    assert judged[LOUDER, "opinion"].pairs == 0
    assert judged[LOUDER, "opinion"].win_rate is None
