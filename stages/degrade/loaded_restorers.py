"""Secondary artefacts: what restoration models do to speech that another one will have to restore."""

from schemas import OperatorSpec
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Waveform
from stages.operators.restorer import Restorer
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, load_model
from stages.restore.fitting import ModelInput
from stages.restorers import RESTORERS

_SHORTEST_S = 0.5
"""What models are given at least; shorter speech is followed by silence."""


class LoadedRestorers:
    """Restoration models, each loaded on the CPU when it is first met, and kept."""

    def __init__(self) -> None:
        self._loaded: dict[str, Restorer] = {}
        self._calls = ModelCalls()

    def apply_restorer(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the model gives it back, at its length, place and active level.

        ``seed`` names the stream of models that sample. Raises ``UnfitError`` for silence, ``BrokenError``
        if no audio comes back, and ``MissingWeightsError`` if the model's are not there.
        """
        model = self._model(spec)
        length = max(speech.samples.size, round(_SHORTEST_S * speech.sample_rate))
        model_input = ModelInput(speech.with_samples(fit_length(speech.samples, length)), model)
        outputs: list[Waveform] = []
        for part, chunk in model_input.named_chunks:
            given = resample(chunk, model.sample_rate or speech.sample_rate)
            stream = rng_for(seed, "secondary", spec.kind, *part)
            outputs += self._calls.outputs(model, (given,), (stream,))
        restored = model_input.fit(outputs, restores_level=model.restores_level).waveform
        return speech.with_samples(fit_length(restored.samples, speech.samples.size))

    def _model(self, spec: OperatorSpec) -> Restorer:
        name = spec.fingerprint
        if name not in self._loaded:
            model = RESTORERS.build(spec)
            load_model(model, "cpu")
            self._loaded[name] = model
        return self._loaded[name]
