"""Neural codecs: speech that has been the tokens of DAC or EnCodec."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from stages.audio.lag import align, lag_samples
from stages.audio.resampling import resample
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.degradations.common.headroom import with_headroom
from stages.networks import codecs
from stages.networks.codecs import PUBLISHED_CODECS, BackEnd
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Constant, Distribution, Integer, OneOf
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights

_MAX_LAG_S = 0.01


@DEGRADATIONS.register
class NeuralCodec(HasWeights, Degradation):
    """Encoding and decoding by a network, at its rate, with so many codebooks or so many kbit/s.

    ``dac_transformers`` and ``encodec`` read a folder of transformers' (``config.json`` and safetensors;
    published as descript/dac_44khz and facebook/encodec_24khz). ``dac_descript`` is the same network as
    ``dac_transformers`` from its own package and its own file of weights; that package asks for an old
    protobuf, which Ray cannot live with, so it is installed by itself: ``pip install --no-deps
    descript-audio-codec descript-audiotools``, and argbind, einops, flatten-dict, ffmpy,
    importlib_resources, julius, randomname, tensorboard and torchaudio as usual.

    By default it is DAC with any number of its 9 codebooks; the bitrates are those that EnCodec was trained
    for. Trained codecs have no delay, since their loss allows for none; what is measured all the same is
    removed.
    """

    kind: ClassVar[str] = "neural_codec"
    version: ClassVar[int] = 3
    licence: ClassVar[str] = "as the weights"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")
    weights: ClassVar[str] = (
        "descript/dac_44khz and facebook/encodec_24khz on the hub, or a copy that 'path' names"
    )
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "back_end": Constant(value="dac_transformers"),
        "num_codebooks": Integer(low=1, high=9),
        "bandwidth_kbps": OneOf(values=(1.5, 3.0, 6.0, 12.0, 24.0)),
    }

    back_end: BackEnd = "dac_transformers"
    num_codebooks: int | None = Field(default=None, ge=1, le=64)
    """Of DAC: how many of its codebooks are used, at most those that it has; 9 codebooks are 8 kbit/s."""
    bandwidth_kbps: float | None = Field(default=None, gt=0.0, le=64.0)
    """Of EnCodec: one of the bitrates that it was trained for."""
    generations: int = Field(default=1, ge=1, le=16)
    """How often the speech goes through the network, one after the other."""
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    """Where the network runs: other hardware, other last bits."""

    @model_validator(mode="before")
    @classmethod
    def _forget_what_the_codec_has_not(cls, fields: Any) -> Any:
        other = "num_codebooks" if fields.get("back_end") == "encodec" else "bandwidth_kbps"
        return {**fields, other: None}

    @model_validator(mode="after")
    def _has_its_setting(self) -> Self:
        if self.num_codebooks is None and self.bandwidth_kbps is None:
            needed = "bandwidth_kbps" if self.back_end == "encodec" else "num_codebooks"
            raise ValueError(f"{self.back_end} needs {needed}")
        return self

    @property
    def published(self) -> Weights | None:
        """The weights of transformers' two; the original DAC's file is its package's to fetch."""
        return PUBLISHED_CODECS.get(self.back_end)

    @classmethod
    def catalogue(cls) -> tuple[Weights, ...]:
        """Return all weights that some back end stands for."""
        return tuple(PUBLISHED_CODECS.values())

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Encode and decode; report the rate, the bits, and the delay that was removed.

        Raises ``MissingWeightsError`` if the weights are not there or others than pinned.
        """
        codec = codecs.load_codec(self.back_end, self.require_place(), self.device)
        speech, delays = scene.degraded, []
        for _ in range(self.generations):
            speech, delay = self._generation(codec, speech)
            delays.append(delay)
        facts = {
            "codec_sample_rate_hz": float(codec.sample_rate),
            "bitrate_kbps": codec.bitrate_kbps(self._setting),
            "delay_samples": float(sum(delays)),
        }
        return Scene(speech, scene.reference, facts)

    @property
    def _setting(self) -> float:
        return float(self.num_codebooks or self.bandwidth_kbps or 0.0)

    def _generation(self, codec: codecs.LoadedCodec, speech: Waveform) -> tuple[Waveform, int]:
        """Return the speech after one way through the network, and the delay that was removed."""
        sent = resample(speech, codec.sample_rate)

        def through(samples: Samples) -> Samples:
            return codec.transcode(samples, self._setting)

        heard = resample(sent.with_samples(with_headroom(through, sent.samples)), speech.sample_rate)
        lag = lag_samples(heard.samples, speech.samples, round(_MAX_LAG_S * speech.sample_rate))
        return speech.with_samples(align(heard.samples, lag, speech.samples.size)), lag
