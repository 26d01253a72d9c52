"""Transforms of audiomentations by name, with lag, length and determinism put right where they can be."""

import difflib
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, JsonValue, field_validator, model_validator

from schemas import Reason, UnfitError
from stages.audio.lag import align, lag_samples
from stages.audio.resampling import fit_length
from stages.audio.waveform import AudioSource, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, OneOf
from stages.operators.rng import rng_for
from stages.runtime.seeding import seeded_from

_REACH_S = 0.1
ZERO_PHASE: Mapping[str, JsonValue] = {"zero_phase": True}
ALLOWED: Mapping[str, Mapping[str, JsonValue]] = {
    "AddColorNoise": {},
    "AddGaussianNoise": {},
    "AddGaussianSNR": {},
    "AirAbsorption": {},
    "Aliasing": {},
    "BandPassFilter": ZERO_PHASE,
    "BandStopFilter": ZERO_PHASE,
    "BitCrush": {},
    "Clip": {},
    "ClippingDistortion": {},
    "Gain": {},
    "GainTransition": {},
    "HighPassFilter": ZERO_PHASE,
    "HighShelfFilter": {},
    "Limiter": {},
    "LoudnessNormalization": {},
    "LowPassFilter": ZERO_PHASE,
    "LowShelfFilter": {},
    "Mp3Compression": {"preserve_delay": False, "backend": "fast-mp3-augment"},
    "Normalize": {},
    "PeakingFilter": {},
    "RoomSimulator": {"leave_length_unchanged": True, "use_ray_tracing": False},
    "SevenBandParametricEQ": {},
    "TanhDistortion": {},
    "TimeMask": {},
}
"""What may be used, and the settings that it must have: filters without delay, rays that are not chance."""
DELAYED = frozenset({"AirAbsorption", "Limiter", "Mp3Compression", "RoomSimulator"})
"""What may come back late by a constant number of samples, which is measured and removed."""
_SHORTEST_S: Mapping[str, float] = {
    "LoudnessNormalization": 0.4,
    "Mp3Compression": 0.1,
    **{name: 0.05 for name, needed in ALLOWED.items() if needed == ZERO_PHASE},
}
"""What a transform raises an error below: a block of BS.1770, what LAME is given, 15 samples at any rate."""
_HIGHEST_HZ: Mapping[str, int] = {"Mp3Compression": 48_000}
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("AdjustDuration", "Padding", "RepeatPart", "Reverse", "Shift", "TimeStretch", "Trim"),
        "it moves the speech in time, and the reference would no longer lie under it",
    ),
    "PitchShift": "it changes the voice, and so the target",
    "PolarityInversion": "it turns the speech upside down, and the reference would no longer lie under it",
    "Resample": "it changes the length without saying the new rate; use the degradation 'bandwidth'",
    "AddBackgroundNoise": "it reads files of its own; use the degradation 'noise' and a pool",
    "AddShortNoises": "it reads files of its own; use the degradation 'noises' and a pool",
    "ApplyImpulseResponse": "it reads files of its own and keeps their delay; use 'reverb' and a pool",
    "Lambda": "a function is no setting; write a degradation of your own",
    **dict.fromkeys(("Compose", "OneOf", "SomeOf"), "use the groups of a chain: one_of, some_of"),
}


@DEGRADATIONS.register
class AudiomentationsTransform(Degradation):
    """One call of a transform of audiomentations, which draws what is not fixed from the stream of ``seed``.

    The default is one of four, each in the ranges that it has there.

    The library uses the global generators of Python and numpy; they are set around the call and put
    back. Each call has a transform of its own, so that what is recorded is what was done.
    Raises ``UnfitError`` for speech that the transform cannot take.
    """

    kind: ClassVar[str] = "audiomentations"
    version: ClassVar[int] = 3
    licence: ClassVar[str] = "MIT"
    libraries: ClassVar[tuple[str, ...]] = ("audiomentations",)
    draws: ClassVar[Mapping[str, Distribution]] = {
        "transform": OneOf(values=("BitCrush", "SevenBandParametricEQ", "TanhDistortion", "AddGaussianSNR")),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    transform: str
    """Its name there, such as ``TanhDistortion``."""
    parameters: dict[str, JsonValue] = {}
    """Its settings there, such as ``{min_distortion: 0.2, max_distortion: 0.5}``, without ``p``."""
    seed: int = Field(ge=0)
    """Decides all that is drawn inside the transform."""

    @field_validator("transform")
    @classmethod
    def _is_allowed(cls, name: str) -> str:
        if name in REFUSED:
            raise ValueError(f"{name} is refused: {REFUSED[name]}")
        if name not in ALLOWED:
            close = difflib.get_close_matches(name, ALLOWED, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(ALLOWED)}"
            raise ValueError(f"audiomentations has no {name!r} that can be used here; {hint}")
        return name

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if "p" in self.parameters:
            raise ValueError("p: give the step a 'probability' instead")
        for name, value in ALLOWED[self.transform].items():
            if self.parameters.get(name, value) != value:
                raise ValueError(f"{self.transform} is only right here with {name} {value}")
        self._build()
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Transform, and report what the transform drew and the delay that was removed."""
        speech = scene.degraded
        self._check_fits(speech)
        transform = self._build()
        stream = rng_for(self.seed, "audiomentations", self.transform)
        with seeded_from(stream), np.errstate(over="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "n_fft=")  # of speech shorter than a window, which is padded
            made = transform(samples=speech.samples.copy(), sample_rate=speech.sample_rate)
            samples = np.asarray(made, dtype=np.float32)
        if not np.isfinite(samples).all():  # a filter that was drawn above half of the rate
            raise UnfitError(Reason.NOT_FINITE, f"{self.transform} overflows at {speech.sample_rate} Hz")
        delay = 0
        if self.transform in DELAYED:
            delay = lag_samples(samples, speech.samples, round(_REACH_S * speech.sample_rate))
            samples = align(samples, delay, speech.samples.size)
        degraded = speech.with_samples(fit_length(samples, speech.samples.size))
        changed = not np.array_equal(degraded.samples, speech.samples)
        facts = {**_numbers(transform.parameters), "delay_samples": float(delay), "applied": float(changed)}
        return Scene(degraded, scene.reference, facts)

    def _check_fits(self, speech: Waveform) -> None:
        shortest_s = _SHORTEST_S.get(self.transform, 0.0)
        if speech.duration_s < shortest_s:
            raise UnfitError(Reason.TOO_SHORT, f"{self.transform} takes no less than {shortest_s:g} s")
        highest_hz = _HIGHEST_HZ.get(self.transform, speech.sample_rate)
        if speech.sample_rate > highest_hz:
            raise UnfitError(
                Reason.ERROR, f"{self.transform} takes no more than {highest_hz} Hz; 'codec' takes any rate"
            )

    def _build(self) -> Any:
        import audiomentations  # noqa: PLC0415 - 3 s

        settings = {**self.parameters, **ALLOWED[self.transform], "p": 1.0}
        try:
            return getattr(audiomentations, self.transform)(**settings)
        except TypeError as error:
            raise ValueError(f"{self.transform}: {error}") from error


def _numbers(parameters: Mapping[str, Any]) -> dict[str, float]:
    """Return what can be recorded of a transform's own account of itself."""
    numbers = {
        name: value for name, value in parameters.items() if isinstance(value, int | float | np.number)
    }
    return {f"drawn_{name}": float(value) for name, value in numbers.items() if np.isfinite(value)}
