"""What a training loop needs of a dataset: pairs as a stream of batches, and the losses of preferences.

>>> from torch.utils.data import DataLoader
>>> from pipeline.dpo import PairStream, collate
>>> pairs = PairStream("runs/demo/dataset", sample_rate=16_000, crop_s=2.0, seed=0)
>>> batches = DataLoader(pairs, batch_size=8, num_workers=2, collate_fn=collate)

Needs torch; nothing else in this program imports it.
"""

from pipeline.dpo.batch import PairBatch, collate
from pipeline.dpo.group_loss import clipped_loss
from pipeline.dpo.log_ratios import (
    LogRatios,
    TokenLogProbs,
    autoregressive_log_ratios,
    flow_log_ratios,
    masked_generative_log_ratios,
    masked_mean,
)
from pipeline.dpo.loss import anchored, cross_entropy, dpo_loss, flow_dpo_loss, ipo_loss
from pipeline.dpo.rewards import PairRewards
from pipeline.dpo.selection import Selection
from pipeline.dpo.stream import PairExample, PairStream
from pipeline.dpo.token_masks import draw_token_mask

__all__ = [
    "LogRatios",
    "PairBatch",
    "PairExample",
    "PairRewards",
    "PairStream",
    "Selection",
    "TokenLogProbs",
    "anchored",
    "autoregressive_log_ratios",
    "clipped_loss",
    "collate",
    "cross_entropy",
    "dpo_loss",
    "draw_token_mask",
    "flow_dpo_loss",
    "flow_log_ratios",
    "ipo_loss",
    "masked_generative_log_ratios",
    "masked_mean",
]
