"""The recipe of GenSR-Pref done by others: by audiomentations, and by a loop that one writes by hand.

Both do what such code does: no reference with early reflections in audiomentations, no measurement, no
record. Probabilities and ranges are AATC 2025's.
"""

import random
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Rival = Callable[[Samples], tuple[Samples, Samples]]
"""Takes clean speech, returns degraded speech and the reference."""
RATES = (4_000, 8_000, 16_000, 24_000, 32_000)


@contextmanager
def audiomentations_recipe(
    noises: Sequence[Samples], responses: Sequence[Samples], sample_rate: int
) -> Iterator[Rival]:
    """Compose the recipe of the library's transforms, over files as it wants them."""
    import audiomentations  # noqa: PLC0415 - 3 s

    with tempfile.TemporaryDirectory() as folder:
        for name, recordings in (("noise", noises), ("rir", responses)):
            (Path(folder) / name).mkdir()
            for number, samples in enumerate(recordings):
                soundfile.write(Path(folder) / name / f"{number}.wav", samples, sample_rate, subtype="FLOAT")
        compose = audiomentations.Compose(
            [
                audiomentations.ApplyImpulseResponse(f"{folder}/rir", p=0.5, leave_length_unchanged=True),
                audiomentations.ClippingDistortion(0, 40, p=0.25),
                audiomentations.OneOf(
                    [
                        audiomentations.LowPassFilter(
                            rate / 2, rate / 2, min_rolloff=24, max_rolloff=24, zero_phase=True, p=1.0
                        )
                        for rate in RATES
                    ],
                    p=0.5,
                ),
                audiomentations.AddBackgroundNoise(f"{folder}/noise", min_snr_db=-5, max_snr_db=20, p=0.9),
            ]
        )

        def degrade(clean: Samples) -> tuple[Samples, Samples]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of noise that is looped
                degraded = compose(samples=clean.copy(), sample_rate=sample_rate)
            gain = np.float32(1.0 / max(np.abs(degraded).max(), np.abs(clean).max()))
            return gain * degraded, gain * clean

        random.seed(0)
        yield degrade


def hand_written_recipe(noises: Sequence[Samples], responses: Sequence[Samples], sample_rate: int) -> Rival:
    """Return the loop's body: scipy's convolution and polyphase resampling, numpy for the rest."""
    from scipy.signal import fftconvolve, resample_poly  # noqa: PLC0415 - 0.8 s

    rng = np.random.default_rng(0)

    def degrade(clean: Samples) -> tuple[Samples, Samples]:
        degraded = reference = clean
        if rng.uniform() < 0.5:
            response = responses[int(rng.integers(len(responses)))]
            peak = int(np.argmax(np.abs(response)))
            early = response[: peak + round(0.005 * sample_rate)]
            degraded = fftconvolve(clean, response)[peak : peak + clean.size]
            reference = fftconvolve(clean, early)[peak : peak + clean.size]
            gain = 0.5 / np.abs(degraded).max()
            degraded, reference = gain * degraded, gain * reference
        if rng.uniform() < 0.25:
            threshold = rng.uniform(0.06, 0.9)
            degraded = np.clip(degraded, -threshold, threshold)
        if rng.uniform() < 0.5:
            rate = int(rng.choice(RATES))
            down = resample_poly(degraded, rate, sample_rate)
            degraded = resample_poly(down, sample_rate, rate)[: clean.size]
        if rng.uniform() < 0.9:
            noise = noises[int(rng.integers(len(noises)))]
            start = int(rng.integers(max(1, noise.size - clean.size)))
            stretch = np.resize(noise[start:], clean.size)
            ratio = np.sqrt(np.mean(degraded**2) / np.mean(stretch**2))
            degraded = degraded + ratio * 10 ** (-rng.uniform(-5, 20) / 20) * stretch
        scale = 1.0 / max(np.abs(degraded).max(), np.abs(reference).max())
        return (scale * degraded).astype(np.float32), (scale * reference).astype(np.float32)

    return degrade
