"""The family of metrics: one file each, registered by being here."""

from stages.discovery import import_members
from stages.metrics.base import METRICS, Metric

import_members(__name__, __path__)

__all__ = ["METRICS", "Metric"]
