"""What an audit says of groups, as text: agreement of scores, where pairs come from, scores of both sides."""

from collections.abc import Iterator, Sequence

from pipeline.audit.records import QUANTILES, Agreement, Audit, Group
from pipeline.audit.wording import code, few, part_of, percent, table

TITLES = {Group.ALL: "all", Group.DEGRADATION: "degradation", Group.MODELS: "models", Group.SNR: "SNR"}
LOW, MEDIAN, HIGH = (QUANTILES.index(share) for share in (0.1, 0.5, 0.9))


def agreement(audit: Audit) -> Iterator[str]:
    """Walk the matrix of all scores, and the means over the criteria of each group."""
    if not audit.agreement:
        yield "No degraded version has two candidates to compare."
        return
    whole, *_ = audit.agreement
    names = [code(score.name) for score in audit.scores]
    rows = [(name, *(_cell(whole, row, at) for at in range(len(names)))) for row, name in enumerate(names)]
    yield from table(("", *names), rows)
    yield ""
    yield (
        "Above the diagonal Kendall's τ-b over the candidates of one degraded version, averaged; below it "
        "the share of comparisons in which two scores favour different sides. The clean is left out."
    )
    yield ""
    groups = [
        (_named(one.by, one.name), f"{one.comparisons:,}", _written(tau), percent(disagreeing))
        for one in audit.agreement
        for tau, disagreeing in [audit.of_criteria(one)]
    ]
    yield from table(("between criteria, on average", "comparisons", "τ", "different sides"), groups)


def _cell(found: Agreement, row: int, at: int) -> str:
    if row == at:
        return ""
    return _written(found.tau[row][at]) if row < at else percent(found.disagreeing[row][at])


def _written(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def yields(audit: Audit) -> Iterator[str]:
    """Walk the tables of pairs by group and by model."""
    rows = [
        (
            _named(one.by, one.name),
            f"{one.inputs:,}",
            f"{one.comparisons:,}",
            part_of(one.unanimous, one.comparisons),
            part_of(one.pairs, one.comparisons),
        )
        for one in audit.yields
    ]
    yield from table(("", "degraded versions", "comparisons", "unanimous", "pairs"), rows)
    yield ""
    models = [(m.model, f"{m.candidates:,}", f"{m.chosen:,}", f"{m.rejected:,}") for m in audit.models]
    yield from table(("model", "candidates", "chosen", "rejected"), models)


def distributions(audit: Audit) -> Iterator[str]:
    """Walk the table of both sides' scores: median, and the points that 10 % lie below and above."""
    rows = [
        (code(one.score), _range(one.chosen), _range(one.rejected), _range(one.advantage))
        for one in audit.distributions
        if one.chosen or one.rejected
    ]
    if not rows:
        yield "There are no pairs."
    yield from table(("median (10 % to 90 %)", "chosen", "rejected", "chosen better by"), rows)


def _range(points: Sequence[float]) -> str:
    return f"{few(points[MEDIAN])} ({few(points[LOW])} to {few(points[HIGH])})" if points else ""


def _named(by: Group, name: str) -> str:
    return TITLES[by] if by is Group.ALL else f"{TITLES[by]}: {name}"
