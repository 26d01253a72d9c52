"""The audit as text: Markdown for the dataset's card, readable as it is on a terminal."""

from collections.abc import Iterable

from pipeline.audit.records import Audit
from pipeline.audit.text_of_choices import above_clean_lines, win_rate_lines, ablation_lines, selection_lines
from pipeline.audit.text_of_groups import correlation_lines, distribution_lines, yield_table_lines
from pipeline.pair_yield import FEWEST_UTTERANCES
from pipeline.wording import count


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
