"""Restore: several takes of one model, put back where the input was in time, length and level.

A batch is cut into chunks where it is long (``chunking``), given to the model in groups of about one length
and in halves where memory does not suffice (``calls``), and fitted back to its input (``fitting``): the
delay is measured and removed, rate, length and level are restored. ``takes`` keeps what was asked of the
model apart from what came of it; ``clean`` is the clean reference as a candidate. A published model in an
environment of its own is first given clean speech, once on a machine (``first_start``).
"""

from stages.restore.stage import VERSION, RestoreStage

__all__ = ["VERSION", "RestoreStage"]
