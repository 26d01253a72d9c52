"""The family of degradations: one file each, registered by being here."""

from stages.degradations.base import DEGRADATIONS, Degradation
from stages.discovery import import_members

import_members(__name__, __path__)

__all__ = ["DEGRADATIONS", "Degradation"]
