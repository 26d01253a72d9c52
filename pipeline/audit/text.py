"""The audit as text: Markdown for the dataset's card, readable as it is on a terminal."""

from collections.abc import Iterable

from pipeline.audit.records import Audit
from pipeline.audit.text_of_choices import beyond_clean, judged, left_out, who_agrees
from pipeline.audit.text_of_groups import agreement, distributions, yields
from pipeline.pair_yield import FEWEST_UTTERANCES
from pipeline.wording import count


def audit_lines(audit: Audit) -> list[str]:
    """Return the audit as lines of Markdown, with headings of the third level."""
    return [
        *_opening(audit),
        *_section("Judged by scores that did not choose", judged(audit)),
        *_section("What each choice does to every score", who_agrees(audit)),
        *_section("If a criterion did not vote", left_out(audit)),
        *_section("Better than the clean reference", beyond_clean(audit)),
        *_section("How scores agree", agreement(audit)),
        *_section("Where pairs come from", yields(audit)),
        *_section("Scores of the pairs", distributions(audit)),
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
