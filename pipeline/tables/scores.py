"""The tables that judge what was restored, shard by shard: scores and preferences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.config.resolve import MetricSetup
from pipeline.sources.shards import Shard
from pipeline.tables.candidate_scores import PLANNED, SCORED, candidate_scores_of, take_columns
from pipeline.tables.preference_arrow import preferences_of
from pipeline.tables.speech import PlanTable, RestoreTable, walk_together
from pipeline.tables.table import Table, TableReader
from schemas import Preference, Scored, fingerprint_of
from stages import prefer, score
from stages.prefer.comparisons import CandidateScores
from stages.stage import Stage


def num_takes(table: Table) -> int:
    """Return how many candidates a row of ``table`` is about."""
    if isinstance(table, ScoreTable):
        return table.restore.setup.takes
    return table.setup.takes if isinstance(table, RestoreTable) else 1


class MetricTable(Table):
    """Scores of one metric: it is loaded once, whatever recordings it hears."""

    setup: MetricSetup
    record = Scored
    audio = False

    @property
    def gpus(self) -> float:
        return self.setup.gpus

    @property
    def stage_name(self) -> str:
        """The metric's: it scores whatever model made the takes."""
        return f"score.{self.setup.name}-{fingerprint_of(self.setup.identity)}"

    def stage(self, reader: TableReader) -> Stage[score.ScoreInput, Scored]:
        return score.ScoreStage(self.setup.name, self.setup.metric, reader.cache)


@dataclass(frozen=True)
class ScoreTable(MetricTable):
    """One metric's scores of all takes of one model."""

    restore: RestoreTable
    setup: MetricSetup

    @property
    def name(self) -> str:
        return f"score.{self.setup.name}.{self.restore.setup.name}"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {**self.setup.identity, "restore": self.restore.key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.restore, self.restore.degrade, self.restore.degrade.plan)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[score.ScoreInput]:
        restored, degraded, recipes = (reader.rows(table, shard.name) for table in self.reads)
        return [score.ScoreInput(r, d, x) for r, d, x in walk_together(recipes, degraded, restored)]


@dataclass(frozen=True)
class PreferTable(Table):
    """The unanimous pairs."""

    plan: PlanTable
    scores: tuple[ScoreTable, ...]
    """Of the metrics that vote or may refuse, and of no other: a new diagnostic changes no pair."""
    rules: prefer.Rules
    record = Preference
    audio = False

    @property
    def name(self) -> str:
        return "prefer"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {
            "version": prefer.VERSION,
            "criteria": [criterion.model_dump(mode="json") for criterion in self.rules.criteria],
            "rule": self.rules.pairs.model_dump(mode="json"),
            "vetoes": [veto.model_dump(mode="json") for veto in self.rules.vetoes],
            "scores": [table.key for table in self.scores],
        }

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.plan, *self.scores, *self.restores)

    @property
    def restores(self) -> tuple[RestoreTable, ...]:
        """The takes: what tells their recordings apart, and what vetoes look at, is said there."""
        return tuple({table.restore.name: table.restore for table in self.scores}.values())

    def stage(self, reader: TableReader) -> Stage[CandidateScores, prefer.Choice]:  # noqa: ARG002
        return prefer.PreferStage(self.rules)

    def arrow(self, rows: Sequence[prefer.Choice]) -> pa.Table:
        return preferences_of(rows, self.rules.votes)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[CandidateScores]:
        return self.candidate_scores(shard.name, reader, self.scores, self.rules.scores)

    def candidate_scores(
        self,
        shard: str,
        reader: TableReader,
        scores: Sequence[ScoreTable],
        names: Sequence[str],
        more_facts: Sequence[str] = (),
    ) -> Sequence[CandidateScores]:
        """Return the candidates of a shard's rows: these scores, and facts that vetoes or others look at."""
        facts = tuple(dict.fromkeys((*self.rules.facts, *more_facts)))
        planned = reader.columns(self.plan, shard, PLANNED)
        scored = [(table.restore.setup.name, reader.columns(table, shard, SCORED)) for table in scores]
        taken = [
            (table.setup.name, reader.columns(table, shard, take_columns(facts))) for table in self.restores
        ]
        return candidate_scores_of(planned, scored, (*names, *facts), taken)
