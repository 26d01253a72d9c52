"""The family of metrics: one metric per file, the file named after its kind.

A metric gives a number for one candidate, or a reason why there is none; it says which way is better, what
it listens for and what it needs. Every file here is a member and is found because it is here; what members
share is in ``common``. A new one is mostly a subclass of one of the three shapes in
``stages.operators.metric_bases``; ``log_spectral_distance`` is a short example, ``utmos`` one with weights.
"""

from stages.operators.metric import METRICS, Metric
from stages.operators.operator import import_members

import_members(__name__, __path__)

__all__ = ["METRICS", "Metric"]
