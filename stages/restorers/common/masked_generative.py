"""What the two published AnyEnhance models have in common: how their tokens are filled in."""

from typing import Annotated, ClassVar

from pydantic import Field

from stages.restorers.common.worker import PublishedWorker


class MaskedGenerative(PublishedWorker):
    """Fills in the tokens of the Descript codec at 44.1 kHz in some rounds, the surest first; it samples."""

    paradigm: ClassVar[str] = "masked generative"
    sampling: ClassVar[bool] = True
    sample_rate: ClassVar[int] = 44_100
    needs_repository: ClassVar[bool] = True

    steps: Annotated[int, Field(ge=1, le=1000)] = 20
    """Rounds of filling in."""
    guidance: Annotated[float, Field(ge=1.0)] = 1.0
    """Scale of classifier-free guidance; 1 is none."""
    temperature: Annotated[float, Field(ge=0.0)] = 1.0
    """Of the first round; it falls to 0 in the last."""
    top_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    """The share of tokens that one is drawn from, the likeliest."""
