"""The family of restoration models: one file each, registered by being here."""

from stages.discovery import import_members
from stages.restorers.base import RESTORERS, Restorer

import_members(__name__, __path__)

__all__ = ["RESTORERS", "Restorer"]
