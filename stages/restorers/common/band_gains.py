"""What this project's own generative models share: an estimate, gains around it, and sound from both."""

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from schemas import Digest
from stages.audio.audible import audible_rms
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform
from stages.operators.distributions import Distribution
from stages.operators.restorer import Restorer
from stages.weights.files import weights_digest
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 16_000
_WEIGHTS = Path(__file__).parents[2] / "networks" / "generative" / "weights"
Temperature = Annotated[float, Field(ge=0.0, le=2.0)]
"""How far draws stray: 1 as in training, 0 not at all."""


class BandGainModel(HasWeights, Restorer):
    """A predictive network estimates the clean spectrum; gains of 48 bands are then drawn around it.

    The networks hear 16 kHz. What an input of a higher rate has above 8 kHz stays, under the gain that the
    highest band has got. ``path`` is a folder that ``python -m pipeline train`` has filled.
    """

    weights: ClassVar[str] = "the folder that the config names, made by 'python -m pipeline train'"
    licence: ClassVar[str] = "Apache-2.0"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "safetensors")
    loaded_by: ClassVar[frozenset[str]] = frozenset()
    draws: ClassVar[Mapping[str, Distribution]] = {}
    parts: ClassVar[tuple[str, ...]]
    """Its networks, the one that draws last; files of these names are its weights."""

    phase_iterations: Annotated[int, Field(ge=0, le=200)] = 12
    """Rounds of Griffin and Lim's fast algorithm from the phases of the input."""

    _networks: Any = PrivateAttr(default=None)
    _heard: Any = PrivateAttr(default=None)

    @property
    def sampling(self) -> bool:
        """It draws its gains."""
        return True

    @property
    def restores_level(self) -> bool:
        """It knows how loud the speech was in what it was given."""
        return True

    @property
    def place(self) -> Path:
        """The folder of the networks."""
        return self.path or _WEIGHTS

    @property
    def _weights_licence(self) -> str:
        return "CC-BY-4.0" if self.path is None else super()._weights_licence

    def _digest(self) -> Digest:
        """Return the digest of the files of its own parts: others may lie beside them."""
        digests = [f"{part} {weights_digest(self._file_of(part))}" for part in self.parts]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()

    def _file_of(self, part: str) -> Path:
        return self.place / f"{part}.safetensors"

    def load(self, device: str) -> None:
        """Bring the networks to ``device``; raises ``MissingWeightsError`` if one is not there or another."""
        from stages.networks.generative.parts import load_parts  # noqa: PLC0415

        self.require_place()
        self._networks, self._heard = load_parts(self.place, self.parts, device), None

    @abstractmethod
    def draw_gains(self, condition: Any, stream: Any) -> Any:
        """Return gains (1, bands, steps) drawn under a condition by a generator of torch."""

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the restored inputs, of the same length: at their own rate, or 16 kHz where that is less."""
        return [self._restore_one(*given) for given in zip(batch, streams, strict=True)]

    def _restore_one(self, waveform: Waveform, stream: np.random.Generator) -> Waveform:
        import torch  # noqa: PLC0415

        low = resample(waveform, _SAMPLE_RATE)
        generator = torch.Generator().manual_seed(int(stream.integers(2**62)))
        with torch.inference_mode():
            restored, top_gain_db = self._restore_low(low.samples, generator)
        if waveform.sample_rate <= _SAMPLE_RATE:
            return Waveform(restored, _SAMPLE_RATE)
        back = resample(Waveform(restored, _SAMPLE_RATE), waveform.sample_rate).samples
        kept = resample(low, waveform.sample_rate).samples
        size = waveform.samples.size
        above = waveform.samples - fit_length(kept, size)
        return waveform.with_samples(fit_length(back, size) + above * _over_samples(top_gain_db, size))

    def _restore_low(self, samples: Samples, generator: Any) -> tuple[Samples, Samples]:
        """Return restored samples at 16 kHz, and for each step the gain of the highest bins in dB."""
        from stages.networks.generative.gains import apply_band_gains, gains_at_the_top  # noqa: PLC0415
        from stages.networks.generative.spectra import LEVEL_RMS, rebuild_phase  # noqa: PLC0415

        scale = LEVEL_RMS / max(audible_rms(samples, _SAMPLE_RATE), 1e-6)
        context = self._hear(samples, scale)
        gains = self.draw_gains(self._networks[self.parts[-1]].condition(*context.told), generator)
        spectra = apply_band_gains(context.spectra, gains)
        made = rebuild_phase(spectra, samples.size, self.phase_iterations)[0].cpu().numpy()
        top_db = gains_at_the_top(context.degraded, spectra)[0].cpu().numpy()
        return (made / scale).astype(np.float32), np.minimum(top_db, 0.0)

    def _hear(self, samples: Samples, scale: float) -> Any:
        """Return what the predictive network makes of the input, kept for the next take of the same."""
        import torch  # noqa: PLC0415

        from stages.networks.generative.context import hear  # noqa: PLC0415

        if self._heard is None or not np.array_equal(self._heard[0], samples):
            estimator = self._networks["estimate"]
            device = next(estimator.parameters()).device
            given = torch.from_numpy((scale * samples).astype(np.float32))[None].to(device)
            self._heard = samples.copy(), hear(estimator, given)
        return self._heard[1]


def _over_samples(gains_db: Samples, num_samples: int) -> Samples:
    """Return amplitudes for each sample of gains of steps, the last of which reaches to the end."""
    places = (np.arange(gains_db.size) + 0.25) * num_samples / max(gains_db.size - 1, 1)
    return np.asarray(10.0 ** (np.interp(np.arange(num_samples), places, gains_db) / 20.0), dtype=np.float32)
