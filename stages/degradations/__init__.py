"""The family of degradations: one operator per file, the file named after its kind.

A degradation is a fully determined change to a waveform: it keeps length and rate, removes the delay that
it causes, and clips only if it is the one that clips. Every file here is a member and is found because it
is here; what members share is in ``common``. What a degradation has to be is said in
``stages.operators.degradation``; ``volume`` is a short example.
"""

from stages.operators.degradation import DEGRADATIONS, Degradation
from stages.operators.operator import import_members

import_members(__name__, __path__)

__all__ = ["DEGRADATIONS", "Degradation"]
