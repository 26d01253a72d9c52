"""What the report has to say, section by section: each is facts about a snapshot and a template for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.funnel_text import MEANING
from pipeline.report.snapshot import Snapshot

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page, with a template of its name in ``templates/sections``."""

    id: str
    title: str
    facts: Callable[[Snapshot], Facts]


def funnel(snapshot: Snapshot) -> Facts:
    """Return what became of everything, step by step, and the reasons."""
    return {"steps": snapshot.funnel.steps, "meaning": MEANING}


SECTIONS = (Section("funnel", "From recordings to pairs", funnel),)
"""In reading order. Pairs to listen to come after them: how they play depends on who serves the page."""
