"""WARP-Q against its definition: librosa's features and subsequence warping, step by step."""

import numpy as np
import pytest

from schemas import Outcome, Reason
from stages.audio.pauses import speech_stretches
from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats
from stages.metrics.warp_q import WarpQ
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like

librosa = pytest.importorskip("librosa")
STEPS = np.array([[1, 0], [0, 3], [1, 3]])


def coefficients(samples: Samples) -> Floats:
    """Return ``(13, frames)`` of normalised coefficients as the authors' code has them."""
    found = librosa.feature.mfcc(
        y=samples.astype(np.float64),
        sr=16_000,
        n_mfcc=13,
        fmax=5_000,
        n_fft=1_024,
        win_length=512,
        hop_length=64,
        lifter=3,
    )
    centred = found - moved(found, np.mean)
    spread: Floats = centred / (moved(centred, np.std) + 2.0**-30)
    return spread


def moved(rows: Floats, what: object) -> Floats:
    """Return a statistic of 201 frames around each, mirrored at both ends."""
    padded = np.pad(rows, ((0, 0), (100, 100)), "symmetric")
    assert callable(what)
    return np.stack([what(padded[:, at : at + 201], axis=1) for at in range(rows.shape[1])], axis=1)


def raw_score(candidate: Samples, clean: Samples) -> float:
    """Return the median cost of laying patches of the candidate on the reference."""
    heard, reference = coefficients(candidate), coefficients(clean)
    costs = [
        librosa.sequence.dtw(
            X=heard[:, at : at + 92],
            Y=reference,
            metric="euclidean",
            step_sizes_sigma=STEPS,
            weights_mul=np.ones(3),
            subseq=True,
            backtrack=False,
        )[-1].min()
        / 92
        for at in range(0, heard.shape[1] - 91, 42)
    ]
    return float(np.median(costs))


def test_is_that_of_the_authors() -> None:
    """Of what is left without pauses, on which voice activity detectors differ."""
    clean = speech_like(2.5)
    candidate = noisy(clean, 15.0)

    (found,) = WarpQ().score([Comparison(candidate, clean)])

    spoken = np.concatenate([np.arange(*ends) for ends in speech_stretches(clean.samples, 16_000)])
    assert spoken.size < clean.samples.size
    assert not isinstance(found, Outcome)
    assert found[""] == pytest.approx(raw_score(candidate.samples[spoken], clean.samples[spoken]), abs=1e-5)


def test_a_copy_costs_nothing() -> None:
    """Each patch finds itself."""
    clean = speech_like()

    (found,) = WarpQ().score([Comparison(clean, clean)])

    assert not isinstance(found, Outcome)
    # steps of three frames: at worst the place is found a frame or two off
    assert 0.0 <= found[""] < 0.5


def test_forgives_what_comes_late() -> None:
    """10 ms later is the same speech, unlike for a distance frame by frame."""
    clean = speech_like(2.0)
    late = clean.with_samples(np.roll(clean.samples, 160))

    scores = WarpQ().score([Comparison(each, clean) for each in (clean, late, noisy(clean, 5.0))])

    same, shifted, worse = (score[""] for score in scores if not isinstance(score, Outcome))
    assert shifted < same + 0.25 * (worse - same)


def test_too_little_speech_has_no_score() -> None:
    """A word of less than a patch, in a pause."""
    clean = speech_like(2.0)
    word = np.zeros_like(clean.samples)
    word[8_000:11_200] = clean.samples[:3_200]

    (found,) = WarpQ().score([Comparison(clean.with_samples(word), clean.with_samples(word))])

    assert isinstance(found, Outcome)
    assert found.reason is Reason.TOO_SHORT
