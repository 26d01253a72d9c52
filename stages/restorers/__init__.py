"""The family of restorers: one restoration model per file, the file named after its kind.

Degraded speech in, restored speech out; the stage around a restorer resamples, cuts long audio into chunks
and puts delay, length and level back. Every file here is a member and is found because it is here; what
members share is in ``common``, and what runs in environments of their own is in ``workers``. What a model
has to be is said in ``stages.operators.restorer``; ``wpe`` is a short example, ``gtcrn`` one with weights.
"""

from stages.operators.operator import import_members
from stages.operators.restorer import RESTORERS, Restorer

import_members(__name__, __path__)

__all__ = ["RESTORERS", "Restorer"]
