"""What has no value, grouped by stage and reason, with examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.report.snapshot import Snapshot

EXAMPLES = 3
"""Rows that are shown of one stage and reason; the rest is counted."""
_GROUPS = """
    SELECT regexp_replace(table_name, '^(score[.][^.]+)[.].*', '\\1') AS stage, status, reason,
           count(*) AS number, min({'row': id, 'detail': detail}, 16) AS examples
    FROM missing_values GROUP BY ALL ORDER BY status, number DESC, stage, reason"""
"""Many takes or models may fail on one row, so more than a few are looked at for examples."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row without a value, and what is known about it."""

    row: str
    detail: str


@dataclass(frozen=True, slots=True)
class Failure:
    """All rows, takes and scores of one stage that ended for one reason."""

    stage: str
    status: str
    reason: str
    number: int
    examples: Sequence[Example]


def failures_of(snapshot: Snapshot) -> list[Failure]:
    """Return what failed, then what was unfit or skipped, the most frequent first."""
    return [
        Failure(**{**group, "examples": _examples(group["examples"])})
        for group in snapshot.tables.rows(_GROUPS)
    ]


def _examples(found: Sequence[Mapping[str, str]]) -> list[Example]:
    different = dict.fromkeys(Example(**example) for example in found)
    return list(different)[:EXAMPLES]
