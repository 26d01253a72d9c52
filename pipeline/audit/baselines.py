"""Baselines: what a listener might go by without hearing quality, such as length, level and noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.config.operators import MetricSetup
from stages.operators.metric import score_name
from stages.prefer.comparisons import Floats64
from stages.prefer.vetoes import LENGTH_CHANGE

LEVEL_GAIN = "level_gain_db"
BASELINE_FACTS = (LENGTH_CHANGE, LEVEL_GAIN)
"""What baselines look at beside scores: facts of takes."""
LONGER, LOUDER, LESS_NOISY = "the longer", "the louder", "the less noisy"
BASELINES: Mapping[str, str] = {
    LONGER: "longer, before it was fitted to its input",
    LOUDER: "louder, before it was brought to the level of its input",
    LESS_NOISY: "less noisy, by DNSMOS BAK",
}
"""What each prefers, in words."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Prefers the candidate with more of something, by any difference."""

    name: str
    amount: Callable[[CandidateBatch], Floats64]
    """Degraded utterance × candidate."""


def baselines_of(metrics: Sequence[MetricSetup]) -> tuple[Baseline, ...]:
    """Return the baselines that there is something to go by for."""
    background = next((score_name(m.name, "bak") for m in metrics if m.metric.kind == "dnsmos"), None)
    found = [
        Baseline(LONGER, lambda batch: batch.facts[LENGTH_CHANGE]),
        Baseline(LOUDER, lambda batch: -batch.facts[LEVEL_GAIN]),
    ]
    if background is not None:
        found.append(Baseline(LESS_NOISY, lambda batch: batch.scores[..., batch.names.index(background)]))
    return tuple(found)
