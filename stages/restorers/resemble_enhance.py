"""Resemble-Enhance: a denoiser, then latent flow matching, at 44.1 kHz."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stages.hub import hub_file
from stages.restorers.base import RESTORERS
from stages.restorers.published_worker import PublishedWorker
from stages.weights import Weights

RUN = "enhancer_stage2"
FILES = ("hparams.yaml", "ds/G/latest", "ds/G/default/mp_rank_00_model_states.pt")
Share = Annotated[float, Field(ge=0.0, le=1.0)]


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
    denoising: Share = 0.5
    """The denoiser's share in what the flow is conditioned on (the package's ``lambd``)."""
    prior_temperature: Share = 0.5
    """How much of the prior's noise the flow starts from (the package's ``tau``)."""

    @property
    def published(self) -> Weights:
        """The second stage, which holds the denoiser too."""
        return Weights(
            name="resemble_enhance",
            source="https://huggingface.co/ResembleAI/resemble-enhance",
            licence="MIT",
            files=tuple(
                hub_file("ResembleAI/resemble-enhance", f"{RUN}/{file}", name=file) for file in FILES
            ),
        )
