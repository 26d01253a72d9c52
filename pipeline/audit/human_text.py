"""The audit against listeners as text: Markdown, readable as it is on a terminal."""

from collections.abc import Iterator

from pipeline.audit.human_records import KEPT_PAIRS, BucketAgreement, HumanAudit, JudgeAgreement
from pipeline.audit.records import UNANIMOUS, Interval
from pipeline.audit.wording import describe_percent, describe_share, describe_value, format_table, quote_code
from pipeline.text import count

_MOST_UNMATCHED = 20
_NAMES = {UNANIMOUS: "unanimous", KEPT_PAIRS: "pairs of the dataset"}


def human_audit_lines(found: HumanAudit) -> list[str]:
    """Return the agreement with listeners as lines of Markdown, with a heading of the third level."""
    return ["### Against listeners", "", *_walk_lines(found)]


def _walk_lines(found: HumanAudit) -> Iterator[str]:
    by = f" by {count(found.listeners, 'named listener')}" if found.listeners else ""
    yield (
        f"{count(found.ratings, 'rating')} from {' and '.join(found.sources)}{by}: "
        f"{count(found.comparisons, 'comparison')} of two restorations of one degraded version, of "
        f"{count(found.utterances, 'utterance')}; {found.from_opinions:,} from opinion scores of "
        f"{count(found.recordings, 'recording')}. Listeners prefer neither side in {found.undecided:,}."
    )
    yield from _walk_unused(found)
    if not found.comparisons and not found.recordings:
        return
    yield ""
    yield from format_table(
        (
            "",
            "part",
            "comparisons",
            "listeners' side",
            "beyond its margin",
            "listeners' side there",
            "with ties",
            "rank correlation",
        ),
        map(_row, found.judges),
    )
    yield ""
    yield from _walk_reading(found.between_listeners)
    yield ""
    yield from format_table(
        ("by difference, in units of each scale", *(_describe_bucket(b) for b in found.judges[0].buckets)),
        ((_name(judge), *map(_describe_agreement, judge.buckets)) for judge in found.judges),
    )


def _walk_unused(found: HumanAudit) -> Iterator[str]:
    if found.outdated_votes:
        yield ""
        yield f"{count(found.outdated_votes, 'vote')} on audio that is not there any more left out."
    if found.unmatched:
        yield ""
        yield f"{count(len(found.unmatched), 'rating')} could not be used:"
        yield ""
        for one in found.unmatched[:_MOST_UNMATCHED]:
            yield f"- {one.where}: {quote_code(one.name)}: {one.why}"
        if more := len(found.unmatched[_MOST_UNMATCHED:]):
            yield f"- and {more:,} more; `--json` lists all"


def _walk_reading(between_listeners: Interval | None) -> Iterator[str]:
    yield (
        "Where listeners prefer a side, how often that is the judge's; two equal scores count half. With "
        "ties there are three answers: opinion scores no more than 0.5 apart, or no more than half of the "
        "listeners for one side, are a tie, and so is what lies within a judge's margin, or is not "
        "unanimous. The correlation is Spearman's with opinion scores. Intervals are of 95 %, by bootstrap "
        "over utterances."
    )
    if between_listeners is not None:
        yield ""
        yield (
            f"Two listeners prefer the same side in {describe_share(between_listeners)}; a score is held to "
            "the mean of all who rated, and may do better than one of them."
        )


def _row(judge: JudgeAgreement) -> tuple[str, ...]:
    return (
        _name(judge),
        judge.part.replace("_", " "),
        f"{judge.comparisons:,}",
        describe_share(judge.agreement),
        f"{judge.decisive:,}",
        describe_share(judge.beyond_margin),
        describe_share(judge.with_ties),
        describe_value(judge.correlation),
    )


def _name(judge: JudgeAgreement) -> str:
    return _NAMES.get(judge.judge) or quote_code(judge.judge)


def _describe_bucket(bucket: BucketAgreement) -> str:
    return (
        f"{bucket.at_least:g} to {bucket.below:g}"
        if bucket.below is not None
        else f"from {bucket.at_least:g}"
    )


def _describe_agreement(bucket: BucketAgreement) -> str:
    if bucket.agreement is None:
        return ""
    interval = describe_share(bucket.agreement)
    return f"{interval or describe_percent(bucket.agreement.value)} of {bucket.comparisons:,}"
