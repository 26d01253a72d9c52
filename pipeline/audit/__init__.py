"""Audit: whether pairs are better by scores that did not choose them, and how scores agree.

``audit`` reads a run's tables shard by shard. It holds the dataset's pairs against rival choices
(``options``, ``win_rates``), leaves out each criterion in turn (``ablation``), asks which scores prefer a
candidate to the clean reference (``above_clean``), correlates scores (``correlation``) and says where pairs
come from (``yields``), with intervals by ``bootstrap``. ``records`` is what comes out, ``text`` how it
reads.
"""
