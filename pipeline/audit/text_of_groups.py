"""What an audit says of groups, as text: agreement of scores, where pairs come from, scores of both sides."""

from collections.abc import Iterator, Sequence

from pipeline.audit.records import QUANTILES, ScoreCorrelation, Audit, Group
from pipeline.audit.wording import quote_code, describe_number, part_of, describe_percent, format_table

TITLES = {Group.ALL: "all", Group.DEGRADATION: "degradation", Group.MODELS: "models", Group.SNR: "SNR"}
LOW, _MEDIAN, HIGH = (QUANTILES.index(share) for share in (0.1, 0.5, 0.9))


def correlation_lines(audit: Audit) -> Iterator[str]:
    """Walk the matrix of all scores, and the means over the criteria of each group."""
    if not audit.agreement:
        yield "No degraded version has two candidates to compare."
        return
    whole, *_ = audit.agreement
    names = [quote_code(score.name) for score in audit.scores]
    rows = [(name, *(_cell(whole, row, at) for at in range(len(names)))) for row, name in enumerate(names)]
    yield from format_table(("", *names), rows)
    yield ""
    yield (
        "Above the diagonal Kendall's τ-b over the candidates of one degraded version, averaged; below it "
        "the share of comparisons in which two scores favour different sides. The clean is left out."
    )
    yield ""
    groups = [
        (_name_group(one.by, one.name), f"{one.comparisons:,}", _format_cell_value(tau), describe_percent(disagreeing))
        for one in audit.agreement
        for tau, disagreeing in [audit.of_criteria(one)]
    ]
    yield from format_table(("between criteria, on average", "comparisons", "τ", "different sides"), groups)


def _cell(found: ScoreCorrelation, row: int, at: int) -> str:
    if row == at:
        return ""
    return _format_cell_value(found.tau[row][at]) if row < at else describe_percent(found.disagreeing[row][at])


def _format_cell_value(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def yield_table_lines(audit: Audit) -> Iterator[str]:
    """Walk the tables of pairs by group and by model."""
    rows = [
        (
            _name_group(one.by, one.name),
            f"{one.inputs:,}",
            f"{one.comparisons:,}",
            part_of(one.unanimous, one.comparisons),
            part_of(one.pairs, one.comparisons),
        )
        for one in audit.yields
    ]
    yield from format_table(("", "degraded versions", "comparisons", "unanimous", "pairs"), rows)
    yield ""
    models = [(m.model, f"{m.candidates:,}", f"{m.chosen:,}", f"{m.rejected:,}") for m in audit.models]
    yield from format_table(("model", "candidates", "chosen", "rejected"), models)


def distribution_lines(audit: Audit) -> Iterator[str]:
    """Walk the table of both sides' scores: median, and the points that 10 % lie below and above."""
    rows = [
        (quote_code(one.score), _range(one.chosen), _range(one.rejected), _range(one.advantage))
        for one in audit.distributions
        if one.chosen or one.rejected
    ]
    if not rows:
        yield "There are no pairs."
    yield from format_table(("median (10 % to 90 %)", "chosen", "rejected", "chosen better by"), rows)


def _range(points: Sequence[float]) -> str:
    return f"{describe_number(points[_MEDIAN])} ({describe_number(points[LOW])} to {describe_number(points[HIGH])})" if points else ""


def _name_group(by: Group, name: str) -> str:
    return TITLES[by] if by is Group.ALL else f"{TITLES[by]}: {name}"
