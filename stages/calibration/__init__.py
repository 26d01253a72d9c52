"""Calibration: whether a metric may vote, and with which margin.

``ladders`` damages one utterance more and more; ``monotonicity`` says whether the scores fall with it, and
so who may vote. ``perturbations`` are changes that nobody hears: how far they move a score is its noise
floor.
"""

from stages.calibration.ladders import LADDERS, Ladder
from stages.calibration.monotonicity import may_vote
from stages.calibration.perturbations import INAUDIBLE

__all__ = ["INAUDIBLE", "LADDERS", "Ladder", "may_vote"]
