"""Audit: whether pairs are better by scores that did not choose them, and how scores agree with people.

``audit`` reads a run's tables shard by shard. It holds the dataset's pairs against rival choices
(``options``, ``win_rates``) and ``baselines``, leaves out each criterion in turn (``ablation``), asks which
scores prefer a candidate to the clean reference (``above_clean``), correlates scores (``correlation``) and
says where pairs come from (``yields``), with intervals by ``bootstrap``. ``records`` is what comes out,
``text`` how it reads. People's ``ratings`` are found in the tables (``rated``) and held against scores and
pairs (``human_agreement``, ``human_records``, ``human_text``).
"""
