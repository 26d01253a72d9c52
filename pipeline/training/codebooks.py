"""Codebooks of gains: learnt in one go from mixtures, and judged by what they leave."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.text import say
from pipeline.training.lesson import Batch
from pipeline.training.mixtures import Mixtures
from schemas import Split
from stages.networks.generative.codes import GainCodes
from stages.networks.generative.context import gains_to, hear
from stages.networks.generative.gains import GAIN_UNIT_DB, NUM_BANDS
from stages.networks.generative.parts import load_part, save_part

FIRST_BATCH = 1_000_000
"""Batches of codebooks are numbered from here: other stretches than the steps of networks hear."""
MIXTURES_AT_ONCE = 16


def train_codebooks(mixtures: Mixtures, folder: Path, batches: int, seed: int) -> float:
    """Learn codebooks from ``batches`` of mixtures, save them, and return their error in dB.

    The error is the root mean square over bands and steps of the validation side.
    """
    estimator = load_part(folder, "estimate", "cpu")
    seen = [_gains(estimator, mixtures, Split.TRAIN, FIRST_BATCH + number) for number in range(batches)]
    codes = GainCodes(NUM_BANDS)
    codes.fit(torch.cat([_as_rows(gains) for gains in seen]), torch.Generator().manual_seed(seed))
    save_part(codes, "codes", folder, builds_on=("estimate",))
    unseen = [_gains(estimator, mixtures, Split.VALIDATION, FIRST_BATCH + number) for number in range(2)]
    say(f"gains: rms {_rms_db(unseen):.2f} dB")
    left = [gains - codes.decode(codes.encode(gains)) for gains in unseen]
    error_db = _rms_db(left)
    say(f"codes of {batches * MIXTURES_AT_ONCE} mixtures leave {error_db:.2f} dB")
    return error_db


def _gains(estimator: Any, mixtures: Mixtures, side: Split, number: int) -> Tensor:
    batch = Batch([mixtures.draw(side, number, place) for place in range(MIXTURES_AT_ONCE)], "cpu")
    return gains_to(batch.clean, hear(estimator, batch.degraded))


def _as_rows(gains: Tensor) -> Tensor:
    return gains.transpose(1, 2).reshape(-1, gains.shape[1])


def _rms_db(gains: Sequence[Tensor]) -> float:
    return GAIN_UNIT_DB * float(torch.cat([_as_rows(each) for each in gains]).square().mean().sqrt())
