"""Several pairs as tensors of one length, with masks that say where each of them ends."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from pipeline.dpo.stream import PairExample
from stages.audio.waveform import Samples


class PairBatch(NamedTuple):
    """Waveforms of shape (batch, samples), zero where ``mask`` is false."""

    pair_ids: tuple[str, ...]
    sample_rate: int
    degraded: Tensor
    chosen: Tensor
    rejected: Tensor
    clean: Tensor | None
    """None if the examples came without the clean reference."""
    lengths: Tensor
    """Samples of each pair before padding, the same on all sides; int64 of shape (batch,)."""
    mask: Tensor
    """True where there is audio; bool of shape (batch, samples)."""

    def to(self, device: torch.device | str) -> Self:
        """Return the batch with all its tensors on ``device``."""
        moved = {
            name: value.to(device, non_blocking=True)
            for name, value in self._asdict().items()
            if isinstance(value, Tensor)
        }
        return self._replace(**moved)


def collate(examples: Sequence[PairExample]) -> PairBatch:
    """Return the examples as one batch, padded at the end to the longest of them.

    Raises ``ValueError`` if their sample rates differ, or only some have a clean reference.
    """
    rates = {example.sample_rate for example in examples}
    if len(rates) != 1:
        raise ValueError(f"one batch needs one sample rate, and these examples have {sorted(rates)}")
    lengths = torch.tensor([example.degraded.size for example in examples])
    return PairBatch(
        pair_ids=tuple(example.pair_id for example in examples),
        sample_rate=rates.pop(),
        degraded=_pad([example.degraded for example in examples]),
        chosen=_pad([example.chosen for example in examples]),
        rejected=_pad([example.rejected for example in examples]),
        clean=_clean(examples),
        lengths=lengths,
        mask=torch.arange(int(lengths.max()))[None] < lengths[:, None],
    )


def _clean(examples: Sequence[PairExample]) -> Tensor | None:
    given = [example.clean for example in examples if example.clean is not None]
    if given and len(given) < len(examples):
        raise ValueError("some examples of this batch have a clean reference and some have none")
    return _pad(given) if given else None


def _pad(sides: Sequence[Samples]) -> Tensor:
    batch = np.zeros((len(sides), max(side.size for side in sides)), dtype=np.float32)
    for row, side in zip(batch, sides, strict=True):
        row[: side.size] = side
    return torch.from_numpy(batch)
