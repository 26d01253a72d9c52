"""The audit as text: Markdown for the dataset's card, readable as it is on a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.audit.baselines import BASELINES
from pipeline.audit.records import (
    QUANTILES,
    UNANIMOUS,
    Audit,
    AuditedScore,
    Group,
    ScoreCorrelation,
    ScoreRole,
)
from pipeline.audit.wording import (
    describe_lead,
    describe_number,
    describe_percent,
    describe_share,
    describe_value,
    format_table,
    part_of,
    quote_code,
)
from pipeline.progress.pair_yield import FEWEST_UTTERANCES
from pipeline.text import count

TITLES = {Group.ALL: "all", Group.DEGRADATION: "degradation", Group.MODELS: "models", Group.SNR: "SNR"}
LOW, _MEDIAN, HIGH = (QUANTILES.index(share) for share in (0.1, 0.5, 0.9))


def audit_lines(audit: Audit) -> list[str]:
    """Return the audit as lines of Markdown, with headings of the third level."""
    return [
        *_opening(audit),
        *_section("Judged by scores that did not choose", win_rate_lines(audit)),
        *_section("What each choice does to every score", selection_lines(audit)),
        *_section("If a criterion did not vote", ablation_lines(audit)),
        *_section("Better than the clean reference", above_clean_lines(audit)),
        *_section("How scores agree", correlation_lines(audit)),
        *_section("Where pairs come from", yield_table_lines(audit)),
        *_section("Scores of the pairs", distribution_lines(audit)),
    ]


def _opening(audit: Audit) -> list[str]:
    whole = (
        f"{count(audit.pairs, 'pair')} from {count(audit.candidates, 'candidate')} for "
        f"{count(audit.inputs, 'degraded version')} of {count(audit.utterances, 'utterance')}. Intervals are "
        f"of 95 %, by {audit.resamples:,} resamples of the utterances; pairs of fewer than "
        f"{FEWEST_UTTERANCES} utterances have none."
    )
    if not audit.shards_left_out:
        return [whole]
    shards = audit.shards + audit.shards_left_out
    return [whole, "", f"Of {count(shards, 'shard')}, {audit.shards_left_out:,} had not all scores yet."]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", f"### {title}", "", *lines]


def win_rate_lines(audit: Audit) -> Iterator[str]:
    """Walk the tables of how often the chosen side is better, one per score that took no part in choosing."""
    judges = audit.scores_that(ScoreRole.HELD_OUT)
    if not judges:
        judges = audit.scores_that(ScoreRole.RECORDED)
        whose = (
            "these had no vote all the same." if judges else "all that were recorded took part in choosing."
        )
        yield from [f"No score is held out (`preference.held_out`); {whose}", ""]
    if judges:
        yield from [*judge_lines(audit), ""]
    for judge in judges:
        yield from [*_win_rates_by(audit, judge), ""]
    yield from baseline_lines(audit)
    yield (
        "Every selection takes, of each degraded version, as many pairs as the dataset holds of it, from the "
        "same candidates: those on which all criteria agree, those that one criterion alone would give, or "
        "any; the longer, the louder and the less noisy are any in which that side is chosen. A tie counts "
        "half; leads are in percentage points. Pairs with the clean reference are left out."
    )


def judge_lines(audit: Audit) -> Iterator[str]:
    """Walk a plain sentence for each score without a vote: how often it agrees with the pairs."""
    for part, how in ((ScoreRole.HELD_OUT, "held out"), (ScoreRole.RECORDED, "without a vote")):
        for judge in audit.scores_that(part):
            found = audit.judgement(UNANIMOUS, judge.name)
            agrees = (
                f"agrees with {describe_share(found.win_rate)} of {count(round(found.pairs), 'pair')}"
                if found.win_rate is not None
                else "has no pair on both sides of which it has a value"
            )
            yield f"- {quote_code(judge.name)}, {how}, {agrees}."


def baseline_lines(audit: Audit) -> Iterator[str]:
    """Walk what length, level and noise have to do with the choice, and what was not to be known."""
    found = {check.name: check for check in audit.baselines}
    for name, what in BASELINES.items():
        check = found.get(name)
        if check is None:
            yield f"- {name}: not known; `dnsmos` was not run."
        elif not check.told_apart:
            yield f"- {name}: no two restorations differ in it."
        elif check.chosen_is_more is not None:
            share = describe_share(check.chosen_is_more)
            yield f"- {name}: in {share} of the pairs the chosen side is {what}."
    yield ""


def _win_rates_by(audit: Audit, judge: AuditedScore) -> list[str]:
    rows = [
        (
            _name_selection(name),
            f"{one.pairs:,.0f}",
            describe_share(one.win_rate),
            describe_value(one.advantage),
            describe_lead(one.lead),
        )
        for name in audit.selections
        for one in [audit.judgement(name, judge.name)]
    ]
    return format_table(
        (f"by {quote_code(judge.name)}", "pairs", "chosen is better", "by", "the dataset leads by"), rows
    )


def selection_lines(audit: Audit) -> Iterator[str]:
    """Walk the table of how often each score finds the chosen side better, selection by selection."""
    rows = []
    for name in audit.selections:
        rates = [audit.judgement(name, score.name).win_rate for score in audit.scores]
        rows.append(
            (_name_selection(name), *("" if rate is None else describe_percent(rate.value) for rate in rates))
        )
    yield from format_table(
        ("chosen is better by", *(quote_code(score.name) for score in audit.scores)), rows
    )


def ablation_lines(audit: Audit) -> Iterator[str]:
    """Walk the table of what the pairs would be without each criterion."""
    if not audit.left_out:
        yield "There is only one."
        return
    rows = [
        (
            quote_code(one.criterion),
            f"{one.pairs:,}",
            f"{one.added:,}",
            f"{one.dropped:,}",
            part_of(one.contradicted, one.others_agree),
            part_of(one.within_margin, one.others_agree),
            part_of(one.unmeasured, one.others_agree),
        )
        for one in audit.left_out
    ]
    yield from format_table(
        ("without", "pairs", "new", "gone", "it is against", "within its margin", "it has no value"), rows
    )
    yield ""
    yield (
        f"With all, there are {audit.pairs:,}. The last three columns are of comparisons on which all other "
        "criteria agree, before vetoes and pair rule: what this one prevents, and how."
    )


def above_clean_lines(audit: Audit) -> Iterator[str]:
    """Walk the tables of candidates that a score prefers to their clean reference."""
    if audit.beats_clean is None:
        yield "The clean reference was not scored; `score_clean: true` does that."
        return
    rows = [
        (
            quote_code(one.score),
            part_of(one.beating, one.candidates),
            f"{one.chosen:,}",
            ", ".join(f"{model} {number:,}" for model, number in one.by_model.items()),
        )
        for one in audit.beats_clean
        if one.beating
    ]
    if not rows:
        yield "No score prefers a candidate to its clean reference by more than its margin."
        return
    yield from format_table(("score", "candidates it prefers", "chosen in a pair", "by model"), rows)
    yield ""
    yield "Nothing is restored better than clean: here a score hears something else. Furthest ahead are:"
    yield ""
    flagged = [
        (
            quote_code(one.id),
            f"{one.model}, take {one.take}",
            quote_code(one.score),
            describe_number(one.value),
            describe_number(one.clean),
        )
        for one in audit.flagged
    ]
    yield from format_table(("degraded version", "candidate", "score", "its value", "of the clean"), flagged)


def _name_selection(selection: str) -> str:
    return f"{selection} (the dataset)" if selection == UNANIMOUS else selection


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
        (
            _name_group(one.by, one.name),
            f"{one.comparisons:,}",
            _format_cell_value(tau),
            describe_percent(disagreeing),
        )
        for one in audit.agreement
        for tau, disagreeing in [audit.of_criteria(one)]
    ]
    yield from format_table(("between criteria, on average", "comparisons", "τ", "different sides"), groups)


def _cell(found: ScoreCorrelation, row: int, at: int) -> str:
    if row == at:
        return ""
    return (
        _format_cell_value(found.tau[row][at]) if row < at else describe_percent(found.disagreeing[row][at])
    )


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
    return (
        f"{describe_number(points[_MEDIAN])} "
        f"({describe_number(points[LOW])} to {describe_number(points[HIGH])})"
        if points
        else ""
    )


def _name_group(by: Group, name: str) -> str:
    return TITLES[by] if by is Group.ALL else f"{TITLES[by]}: {name}"
