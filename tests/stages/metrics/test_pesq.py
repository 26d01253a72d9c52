"""PESQ: its bands, its ends, and what it refuses."""

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import Outcome, Reason
from stages.audio.waveform import Waveform
from stages.metrics.pesq import Pesq
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like


def scored(metric: Pesq, candidate: Waveform, clean: Waveform) -> float | Reason:
    """Return the value, or the reason why there is none."""
    metric.load("cpu")
    (result,) = metric.score([Comparison(candidate, clean)])
    if isinstance(result, Outcome):
        assert result.reason is not None
        return result.reason
    return result[""]


@pytest.mark.parametrize(("band", "best"), [("wb", 4.644), ("nb", 4.549)])
def test_a_perfect_copy_gets_the_top_of_the_scale(band: str, best: float) -> None:
    """The mappings of P.862.2 and P.862.1 end there."""
    clean = speech_like()

    assert scored(Pesq.model_validate({"band": band}), clean, clean) == pytest.approx(best, abs=0.001)


def test_a_long_clip_is_the_mean_of_equal_parts() -> None:
    """40 s are heard as twice 20 s."""
    clean = speech_like(40.0)
    candidate = noisy(clean, 20.0)
    half = clean.samples.size // 2

    whole = scored(Pesq(), candidate, clean)

    sides = [
        scored(
            Pesq(), candidate.with_samples(candidate.samples[part]), clean.with_samples(clean.samples[part])
        )
        for part in (slice(half), slice(half, None))
    ]
    assert whole == pytest.approx(np.mean(sides), abs=1e-6)


def test_a_part_without_speech_does_not_count() -> None:
    """A pause of 20 s at the end leaves the score of what comes before it."""
    clean = speech_like(20.0)
    candidate = noisy(clean, 20.0)
    pause = np.zeros(clean.samples.size, dtype=np.float32)

    with_pause = scored(
        Pesq(),
        candidate.with_samples(np.concatenate([candidate.samples, pause])),
        clean.with_samples(np.concatenate([clean.samples, pause])),
    )

    assert with_pause == pytest.approx(scored(Pesq(), candidate, clean), abs=1e-6)


def test_too_short_for_the_reference_code() -> None:
    """Under a quarter of a second there is no score."""
    clean = speech_like(0.24)

    assert scored(Pesq(), clean, clean) is Reason.TOO_SHORT


def test_silence_on_either_side() -> None:
    """A silent candidate and a silent reference are reasons, not numbers."""
    clean = speech_like(1.0)
    silence = clean.with_samples(np.zeros_like(clean.samples))

    assert scored(Pesq(), silence, clean) is Reason.SILENT
    assert scored(Pesq(), clean, silence) is Reason.SILENT


def test_narrow_band_at_8_khz_hears_telephone_speech() -> None:
    """The reference code takes both rates, its score is that of the package, and wide band needs 16 kHz."""
    import pesq  # noqa: PLC0415

    clean = speech_like(sample_rate=8_000)
    candidate = noisy(clean, 15.0)

    value = scored(Pesq(band="nb", rate_hz=8_000), candidate, clean)

    assert value == pytest.approx(pesq.pesq(8_000, clean.samples, candidate.samples, "nb"), abs=1e-6)
    with pytest.raises(ValidationError, match="wide band is defined at 16000 Hz"):
        Pesq(band="wb", rate_hz=8_000)
