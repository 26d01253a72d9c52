"""Secondary artefacts: what restoration models do to speech that another one will have to restore."""

import numpy as np

from schemas import BrokenError, OperatorSpec, Reason, UnfitError
from stages.active_level import active_level_db
from stages.alignment import align, lag_samples
from stages.level import from_db, is_silent
from stages.resampling import fit_length, resample
from stages.restorers import RESTORERS
from stages.restorers.base import Restorer
from stages.rng import rng_for
from stages.waveform import Waveform

MAX_LAG_S = 0.25
SHORTEST_S = 0.5
"""What models are given at least; shorter speech is followed by silence."""


class LoadedRestorers:
    """Restoration models, each loaded on the CPU when it is first met, and kept."""

    def __init__(self) -> None:
        self._loaded: dict[str, Restorer] = {}

    def restored(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the model gives it back, at its length, place and active level.

        ``seed`` names the stream of models that sample. Raises ``UnfitError`` for silence, ``BrokenError``
        if no audio comes back, and ``MissingWeightsError`` if the model's are not there.
        """
        if is_silent(speech.samples):
            raise UnfitError(Reason.SILENT, "nothing to restore: under −120 dBFS")
        model = self._model(spec)
        length = max(speech.samples.size, round(SHORTEST_S * speech.sample_rate))
        given = resample(
            speech.with_samples(fit_length(speech.samples, length)), model.sample_rate or speech.sample_rate
        )
        (output,) = model.restore((given,), (rng_for(seed, "secondary", spec.kind),))
        if output.samples.size == 0 or not np.isfinite(output.samples).all():
            raise BrokenError(Reason.NOT_FINITE, f"{spec.kind} gave back something that is not audio")
        return _placed(resample(output, speech.sample_rate), speech, restores_level=model.restores_level)

    def _model(self, spec: OperatorSpec) -> Restorer:
        name = spec.fingerprint
        if name not in self._loaded:
            model = RESTORERS.build(spec)
            model.load("cpu")
            self._loaded[name] = model
        return self._loaded[name]


def _placed(restored: Waveform, speech: Waveform, *, restores_level: bool) -> Waveform:
    lag = lag_samples(restored.samples, speech.samples, round(MAX_LAG_S * speech.sample_rate))
    aligned = speech.with_samples(align(restored.samples, lag, speech.samples.size))
    if restores_level or is_silent(aligned.samples):
        return aligned
    wanted, found = (active_level_db(each.samples, each.sample_rate) for each in (speech, aligned))
    return aligned.scaled(from_db(wanted - found))
