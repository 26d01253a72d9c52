"""Degrade: a recipe carried out, step by step, on the clean utterance that it is for.

The stage writes the degraded audio and the reference that it is judged by, aligned with it. Recordings that
a recipe names come from an audio source: the tables of pools, or memory (``memory_source``). Restorers that
a recipe uses as a degradation are loaded once per worker (``loaded_restorers``).
"""

from stages.degrade.stage import VERSION, DegradeInput, DegradeStage, LevelRule

__all__ = ["VERSION", "DegradeInput", "DegradeStage", "LevelRule"]
