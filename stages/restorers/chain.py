"""One restoration model after another."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, JsonValue, PrivateAttr, model_validator

from schemas import OperatorSpec, Params
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Waveform
from stages.operators.distributions import Uniform
from stages.operators.restorer import RESTORERS, Restorer
from stages.operators.unbatched_restorer import Strength, blend

Link = Mapping[str, JsonValue]
"""A model as in ``restorers``: its ``kind`` and its settings."""


@RESTORERS.register
class RestorerChain(Restorer):
    """Models one after the other, each hearing what the one before it gave, where and as loud as it was.

    Each link is resampled, chunked, aligned and levelled as if it stood alone, so that delays do not add up,
    and draws from a stream of its own. The length at the end is off by what it was at the worst of them.
    """

    kind: ClassVar[str] = "chain"
    paradigm: ClassVar[str] = "as its links"
    licence: ClassVar[str] = "as its links"
    weights: ClassVar[str] = "those of its links"
    draws = {"strength": Uniform(low=0.5, high=1.0)}

    links: tuple[Link, ...] = Field(min_length=1)
    """The models in order, each with its ``kind`` and its settings."""
    strength: Strength = 1.0

    _models: tuple[Restorer, ...] = PrivateAttr(default=())
    _device: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _links_are_models(self) -> Self:
        self._models = tuple(_build_model(link) for link in self.links)
        return self

    @property
    def sampling(self) -> bool:
        """Whether one of the links does."""
        return any(model.sampling or model.global_randomness for model in self._models)

    @property
    def restores_level(self) -> bool:
        """Always: links that do not are levelled one by one."""
        return True

    @property
    def chunk_s(self) -> float | None:
        """None: each link has its own."""
        return None

    @property
    def tolerance(self) -> float:
        """That of all links together."""
        return sum(model.tolerance for model in self._models)

    @property
    def fingerprint_params(self) -> Params:
        """The links without the places of their files."""
        links: list[JsonValue] = [
            {"kind": model.kind, "version": model.version, "params": model.fingerprint_params}
            for model in self._models
        ]
        return {"links": links, "strength": self.strength}

    @property
    def inner(self) -> tuple[Restorer, ...]:
        """The links."""
        return self._models

    @property
    def licences(self) -> tuple[str, ...]:
        """Those of all links."""
        return tuple(dict.fromkeys(licence for model in self._models for licence in model.licences))

    @property
    def environment(self) -> str:
        """Those of its links."""
        return " ".join(dict.fromkeys(model.environment for model in self._models)).strip()

    def with_digests(self) -> Self:
        """Return the chain with every link's digests. Raises ``MissingWeightsError`` without the files."""
        links = [_describe(model.with_digests()) for model in self._models]
        return type(self).model_validate({**self.model_dump(), "links": links})

    def load(self, device: str) -> None:
        """Load every link; raises what loading one of them raises."""
        for model in self._models:
            model.load(device)
        self._device = device

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return what the last link makes of each input."""
        return [self._restore(waveform, stream) for waveform, stream in zip(batch, streams, strict=True)]

    def with_settings(self, settings: Mapping[str, Any]) -> Self:
        """Return the chain under other settings; other links are loaded anew."""
        from stages.restore.calls import load_model  # noqa: PLC0415 - it knows the family that this belongs to

        changed = super().with_settings(settings)
        if changed.links == self.links:
            return changed
        other = type(self).model_validate(changed.model_dump())
        if self._device:
            load_model(other, self._device)
        return other

    def _restore(self, waveform: Waveform, stream: np.random.Generator) -> Waveform:
        from stages.restore.fitting import ModelInput  # noqa: PLC0415 - it knows the family that this belongs to

        restored, changes_s = waveform, []
        for model, own in zip(self._models, stream.spawn(len(self._models)), strict=True):
            model_input = ModelInput(restored, model)
            outputs = self._outputs(model, model_input.chunks, own)
            placed = model_input.fit(outputs, restores_level=model.restores_level)
            restored = placed.waveform
            changes_s.append(placed.length_change_s)
        length = waveform.samples.size + round(max(changes_s, key=abs) * waveform.sample_rate)
        return blend(waveform, fit_length(restored.samples, length), self.strength)

    def _outputs(
        self, model: Restorer, chunks: Sequence[Waveform], stream: np.random.Generator
    ) -> Sequence[Waveform]:
        """Return what a model makes of each chunk, drawing from a stream of its own."""
        from stages.restore.calls import ModelCalls  # noqa: PLC0415 - it knows the family that this belongs to

        calls = ModelCalls(self._device)
        outputs: list[Waveform] = []
        for chunk, own in zip(chunks, stream.spawn(len(chunks)), strict=True):
            given = resample(chunk, model.sample_rate or chunk.sample_rate)
            outputs += calls.outputs(model, [given], [own])
        return outputs


def _build_model(link: Link) -> Restorer:
    if "kind" not in link:
        raise ValueError(f"a link needs its kind, such as {{kind: wiener}}, got {dict(link)}")
    kind = str(link["kind"])
    settings = {name: value for name, value in link.items() if name != "kind"}
    return RESTORERS.build(OperatorSpec(kind=kind, version=RESTORERS[kind].version, params=settings))


def _describe(model: Restorer) -> Link:
    return {"kind": model.kind, **model.spec.params}
