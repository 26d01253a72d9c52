"""What a training loop needs of a dataset: pairs as a stream of batches, and the loss of DPO.

>>> from torch.utils.data import DataLoader
>>> from pipeline.dpo import PairStream, collate
>>> pairs = PairStream("runs/demo/dataset", sample_rate=16_000, crop_s=2.0, seed=0)
>>> batches = DataLoader(pairs, batch_size=8, num_workers=2, collate_fn=collate)

Needs torch; nothing else in this program imports it.
"""

from pipeline.dpo.batch import PairBatch, collate
from pipeline.dpo.loss import flow_dpo_loss, masked_mean
from pipeline.dpo.selection import Selection
from pipeline.dpo.stream import PairExample, PairStream

__all__ = [
    "PairBatch",
    "PairExample",
    "PairStream",
    "Selection",
    "collate",
    "flow_dpo_loss",
    "masked_mean",
]
