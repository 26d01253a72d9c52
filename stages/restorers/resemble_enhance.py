"""Resemble-Enhance: a denoiser, then latent flow matching, at 44.1 kHz."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas import Digest
from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import Weights
from stages.weights.repositories import HUB, make_hub_file

RUN = "enhancer_stage2"
_REPOSITORY = "ResembleAI/resemble-enhance"
_REVISION = "4e3510ce4a8391159f665903544c5150bee7b2cb"
_FILES: Mapping[str, tuple[int, Digest]] = {
    "hparams.yaml": (717, "80c3f15bc5a5b2cacf2c698699a0f6599d62911c0d53e1d6dee895c0d7cbaeac"),
    "ds/G/latest": (7, "37a8eec1ce19687d132fe29051dca629d164e2c4958ba141d5f4133a33f0688f"),
    "ds/G/default/mp_rank_00_model_states.pt": (
        713_176_232,
        "f9d035f318de3e6d919bc70cf7ad7d32b4fe92ec5cbe0b30029a27f5db07d9d6",
    ),
}
"""Bytes and SHA-256, as several projects that pin them have them."""
_Share = Annotated[float, Field(ge=0.0, le=1.0)]


@RESTORERS.register
class ResembleEnhance(PublishedWorker):
    """Denoising and a new rendering of the voice by flow matching in a latent space; it samples.

    Package ``resemble-enhance`` 0.0.1 (github.com/resemble-ai/resemble-enhance, read at commit
    d1c1e4b12f1577869d8c11ad7345b31f2f281814). Hazards: beyond 29 s it cuts its input itself and moves the
    parts against each other in steps of 5 ms, so it is given no more than that at once; on the 44.1 kHz part
    of URGENT 2025 it made characters harder to recognise rather than easier; the package asks for deepspeed,
    which inference does not use.
    """

    kind: ClassVar[str] = "resemble_enhance"
    paradigm: ClassVar[str] = "flow matching"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "huggingface.co/ResembleAI/resemble-enhance"
    sampling: ClassVar[bool] = True
    sample_rate: ClassVar[int] = 44_100
    chunk_s: ClassVar[float] = 28.0

    nfe: Annotated[int, Field(ge=1, le=128)] = 32
    """Function evaluations of the solver: its steps, twice as many as that for midpoint."""
    solver: Literal["midpoint", "rk4", "euler"] = "midpoint"
    denoising: _Share = 0.5
    """The denoiser's share in what the flow is conditioned on (the package's ``lambd``)."""
    prior_temperature: _Share = 0.5
    """How much of the prior's noise the flow starts from (the package's ``tau``)."""

    @property
    def published(self) -> Weights:
        """The second stage, which holds the denoiser too."""
        return Weights(
            name="resemble_enhance",
            source=f"{HUB}/{_REPOSITORY}",
            revision=_REVISION,
            licence="MIT",
            files=tuple(
                make_hub_file(
                    _REPOSITORY,
                    f"{RUN}/{file}",
                    revision=_REVISION,
                    name=file,
                    sha256=sha256,
                    size_bytes=size_bytes,
                )
                for file, (size_bytes, sha256) in _FILES.items()
            ),
        )
