"""Declipping: what was flattened comes nearer to what it was, and nothing else is touched."""

import numpy as np
import pytest

from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.declip import Declip, sample_bounds_of
from tests.support.bundled_speech import bundled


def _clipped(clean: Waveform, share: float) -> tuple[Waveform, np.ndarray]:
    """Return speech of which ``share`` is flattened, and where."""
    level = np.quantile(np.abs(clean.samples), 1.0 - share)
    return clean.with_samples(np.clip(clean.samples, -level, level)), np.abs(clean.samples) > level


def _declipped(given: Waveform, model: Declip | None = None) -> np.ndarray:
    return (model or Declip()).restore([given], [rng_for(0, "unused")])[0].samples


@pytest.mark.parametrize(("share", "gain_db"), [(0.01, 10.0), (0.05, 8.0), (0.2, 3.0)])
def test_flattened_samples_come_nearer_to_what_they_were(share: float, gain_db: float) -> None:
    """At the flattened samples of bundled speech, the distortion falls by so much."""
    gains = []
    for number in (1, 9, 17):
        clean = bundled(number)
        given, flat = _clipped(clean, share)
        before, after = (
            ratio_db(clean.samples[flat], other[flat] - clean.samples[flat])
            for other in (given.samples, _declipped(given))
        )
        gains.append(after - before)

    assert np.mean(gains) > gain_db


def test_what_was_not_clipped_stays_and_what_was_only_grows() -> None:
    """The restoration is consistent: it would give the input if it were clipped the same way."""
    given, flat = _clipped(bundled(2), 0.05)

    restored = _declipped(given)

    level = np.abs(given.samples).max()
    untouched = np.abs(given.samples) < 0.98 * level
    assert np.array_equal(restored[untouched], given.samples[untouched])
    assert (np.abs(restored[flat]) >= np.abs(given.samples[flat])).all()
    assert (np.sign(restored[flat]) == np.sign(given.samples[flat])).all()


def test_a_side_that_is_not_clipped_is_left_alone() -> None:
    """Clipping from above only is found from above only."""
    clean = bundled(3)
    ceiling = np.float32(0.3 * clean.samples.max())
    given = clean.with_samples(np.minimum(clean.samples, ceiling))

    low, high = sample_bounds_of(given.samples)

    assert np.array_equal(low, given.samples)
    assert (high[clean.samples > ceiling] > ceiling).all()


@pytest.mark.parametrize("number", [4, 12, 20, 28])
def test_speech_that_is_not_clipped_is_returned(number: int) -> None:
    """Its highest samples are few, and no plateau."""
    clean = bundled(number)

    assert np.array_equal(_declipped(clean), clean.samples)


def test_clipping_is_found_after_a_change_of_gain_and_sixteen_bits() -> None:
    """A plateau anywhere under full scale counts, rounded as files are."""
    given, flat = _clipped(bundled(5), 0.05)
    quieter = given.with_samples(np.round(given.samples * 0.37 * 2**15) / 2**15)

    low, high = sample_bounds_of(quieter.samples)

    assert np.mean((low < high)[flat]) == 1.0


def test_settings_make_other_takes() -> None:
    """Frames of another length and other steps are heard."""
    given, _ = _clipped(bundled(6), 0.1)

    first, second = (_declipped(given, Declip(frame_ms=ms, step=step)) for ms, step in ((24, 4), (48, 1)))

    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("samples", [np.zeros(4_000), np.full(4_000, 0.5), np.ones(1)])
def test_oddities_do_no_harm(samples: np.ndarray) -> None:
    """Silence, an offset and one sample give finite audio of their length."""
    restored = _declipped(Waveform(samples.astype(np.float32), 16_000))

    assert restored.size == samples.size
    assert np.isfinite(restored).all()
