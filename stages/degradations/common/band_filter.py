"""What low-, high-, band-pass and band-stop filters have in common: family, order, attenuation."""

from abc import abstractmethod
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from stages.audio.waveform import Waveform
from stages.degradations.common.spectral import SpectralDegradation
from stages.dsp.filters import Band, Prototype
from stages.dsp.spectral_gain import Gains, Hertz, magnitude_of
from stages.dsp.stft_mask import apply_mask

Family = Literal["butter", "cheby1", "cheby2", "ellip", "bessel", "stft_hard"]


class BandFilter(SpectralDegradation):
    """The magnitude of a filter of the field, without its phase; ``stft_hard`` empties bins of an STFT.

    Edges are where the response is 3 dB down (butter, bessel), where the ripple of the pass band ends
    (cheby1, ellip), where the stop band begins (cheby2), or the last bin that is kept (stft_hard).
    """

    family: Family = "butter"
    order: int = Field(default=8, ge=1, le=12)
    """Of the low-pass prototype: band filters have twice as many poles. ``stft_hard`` has none."""
    ripple_db: float = Field(default=0.1, gt=0.0, le=12.0)
    """In the pass band, of cheby1 and ellip (VoiceFixer: 0.1)."""
    stop_attenuation_db: float = Field(default=60.0, gt=0.0, le=120.0)
    """In the stop band, of cheby2 and ellip (VoiceFixer: 60; SonicMaster: 6 to 20)."""
    passes: Literal[1, 2] = 1
    """2 is forwards and backwards, as VoiceFixer's ``sosfiltfilt``: twice the attenuation in dB, at the
    edges too."""

    @model_validator(mode="after")
    def _stops_more_than_it_passes(self) -> Self:
        if self.family == "ellip" and self.stop_attenuation_db <= self.ripple_db:
            raise ValueError(
                f"stop_attenuation_db {self.stop_attenuation_db:g} is not above ripple_db {self.ripple_db:g}"
            )
        return self

    @abstractmethod
    def band_at(self, sample_rate: int) -> tuple[Band, tuple[float, ...]] | None:
        """Return the kind of filter and its edges at ``sample_rate``, or none if it could not act."""

    def acts_at(self, sample_rate: int) -> bool:
        """Whether an edge lies below half of ``sample_rate``."""
        return self.band_at(sample_rate) is not None

    def gains(self, hertz: Hertz, sample_rate: int) -> Gains:
        """Return the magnitude of the filter."""
        band = self.band_at(sample_rate)
        if band is None or self.family == "stft_hard":
            return np.ones_like(hertz)
        prototype = Prototype(self.family, self.order, self.ripple_db, self.stop_attenuation_db)
        return magnitude_of(prototype.sections(*band, sample_rate), hertz, sample_rate) ** self.passes

    def changed(self, speech: Waveform) -> Waveform:
        """Return ``speech`` without what the filter takes."""
        band = self.band_at(speech.sample_rate)
        if band is None or self.family != "stft_hard":
            return super().changed(speech)
        return apply_mask(speech, lambda hertz: _keep_band(hertz, *band))


def _keep_band(hertz: Hertz, band: Band, edges_hz: tuple[float, ...]) -> np.ndarray:
    match band:
        case "lowpass":
            return hertz <= edges_hz[0]
        case "highpass":
            return hertz >= edges_hz[0]
        case "bandpass":
            return (hertz >= edges_hz[0]) & (hertz <= edges_hz[1])
        case "bandstop":
            return (hertz < edges_hz[0]) | (hertz > edges_hz[1])
