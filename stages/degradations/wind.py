"""Wind: turbulence at the microphone, gust by gust, and what it does to the speech."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.level import rms, to_db
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.dsp.dynamics import Ballistics, Control, amplify, peaks_db, step_of
from stages.dsp.mixing import Snr, SnrDefinition, mix
from stages.dsp.noise import NOISE_LOWEST_HZ, NoiseGains, draw_shaped_noise, slope_gains
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for

RUMBLE_DB_PER_OCTAVE = -9.0
"""Wind at a microphone falls by about 26 to 30 dB per decade (Nelke and Vary 2014)."""
CALM_DB = -26.0


@DEGRADATIONS.register
class Wind(Degradation):
    """Wind noise, under which the gain control turns the speech down and the microphone clips.

    The noise is rumble, with broader turbulence on top where a gust is strong; how often it swells is ours.
    What it does to the speech, and the other ranges, are URGENT 2025's: a side-chain compressor, then
    clipping in three cases of four. There, clipping happened always (``bool("False")`` is true) and the
    clean speech was scaled along; here ``clipping`` is a boolean, and the reference is left alone. Raises
    ``UnfitError`` if the speech is silent.
    """

    kind: ClassVar[str] = "wind"
    version: ClassVar[int] = 4
    draws: ClassVar[Mapping[str, Distribution]] = {
        "seed": Integer(low=0, high=2**31 - 1),
        "snr_db": Uniform(low=-10.0, high=15.0),
        "gusts_hz": Uniform(low=0.2, high=2.0),
        "threshold": Uniform(low=0.1, high=0.3),
        "ratio": Uniform(low=1.0, high=20.0),
        "attack_ms": Uniform(low=5.0, high=100.0),
        "release_ms": Uniform(low=5.0, high=100.0),
        "side_chain_gain": Uniform(low=0.8, high=1.2),
        "clipping": OneOf(values=(True, True, True, False)),
        "clipping_threshold": Uniform(low=0.85, high=1.0),
    }

    seed: int = Field(ge=0)
    """Names the wind: the same seed gives the same gusts and the same turbulence."""
    snr_db: float = Field(ge=-60.0, le=100.0)
    """Level of the speech, before the wind turns it down, over that of the wind."""
    snr_definition: SnrDefinition = "rms_active"
    """As for noise."""
    gusts_hz: float = Field(default=0.5, gt=0.0, le=20.0)
    """Up to how many times per second the wind swells."""
    gust_depth_db: float = Field(default=12.0, ge=0.0, le=40.0)
    """Standard deviation of the swelling is a third of this."""
    threshold: float = Field(default=0.2, gt=0.0, le=1.0)
    """Amplitude of the wind, of what is heard of it, above which the speech is turned down."""
    ratio: float = Field(default=4.0, ge=1.0, le=1_000.0)
    """dB by which the wind exceeds the threshold, for one dB of it that the speech is spared; 1 is never."""
    attack_ms: float = Field(default=20.0, ge=0.0, le=1_000.0)
    release_ms: float = Field(default=50.0, ge=0.0, le=5_000.0)
    side_chain_gain: float = Field(default=1.0, ge=0.0, le=10.0)
    """Gain of the wind before it is compared with the threshold."""
    clipping: bool = False
    """Whether the microphone clips."""
    clipping_threshold: float = Field(default=1.0, gt=0.0, le=1.0)
    """Where, as a share of the loudest sample on either side."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Add the wind; report its SNR and peak, how far the speech was turned down, and what clipped."""
        speech = scene.degraded
        mixture = mix(speech, self._noise(speech), Snr(self.snr_db, self.snr_definition))
        wind = speech.with_samples(mixture.added)
        ducking_db = self._ducking_db(wind)
        heard = amplify(speech, ducking_db).samples + wind.samples
        floor, ceiling = self._limits(heard)
        facts = mixture.facts | {
            "most_ducking_db": -float(ducking_db.min()),
            "clipped_fraction": float(np.mean((heard < floor) | (heard > ceiling))),
        }
        return Scene(speech.with_samples(np.clip(heard, floor, ceiling)), scene.reference, facts)

    def _noise(self, speech: Waveform) -> Samples:
        """Return rumble that follows the gusts, and turbulence that follows them twice as strongly."""
        gusts_db = self._gusts_db(speech)
        rumble = self._stationary("rumble", slope_gains(RUMBLE_DB_PER_OCTAVE), speech)
        turbulence = self._stationary("turbulence", _turbulence, speech)
        return amplify(rumble, gusts_db).samples + amplify(turbulence, 2.0 * gusts_db - 14.0).samples

    def _stationary(
        self, part: str, gains_at: Callable[[NoiseGains], NoiseGains], speech: Waveform
    ) -> Waveform:
        rng = rng_for(self.seed, self.kind, part)
        noise = draw_shaped_noise(rng, speech.samples.size, speech.sample_rate, gains_at)
        return speech.with_samples(noise / np.float32(max(rms(noise), 1e-12)))

    def _gusts_db(self, speech: Waveform) -> Control:
        """Return how strong the wind is: around 0 dB, swelling and sinking, at the rate of gains."""
        step_s = step_of(speech.sample_rate) / speech.sample_rate
        num_steps = -(-speech.samples.size // step_of(speech.sample_rate))
        places = np.arange(num_steps, dtype=np.float64) * (2.0 * self.gusts_hz * step_s)
        strengths = rng_for(self.seed, self.kind, "gusts").standard_normal(int(places[-1]) + 2)
        return np.maximum(self.gust_depth_db / 3.0 * _interpolate_smoothly(strengths, places), CALM_DB)

    def _ducking_db(self, wind: Waveform) -> Control:
        heard_db = peaks_db(wind) + to_db(self.side_chain_gain)
        excess_db = np.maximum(heard_db - to_db(self.threshold), 0.0)
        wanted_db = -(1.0 - 1.0 / self.ratio) * excess_db
        return Ballistics(self.attack_ms, self.release_ms).smooth(wanted_db, wind.sample_rate)

    def _limits(self, heard: Samples) -> tuple[float, float]:
        share = self.clipping_threshold if self.clipping else 1.0
        return share * min(float(heard.min()), 0.0), share * max(float(heard.max()), 0.0)


def _turbulence(hertz: NoiseGains) -> NoiseGains:
    """Return a spectrum that is flat to 200 Hz and falls by 6 dB per octave above."""
    return np.asarray(
        np.float32(1.0) / (np.float32(1.0) + np.maximum(hertz, NOISE_LOWEST_HZ) / np.float32(200.0))
    )


def _interpolate_smoothly(values: Control, places: Control) -> Control:
    """Return values between the knots, with level ends: half a cosine from each to the next."""
    before = places.astype(np.intp)
    share = 0.5 - 0.5 * np.cos(np.pi * (places - before))
    return values[before] + share * (values[before + 1] - values[before])
