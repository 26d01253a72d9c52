"""Secondary artefacts: speech that a restoration model has already been at."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field, JsonValue

from schemas import OperatorSpec, Params
from stages.audio.waveform import AudioSource
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, OneOf
from stages.weights.locations import without_paths

BUILT_IN: tuple[JsonValue, ...] = (
    {"kind": "spectral_gate", "version": 1, "params": {"strength": 1.0}},
    {"kind": "wiener", "version": 1, "params": {}},
)
"""Restorers whose artefacts are audible and that need no weights."""


@DEGRADATIONS.register
class RestoredBy(Degradation):
    """The output of any restorer of this project, at the length, place and active level of the speech.

    AATC 2025's third category, whose training set has the outputs of ten enhancers. The restorer is given as
    ``{kind: onnx, version: 1, params: {…}}``; one that reads a file should name it by an absolute path and
    its ``sha256``, for then the dataset knows it by what is in it. Most restorers leave artefacts where there
    is something to restore, so this step belongs after the one that adds it.
    """

    kind: ClassVar[str] = "restored_by"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "as the restorer"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "restorer": OneOf(values=BUILT_IN),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    restorer: OperatorSpec
    seed: int = Field(default=0, ge=0)
    """Names the stream of restorers that sample; others take no notice."""

    @property
    def fingerprint_params(self) -> Params:
        """The settings without the place of a file whose digest is among them."""
        return without_paths(super().fingerprint_params)

    @property
    def licences(self) -> tuple[str, ...]:
        """None but the restorer's, which whoever builds it asks."""
        return ()

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Restore, and report whether that changed anything."""
        heard = sources.apply_restorer(self.restorer, scene.degraded, self.seed)
        applied = not np.array_equal(heard.samples, scene.degraded.samples)
        return Scene(heard, scene.reference, {"applied": float(applied)})
