"""What was found in the corpus: what is odd but usable, and what was refused, with examples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.failures import EXAMPLES, Example
from pipeline.tables.sql import RunTables


@dataclass(frozen=True, slots=True)
class OddityQuery:
    """Something that utterances may have and still serve, in SQL over their probes."""

    name: str
    rule: str
    """In words: what counts as odd."""
    holds: str
    worst_first: str
    """What examples are ordered by."""
    said: str
    """What is said of an example."""


ODDITIES: Sequence[OddityQuery] = (
    OddityQuery(
        name="very low level",
        rule="active level under −50 dBFS",
        holds="active_level_db < -50",
        worst_first="active_level_db",
        said="replace(format('{:.1f} dBFS', active_level_db), '-', '−')",
    ),
    OddityQuery(
        name="narrow band",
        rule="no signal in the upper quarter of what the rate can hold",
        holds="bandwidth_hz < 0.75 * sample_rate / 2",
        worst_first="bandwidth_hz / sample_rate",
        said="format('up to {:,.0f} of {:,.0f} Hz', bandwidth_hz, sample_rate / 2)",
    ),
    OddityQuery(
        name="clipped",
        rule="0.01% of the samples or more in runs of three at the top",
        holds="clipped_fraction >= 1e-4",
        worst_first="-clipped_fraction",
        said="format('{:.2f}% of the samples', 100 * clipped_fraction)",
    ),
    OddityQuery(
        name="above full scale",
        rule="peak over 1, brought under it by a gain",
        holds="peak > 1",
        worst_first="-peak",
        said="format('peak {:.2f}', peak)",
    ),
    OddityQuery(
        name="several channels",
        rule="made mono",
        holds="channels > 1",
        worst_first="-channels",
        said="format('{} channels', channels)",
    ),
    OddityQuery(
        name="constant offset",
        rule="mean of the samples over 1% of full scale",
        holds="abs(dc_offset) > 0.01",
        worst_first="-abs(dc_offset)",
        said="format('{:.3f}', dc_offset)",
    ),
)
_REFUSED = """
    SELECT reason, count(*) AS number, min({'row': id, 'detail': detail}, ?) AS examples
    FROM ingest_rows WHERE reason IS NOT NULL GROUP BY reason ORDER BY number DESC, reason"""
_LEFT_OUT = """
    SELECT count(*) AS number, min({'row': id, 'detail': detail}, ?) AS examples
    FROM ingest_rows WHERE reason IS NULL AND detail <> ''"""


@dataclass(frozen=True, slots=True)
class CorpusFinding:
    """How often something was found, and where."""

    name: str
    rule: str
    number: int
    total: int
    """Of as many recordings, or utterances."""
    examples: Sequence[Example]


def find_oddities(tables: RunTables, total: int) -> list[CorpusFinding]:
    """Return how many of ``total`` utterances have each oddity, also those that none has."""
    return [_find(tables, oddity, total) for oddity in ODDITIES]


def _find(tables: RunTables, oddity: OddityQuery, total: int) -> CorpusFinding:
    there = f"FROM utterances WHERE {oddity.holds}"
    (found,) = tables.rows(f"SELECT count(*) AS number {there}")
    examples = tables.rows(
        f"SELECT id AS row, {oddity.said} AS detail {there} ORDER BY {oddity.worst_first}, id LIMIT ?",
        EXAMPLES,
    )
    return CorpusFinding(
        name=oddity.name,
        rule=oddity.rule,
        number=found["number"],
        total=total,
        examples=[Example(**example) for example in examples],
    )


def refusals_of(tables: RunTables, total: int) -> list[CorpusFinding]:
    """Return for which reasons some of ``total`` recordings, or stretches of them, are no utterances."""
    return list(_walk_refusals(tables, total))


def _walk_refusals(tables: RunTables, total: int) -> Iterator[CorpusFinding]:
    for group in tables.rows(_REFUSED, EXAMPLES):
        name = group["reason"].replace("_", " ")
        yield CorpusFinding(name, "", group["number"], total, _examples(group["examples"]))
    for group in tables.rows(_LEFT_OUT, EXAMPLES):
        if group["number"]:
            yield CorpusFinding(
                "stretches left out", "", group["number"], total, _examples(group["examples"])
            )


def _examples(found: Sequence[Mapping[str, Any]]) -> list[Example]:
    return [Example(**example) for example in found]
