"""What an audit says of choosing, as text: rival choices, criteria left out, candidates beyond clean."""

from collections.abc import Iterator

from pipeline.audit.records import UNANIMOUS, Audit, AuditedScore, ScoreRole
from pipeline.audit.wording import quote_code, describe_number, describe_lead, part_of, describe_percent, describe_share, format_table, describe_value


def win_rate_lines(audit: Audit) -> Iterator[str]:
    """Walk the tables of how often the chosen side is better, one per score that took no part in choosing."""
    judges = audit.scores_that(ScoreRole.HELD_OUT)
    if not judges:
        judges = audit.scores_that(ScoreRole.RECORDED)
        whose = (
            "these had no vote all the same." if judges else "all that were recorded took part in choosing."
        )
        yield from [f"No score is held out (`preference.held_out`); {whose}", ""]
    for judge in judges:
        yield from [*_win_rates_by(audit, judge), ""]
    yield (
        "Every selection takes, of each degraded version, as many pairs as the dataset holds of it, from the "
        "same candidates: those on which all criteria agree, those that one criterion alone would give, or "
        "any. A tie counts half; leads are in percentage points. Pairs with the clean reference are left out."
    )


def _win_rates_by(audit: Audit, judge: AuditedScore) -> list[str]:
    rows = [
        (_name_selection(name), f"{one.pairs:,.0f}", describe_share(one.win_rate), describe_value(one.advantage), describe_lead(one.lead))
        for name in audit.selections
        for one in [audit.judgement(name, judge.name)]
    ]
    return format_table((f"by {quote_code(judge.name)}", "pairs", "chosen is better", "by", "the dataset leads by"), rows)


def selection_lines(audit: Audit) -> Iterator[str]:
    """Walk the table of how often each score finds the chosen side better, selection by selection."""
    rows = []
    for name in audit.selections:
        rates = [audit.judgement(name, score.name).win_rate for score in audit.scores]
        rows.append((_name_selection(name), *("" if rate is None else describe_percent(rate.value) for rate in rates)))
    yield from format_table(("chosen is better by", *(quote_code(score.name) for score in audit.scores)), rows)


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
        (quote_code(one.id), f"{one.model}, take {one.take}", quote_code(one.score), describe_number(one.value), describe_number(one.clean))
        for one in audit.flagged
    ]
    yield from format_table(("degraded version", "candidate", "score", "its value", "of the clean"), flagged)


def _name_selection(selection: str) -> str:
    return f"{selection} (the dataset)" if selection == UNANIMOUS else selection
