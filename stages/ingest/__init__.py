"""Ingest: a file as people have it becomes utterances as the pipeline needs them, or a reason why not.

A recording is known by its first bytes (``formats``), held against its container down to the last byte
(``containers``), opened by libsndfile or PyAV (``sounds``), decoded (``decoding``), mixed down, cut at
pauses, resampled and looked at (``probe``); its speaker or its bytes say on which side of the dataset it is
(``splits``). Pools go the same way: noise and measured responses (``pools``), and rooms and noises that are
made on the spot (``made_pools``).
"""

from stages.ingest.stage import VERSION, IngestSettings, IngestStage

__all__ = ["VERSION", "IngestSettings", "IngestStage"]
