"""Reverberation: speech as it is heard through the response of a room."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from schemas import AudioRef, BrokenError, Reason, UnfitError
from stages.audio.level import is_silent, peak, to_db
from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.impulse_response import (
    convolve_with_response,
    cut_early_part,
    direct_gain,
    direct_to_reverberant_db,
    find_direct_path,
    reverberation_time_s,
)
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, FromPool


@DEGRADATIONS.register
class Reverb(Degradation):
    """Convolution with ``response``, whose direct sound stays where it is, at unit gain and positive.

    The reference stays dry, or takes the early part of the same response with it (URGENT: 50 ms
    after the direct sound; AATC 2025: −1 to +5 ms and ``reverberant_peak`` 0.5).
    Raises ``UnfitError`` for a silent response.
    """

    kind: ClassVar[str] = "reverb"
    version: ClassVar[int] = 3
    cost_s_per_s: ClassVar[float] = 0.005
    draws: ClassVar[Mapping[str, Distribution]] = {"response": FromPool(pool="rir")}

    response: AudioRef
    target: Literal["dry", "early"] = "early"
    pre_ms: float = Field(default=2.5, ge=0.0, le=10_000.0)
    """How much before the direct sound belongs to the early part: band-limited responses ring ahead."""
    early_ms: float = Field(default=50.0, ge=0.0, le=10_000.0)
    reverberant_peak: float | None = Field(default=None, gt=0.0, le=1.0)
    """Peak that the reverberant speech is brought to, and the reference by the same gain."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Take the speech into the room, and the reference into its early part.

        Reports what was measured of the response, and whatever else its pool knows of the room.
        """
        response, direct = self._response(scene.degraded.sample_rate, sources)
        wet, reference = convolve_with_response(scene.degraded, response, direct), scene.reference
        if self.target == "early":
            early = cut_early_part(response, direct, pre_ms=self.pre_ms, early_ms=self.early_ms)
            reference = convolve_with_response(reference, early, direct)
        gain = self._gain(wet)
        known = sources.facts(self.response)
        facts = {**known, **_facts_of(response, direct), "gain_db": to_db(gain)}
        if self.reverberant_peak is None:
            return Scene(wet, reference, facts)
        return Scene(wet.scale(gain), reference.scale(gain), facts)

    def _response(self, sample_rate: int, sources: AudioSource) -> tuple[Waveform, int]:
        """Return the response with a direct sound of unit gain, and the sample of that sound."""
        response = sources.read(self.response, sample_rate)
        if is_silent(response.samples):
            raise UnfitError(Reason.SILENT, "the response is silent")
        known = sources.facts(self.response).get("direct_path_sample")
        direct = (
            find_direct_path(response)
            if known is None
            else round(known * sample_rate / self.response.sample_rate)
        )
        if not 0 <= direct < response.samples.size:
            raise BrokenError(Reason.WRONG_SHAPE, "the direct sound lies outside the response")
        gain = direct_gain(response, direct)
        if gain == 0.0:
            raise BrokenError(Reason.WRONG_SHAPE, "there is no sound at the direct path of the response")
        return response.scale(1.0 / gain), direct

    def _gain(self, wet: Waveform) -> float:
        loudest = peak(wet.samples)
        return self.reverberant_peak / loudest if self.reverberant_peak and loudest > 0.0 else 1.0


def _facts_of(response: Waveform, direct: int) -> dict[str, float]:
    """Return what the response says of itself at the rate at which it was used."""
    facts = {
        "direct_path_sample": float(direct),
        "drr_db": direct_to_reverberant_db(response, direct),
    }
    rt60_s = reverberation_time_s(response, direct)
    return facts if rt60_s is None else facts | {"rt60_s": rt60_s}
