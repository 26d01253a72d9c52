"""Pairs of degraded and clean stretches, drawn by number: the project's simulator, on the fly."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.training.material import Material
from schemas import RecordError, RunError, Split
from stages.audio.cache import AudioCache
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform
from stages.degrade.stage import DegradeStage
from stages.operators.rng import rng_for
from stages.plan.drawing import Occasion, draw_steps

DRAW_TRIES = 20
"""Stretches that come to nothing, being silent say, are drawn again so many times."""


@dataclass(frozen=True, slots=True)
class TrainingMixture:
    """Degraded speech and its reference, float32 of one length, not levelled."""

    degraded: Samples
    clean: Samples


class Mixtures:
    """Draws mixtures of ``stretch_s`` at ``sample_rate`` from material."""

    def __init__(self, material: Material, seed: int, stretch_s: float, sample_rate: int) -> None:
        self._material, self._seed = material, seed
        self._num_samples = round(stretch_s * sample_rate)
        self._stretch_s, self._sample_rate = stretch_s, sample_rate
        self._stage = DegradeStage(material.sources, AudioCache())

    def draw(self, side: Split, number: int, place: int) -> TrainingMixture:
        """Return the mixture at ``place`` in the batch of step ``number``.

        Raises ``RunError`` if again and again nothing comes of what is drawn.
        """
        for attempt in range(DRAW_TRIES):
            name = f"{side}:{number}:{place}:{attempt}"
            try:
                return self._draw(side, name)
            except RecordError as error:
                last = error
        raise RunError(
            f"no mixture can be drawn from this config: {DRAW_TRIES} in a row failed, the last: {last}"
        )

    def _draw(self, side: Split, name: str) -> TrainingMixture:
        rng = rng_for(self._seed, "train", "stretch", name)
        voice = self._material.draw_voice(side, rng)
        clean = self._cut(self._material.read(voice), rng)
        utterance = replace(voice.utterance, id=name, duration_s=clean.duration_s)
        pools = self._material.pools.get(side, {})
        steps = draw_steps(self._material.run.chain, Occasion(utterance, 0, self._seed, pools, side))
        scene, _ = self._stage.damage(clean, steps)
        return TrainingMixture(self._fit(scene.degraded), self._fit(scene.reference))

    def _cut(self, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        """Return a stretch of an utterance, or all of a short one."""
        wanted = round(self._stretch_s * waveform.sample_rate)
        start = int(rng.integers(max(1, waveform.samples.size - wanted + 1)))
        return waveform.with_samples(waveform.samples[start : start + wanted])

    def _fit(self, waveform: Waveform) -> Samples:
        return fit_length(resample(waveform, self._sample_rate).samples, self._num_samples)
