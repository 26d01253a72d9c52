"""Vetoes on many pairs at once refuse what looking at one pair after the other refuses."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas import Pair
from stages.operators.metric import Better
from stages.prefer.comparisons import CandidateScores
from stages.prefer.criteria import Criterion
from stages.prefer.stage import Rules
from stages.prefer.vetoes import LENGTH_CHANGE, Veto
from tests.support.preferences import preferred

QUALITY = Criterion(metric="quality", better=Better.HIGHER)
WORDS = st.sampled_from([math.nan, 0.0, 0.5, 1.0])
CHANGE_S = st.sampled_from([0.0, 0.05, -0.05, 0.0500001, -0.3, 0.5])
CANDIDATES = st.lists(st.tuples(st.integers(0, 9), WORDS, CHANGE_S), max_size=6)
SIDES = st.sampled_from(["chosen", "rejected", "both"])
VETOES = st.lists(
    st.builds(Veto, max_length_change_s=st.sampled_from([0.0, 0.05, 0.3]), side=SIDES)
    | st.builds(
        Veto,
        score=st.just("words"),
        at_least=st.sampled_from([0.25, 0.5]),
        at_most=st.sampled_from([None, 0.5]),
        side=SIDES,
        unmeasured=st.sampled_from(["refuse", "pass"]),
    ),
    max_size=3,
)


def is_refused(veto: Veto, words: float, change_s: float) -> bool:
    """Say whether one candidate is refused, as a reader of the config would."""
    if veto.max_length_change_s is not None:
        return abs(change_s) > veto.max_length_change_s
    if math.isnan(words):
        return veto.unmeasured == "refuse"
    return words < (veto.at_least or 0.0) or (veto.at_most is not None and words > veto.at_most)


@given(candidates=CANDIDATES, vetoes=VETOES)
def test_refuses_what_the_readable_definition_refuses(
    candidates: Sequence[tuple[int, float, float]], vetoes: Sequence[Veto]
) -> None:
    """Pair by pair; each pair that is gone is counted once, under the first veto that refuses it."""
    scored = CandidateScores(
        "u:0",
        ["a"] * len(candidates),
        range(len(candidates)),
        {
            "quality": np.array([float(quality) for quality, _, _ in candidates]),
            "words": np.array([words for _, words, _ in candidates]),
            LENGTH_CHANGE: np.array([change_s for _, _, change_s in candidates]),
        },
    )

    (found,) = preferred(Rules([QUALITY], vetoes=vetoes), scored)

    (whole,) = preferred(Rules([QUALITY]), scored)
    reasons = [_refused_by(pair, candidates, vetoes) for pair in whole.pairs]
    assert found.pairs == tuple(p for p, by in zip(whole.pairs, reasons, strict=True) if by is None)
    counted: Counter[str] = Counter()
    for removal in found.removed:
        counted[removal.by] += removal.pairs
    assert counted == Counter(by for by in reasons if by is not None)


def _refused_by(
    pair: Pair, candidates: Sequence[tuple[int, float, float]], vetoes: Sequence[Veto]
) -> str | None:
    for veto in vetoes:
        places = {"chosen": [pair.chosen_take], "rejected": [pair.rejected_take]}
        looked_at = places.get(veto.side, [pair.chosen_take, pair.rejected_take])
        if any(is_refused(veto, *candidates[place][1:]) for place in looked_at):
            return veto.label
    return None
