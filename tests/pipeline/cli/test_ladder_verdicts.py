"""Who may vote, where some ladders could not be climbed."""

import pytest

from pipeline.cli.commands.ladders import _verdict
from stages.calibration.monotonicity import Trend
from stages.operators.metric import Aspect, Output

GOOD, BAD = Trend(1.0, 1.0, 2), Trend(0.1, 0.1, 2)
CONTENT = Output(aspect=Aspect.CONTENT_CONSISTENCY, better="higher")


@pytest.mark.parametrize(
    ("words", "loss", "verdict"),
    [(GOOD, GOOD, "yes"), (None, GOOD, "unknown"), (None, BAD, "no"), (BAD, GOOD, "no")],
)
def test_what_was_not_measured_is_unknown(words: Trend | None, loss: Trend, verdict: str) -> None:
    """A ladder that decides and has no value says neither yes nor no; one that was failed says no."""
    climbs = {"SNR": GOOD, "packet loss": loss, "other words": words}

    assert _verdict(CONTENT, climbs) == verdict
