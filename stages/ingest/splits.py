"""Which side of a dataset a recording is on: decided by what it is alone, so that growth moves nothing."""

import hashlib
import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from schemas import Source, Split

TRAIN_ONLY: Mapping[Split, float] = {Split.TRAIN: 1.0}
_TOLERANCE = 1e-6


def side_of(source: Source, fractions: Mapping[Split, float]) -> Split:
    """Return the side of a recording: its speaker's, or else that of its bytes.

    Copies are then on one side, whatever they are called and in whichever corpus they lie. A recording that
    cannot be read goes by its name.
    """
    if source.speaker is None and source.content:
        return split_for(fractions, "", source.content)
    return split_for(fractions, source.corpus, source.speaker or source.name)


def split_for(fractions: Mapping[Split, float], corpus: str, name: str) -> Split:
    """Return the side of ``name``, of ``corpus``.

    ``fractions`` are checked by ``check_fractions``. The choice depends on nothing but the arguments.
    """
    place = _place(corpus, name)
    reached = 0.0
    shares = [(split, fractions[split]) for split in Split if fractions.get(split, 0.0) > 0.0]
    for split, share in shares:
        reached += share
        if place < reached:
            return split
    return shares[-1][0]


def check_fractions(fractions: Mapping[Split, float]) -> Mapping[Split, float]:
    """Return ``fractions``, or raise ``ValueError`` unless they are shares that sum to 1."""
    total = math.fsum(fractions.values())
    if min(fractions.values(), default=0.0) < 0.0 or abs(total - 1.0) > _TOLERANCE:
        shares = ", ".join(f"{split}: {share:g}" for split, share in fractions.items())
        raise ValueError(f"split fractions must be 0 or more and sum to 1; {{{shares}}} sums to {total:g}")
    return fractions


def _place(corpus: str, name: str) -> float:
    """Return a number in [0, 1) that looks drawn."""
    digest = hashlib.sha256(f"{corpus}\x1f{name}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


Fractions = Annotated[dict[Split, float], AfterValidator(check_fractions)]
