"""Metrics as the laws meet them: those that need published weights get small random ones.

A metric with weights enters the maker of its own here: a function that writes what the metric opens into an
empty folder and returns the settings that name it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stages.metrics import METRICS, Metric

Maker = Callable[[Path], Mapping[str, Any]]
TINY: dict[str, Maker] = {}
"""Makers by kind. What their networks say is random: laws of worth (noise is worse) are not for them."""


def lawful_metric(kind: str, folder: Path) -> Metric:
    """Return the metric with its default settings, or with small random weights in ``folder``."""
    settings = TINY[kind](folder) if kind in TINY else {}
    return METRICS[kind].model_validate(dict(settings))


def is_trained(kind: str) -> bool:
    """Say whether the laws meet the metric as it is published."""
    return kind not in TINY
