"""Packet loss: speech over a network that loses packets, and what the receiver makes of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from schemas import Fact
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.degradations.common import libopus, loss_models
from stages.degradations.common.headroom import with_headroom
from stages.degradations.common.loss_models import Lost
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Constant, Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for

_Share = Annotated[float, Field(ge=0.0, le=1.0)]
Transition = Annotated[float, Field(gt=0.0, le=1.0)]
NEEDED = {
    "bernoulli": {"loss_rate"},
    "bursts": {"loss_rate", "longest_burst_packets"},
    "gilbert_elliott": {"good_to_bad", "bad_to_good", "loss_in_good", "loss_in_bad"},
    "trace": {"trace"},
}
OPTIONAL = {"bernoulli": {"longest_burst_packets"}, "gilbert_elliott": {"longest_burst_packets"}}
CHANNEL = {"loss_in_good": 0.0, "loss_in_bad": 1.0}
"""Gilbert's channel: all is lost while it is bad, nothing while it is good."""


@DEGRADATIONS.register
class PacketLoss(Degradation):
    """Packets of ``packet_ms`` are lost by ``model``, and concealed.

    ``bursts`` loses a given share in bursts of up to a given length: URGENT 2025's, and the default with its
    20 ms, 5 to 25 % and 10 packets. ``opus`` as concealment sends the speech as a voice call through libopus,
    whose own decoder then fills the gaps; FFmpeg's decoders would leave them out. Where no packet was lost,
    or only silent ones, the fact ``applied`` is 0, unless the speech has been through Opus.
    """

    kind: ClassVar[str] = "packet_loss"
    version: ClassVar[int] = 3
    libraries: ClassVar[tuple[str, ...]] = ("av",)
    draws: ClassVar[Mapping[str, Distribution]] = {
        "model": Constant(value="bursts"),
        "loss_rate": Uniform(low=0.05, high=0.25),
        "longest_burst_packets": Constant(value=10),
        "concealment": OneOf(values=("zero", "repeat", "opus")),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    model: Literal["bernoulli", "bursts", "gilbert_elliott", "trace"]
    seed: int = Field(ge=0, lt=2**63)
    """Decides which packets are lost."""
    packet_ms: float = Field(default=20.0, ge=2.5, le=120.0)
    """How much of the speech is in a packet; with ``opus``, one of the lengths that Opus has."""
    loss_rate: _Share | None = None
    """Of ``bernoulli`` the probability, of ``bursts`` the share of packets that is lost."""
    longest_burst_packets: int | None = Field(default=None, ge=1)
    """The most packets lost in a row; the next one arrives then, whatever the model says."""
    good_to_bad: Transition | None = None
    """How likely a good channel is bad at the next packet (Gilbert–Elliott's p)."""
    bad_to_good: Transition | None = None
    """How likely a bad channel is good at the next packet (r)."""
    loss_in_good: _Share | None = None
    """How likely a packet is lost while the channel is good (1 − k); 0 unless said."""
    loss_in_bad: _Share | None = None
    """How likely a packet is lost while the channel is bad (1 − h); 1 unless said."""
    trace: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Packets that arrived, were lost, arrived … as observed, met at a place that the seed decides.

    Or the name of a file with one 0 (arrived) or 1 (lost) per packet; a recipe holds what was in it.
    """
    concealment: Literal["zero", "repeat", "opus"] = "zero"
    """Silence; the last packet that arrived, faded; or what libopus' decoder does."""
    fade_ms: float = Field(default=60.0, gt=0.0, le=1_000.0)
    """Of ``repeat``: when nothing is left of the repeated packet (ITU-T G.711 Appendix I: 60 ms)."""
    opus_bitrate_kbps: float = Field(default=24.0, ge=6.0, le=128.0)
    """Of ``opus``: what the call may take."""

    @model_validator(mode="before")
    @classmethod
    def _forget_what_the_model_has_not(cls, fields: Any) -> Any:
        model = fields.get("model")
        known = NEEDED.get(model, set()) | OPTIONAL.get(model, set())
        given = {**(CHANNEL if model == "gilbert_elliott" else {}), **_describe_fields(fields)}
        return {name: given[name] for name in given if name in known or name not in ALL_SETTINGS}

    @field_validator("trace", mode="before")
    @classmethod
    def _read_a_file(cls, trace: Any) -> Any:
        return loss_models.read_trace(Path(trace)) if isinstance(trace, str | Path) else trace

    @model_validator(mode="after")
    def _has_what_the_model_needs(self) -> Self:
        missing = sorted(name for name in NEEDED[self.model] if getattr(self, name) is None)
        if missing:
            raise ValueError(f"the model {self.model!r} needs {', '.join(missing)}")
        if self.trace is not None and sum(self.trace) == 0:
            raise ValueError("the trace has no packet")
        if self.concealment == "opus" and self.packet_ms not in libopus.PACKETS_MS:
            raise ValueError(f"Opus has packets of {libopus.PACKETS_MS} ms, not of {self.packet_ms}")
        return self

    def draw_lost(self, num_packets: int) -> Lost:
        """Return which of so many packets are lost."""
        rng = rng_for(self.seed, self.kind)
        lost = self._draw_losses(rng, num_packets)
        return lost if self.longest_burst_packets is None else loss_models.limit_runs(lost, self._longest)

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Lose packets; report how many there were and were lost, and the runs, as ``trace`` has them."""
        speech = scene.degraded
        heard, lost = self._over_opus(speech) if self.concealment == "opus" else self._plain(speech)
        runs = loss_models.run_lengths(lost)
        facts: dict[str, Fact] = {
            "num_packets": float(lost.size),
            "num_lost_packets": float(lost.sum()),
            "loss_rate": float(lost.mean()),
            "longest_run_packets": float(max(runs[1::2], default=0)),
            "run_lengths_packets": tuple(map(float, runs)),
            "applied": float(not np.array_equal(heard.samples, speech.samples)),
        }
        return Scene(heard, scene.reference, facts)

    def _plain(self, speech: Waveform) -> tuple[Waveform, Lost]:
        bounds = loss_models.packet_bounds_of(speech.samples.size, self.packet_ms * speech.sample_rate / 1000)
        lost = self.draw_lost(bounds.size - 1)
        if self.concealment == "zero":
            return speech.with_samples(loss_models.silence_lost(speech.samples, lost, bounds)), lost
        fade = round(self.fade_ms * speech.sample_rate / 1000)
        return speech.with_samples(loss_models.repeat_last(speech.samples, lost, bounds, fade)), lost

    def _over_opus(self, speech: Waveform) -> tuple[Waveform, Lost]:
        """Return the call; packets hold what they hold a look-ahead later than ``packet_bounds_of`` says."""
        rates: list[int] = []
        lost: list[Lost] = []

        def through(samples: Samples) -> Samples:
            stream = libopus.encode_opus(speech.with_samples(samples), self.opus_bitrate_kbps, self.packet_ms)
            rates.append(stream.sample_rate)
            lost.append(self.draw_lost(len(stream.packets)))
            return libopus.decode_opus(stream, lost[-1].tolist())

        heard = with_headroom(through, speech.samples)
        back = resample(Waveform(heard, rates[0]), speech.sample_rate)
        return speech.with_samples(fit_length(back.samples, speech.samples.size)), lost[0]

    @property
    def _longest(self) -> int:
        return self.longest_burst_packets or 1

    def _draw_losses(self, rng: np.random.Generator, num_packets: int) -> Lost:
        if self.model == "bernoulli":
            return loss_models.draw_independent(rng, num_packets, self.loss_rate or 0.0)
        if self.model == "bursts":
            return loss_models.draw_bursts(rng, num_packets, self.loss_rate or 0.0, self._longest)
        if self.model == "trace":
            return loss_models.draw_from_trace(rng, num_packets, self.trace or ())
        transitions = self.good_to_bad or 1.0, self.bad_to_good or 1.0
        losses = self.loss_in_good or 0.0, self.loss_in_bad or 0.0
        return loss_models.draw_gilbert_elliott(rng, num_packets, transitions, losses)


ALL_SETTINGS = frozenset().union(*NEEDED.values(), *OPTIONAL.values())


def _describe_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
