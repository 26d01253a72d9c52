"""What published models in environments of their own have in common."""

from pathlib import Path
from typing import ClassVar

from stages.external import LIBRARY
from stages.resources import Resources
from stages.restorers.worker import WorkerRestorer


class PublishedWorker(WorkerRestorer):
    """A model that others have published; its worker comes with Unanimous, by the name of its kind."""

    unverified: ClassVar[str] = "not run with its published weights, only with a stand-in for its package"
    resources: ClassVar[Resources] = Resources(gpus=1.0)

    @property
    def script(self) -> Path:
        """The worker."""
        return LIBRARY / f"{self.kind}_worker.py"
