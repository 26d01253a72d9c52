"""Whether the pairs are those that a dataset's own criteria, vetoes and pair rule make of its scores."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.published import DatasetRow
from pipeline.progress.funnel import SAME_AUDIO, comparison_steps_of
from pipeline.tables.preference_counts import COUNTS, PreferenceCounts
from pipeline.verify.findings import Finding
from pipeline.verify.rules import Claim, describe_preference
from pipeline.verify.same_audio import name_of, same_audio_findings
from schemas import Status
from schemas.rows import CLEAN
from stages.prefer.comparisons import CandidateScores
from stages.prefer.same_audio import merge_same_audio
from stages.prefer.stage import Choice, PreferStage, Rules


class Redecided:
    """Decides on all candidates once more, and holds what comes out to what was published."""

    def __init__(self, said: DatasetDescription) -> None:
        self._said = said
        self._rules = Rules(said.criteria, said.pair_rule, said.vetoes)
        self._stage = PreferStage(self._rules)
        metrics = [[score.name for score in metric.scores] for metric in said.metrics]
        voting = (names for names in metrics if not set(names).isdisjoint(self._rules.scores))
        self._scores = tuple(chain.from_iterable(voting))
        """All scores of the metrics that vote or may refuse."""
        self._looked_at = (*self._rules.scores, *self._rules.facts)
        self._sum = PreferenceCounts()

    def findings(
        self, degraded_id: str, rows: Sequence[DatasetRow], claims: Sequence[Claim]
    ) -> Iterator[Finding]:
        """Walk what differs on one degraded utterance, from its candidates and its published pairs."""
        yield from same_audio_findings(rows, self._said.audio_bits)
        (decided,) = self._stage.process([self._candidate_scores(degraded_id, rows)])
        self._sum += _preference_counts(decided)
        kept = {sides: number for number, sides in enumerate(decided.sides)}
        for claim in claims:
            number = kept.pop((claim.chosen, claim.rejected), None)
            if number is None:
                yield Finding(claim.pair_id, "pair", claim.preference, "one that the rule does not keep")
            elif claim.pair_id != (name := f"{degraded_id}/{number}"):
                yield Finding(claim.pair_id, "pair_id", claim.pair_id, name)
        for sides in kept:
            yield Finding(degraded_id, "pair", "none", f"{describe_preference(*sides)}, which the rule keeps")

    def count_findings(self) -> Iterator[Finding]:
        """Walk the counts of complete candidates, comparisons, vetoes and pairs that are not the funnel's."""
        published = {step.name: step for step in self._said.funnel.steps}
        if (found := self._sum.counts["complete"]) != published["scored"].count:
            yield Finding("funnel", "scored", published["scored"].count, found)
        same, said_same = self._sum.counts["same_audio"], published["scored"].lost.get(SAME_AUDIO, 0)
        if same != said_same:
            yield Finding("funnel", f"scored lost to {SAME_AUDIO!r}", said_same, same)
        for step in comparison_steps_of(self._sum):
            said = published[step.name]
            if step.count != said.count:
                yield Finding("funnel", step.name, said.count, step.count)
            for why in dict.fromkeys((*said.lost, *step.lost)):
                if (number := step.lost.get(why, 0)) != said.lost.get(why, 0):
                    yield Finding("funnel", f"{step.name} lost to {why!r}", said.lost.get(why, 0), number)

    def _candidate_scores(self, degraded_id: str, rows: Sequence[DatasetRow]) -> CandidateScores:
        """Return the candidates in the order in which they were decided on: the clean reference last."""
        there = [row for row in rows if self._is_candidate(row)]
        there.sort(key=lambda row: bool(row["model"] == CLEAN))
        candidates = CandidateScores(
            degraded_id,
            tuple(row["model"] for row in there),
            tuple(row["take"] for row in there),
            {name: np.array([row[name] for row in there], dtype=float) for name in self._looked_at},
        )
        same = [frozenset((name_of(row), *row["same_audio_as"])) for row in there]
        return merge_same_audio(candidates, same)

    def _is_candidate(self, row: DatasetRow) -> bool:
        """Whether it was compared: what has no audio, or repeats another take, was never scored."""
        tried = {missing["score"] for missing in row["missing_scores"] if missing["status"] != Status.SKIPPED}
        return any(row[name] is not None or name in tried for name in self._scores)


def _preference_counts(decided: Choice) -> PreferenceCounts:
    counts = Counter({name: getattr(decided, f"num_{name}") for name in COUNTS})
    removed = Counter({removal.by: removal.pairs for removal in decided.removed})
    return PreferenceCounts(counts, removed, len(decided.kept))
