"""Two courses of F0 against each other: whether the voice kept its melody, and is voiced where it was."""

import numpy as np

from schemas import Reason, UnfitError
from stages.dsp.spectra import Floats
from stages.metrics.common.fundamental_frequency import PITCH_HOP_S
from stages.operators.metric import Aspect, Better, Measured, Output

FEWEST_FRAMES = 10
CENTS_PER_OCTAVE = 1_200.0


def pitch_outputs(*, cents_floor: float, voicing_floor: float) -> dict[str, Output]:
    """Return the two scores of a metric of pitch, neither of which votes by default."""
    return {
        "rmse_cents": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.LOWER,
            low=0.0,
            noise_floor=cents_floor,
            votes=False,
            note="a few octave errors outweigh all else, so no vote by default",
        ),
        "voicing": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.HIGHER,
            low=0.0,
            high=1.0,
            noise_floor=voicing_floor,
            votes=False,
            note="hears whether there is a voice, not whose",
        ),
    }


def compare_pitch(candidate: Floats, clean: Floats) -> Measured:
    """Return both scores of F0 in Hz every 10 ms, 0 where it is not voiced, both sides of one length.

    Raises ``UnfitError`` if less than 0.1 s is voiced on both.
    """
    both = (candidate > 0.0) & (clean > 0.0)
    if np.count_nonzero(both) < FEWEST_FRAMES:
        seconds = FEWEST_FRAMES * PITCH_HOP_S
        raise UnfitError(Reason.TOO_SHORT, f"less than {seconds:g} s is voiced on both sides")
    cents = CENTS_PER_OCTAVE * np.log2(candidate[both] / clean[both])
    voiced = np.count_nonzero(candidate) + np.count_nonzero(clean)
    return {
        "rmse_cents": float(np.sqrt(np.mean(np.square(cents)))),
        "voicing": float(2 * np.count_nonzero(both) / voiced),
    }
