"""The audit of a run, read from its tables shard by shard, and kept beside them."""

from collections.abc import Iterator, Sequence

import pyarrow.compute as pc

from pipeline.audit.ablation import Ablation
from pipeline.audit.above_clean import AboveClean
from pipeline.audit.baselines import BASELINE_FACTS, baselines_of
from pipeline.audit.bootstrap import BOOTSTRAP_RESAMPLES, Bootstrap
from pipeline.audit.candidate_batches import candidate_batches_of
from pipeline.audit.correlation import Correlations
from pipeline.audit.distributions import Distributions
from pipeline.audit.options import Chooser, Mask, OrderedPairs
from pipeline.audit.records import Audit, AuditedScore, ScoreRole
from pipeline.audit.win_rates import WinRates
from pipeline.audit.yields import Yields
from pipeline.config.resolve import ResolvedConfig
from pipeline.store.files import StoredFile
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph
from schemas import WorkspaceError, fingerprint_of

VERSION = 2


def load_or_run_audit(run: ResolvedConfig, graph: Graph, workspace: Workspace, *, keep: bool = True) -> Audit:
    """Return the audit of a run from its workspace, or make it, and keep it there if ``keep``."""
    store = workspace.store
    found = read_audit(workspace.audit)
    if found is not None and found.key == audit_key(run, graph, _scored_shard_names(graph, store)):
        return found
    audit = audit_of(run, graph, store)
    if keep:
        workspace.audit.put(audit.model_dump_json().encode())
    return audit


def read_audit(file: StoredFile) -> Audit | None:
    """Return the audit in a file, or None if there is none of this version that can be read."""
    try:
        return Audit.model_validate_json(file.read())
    except (OSError, ValueError):
        return None


def audit_key(run: ResolvedConfig, graph: Graph, shards: Sequence[str]) -> str:
    """Return the fingerprint of all that the audit depends on."""
    return fingerprint_of(
        {
            "version": VERSION,
            "config": run.config_hash,
            "prefer": graph.prefer.key,
            "scores": [table.key for table in graph.scores],
            "shards": list(shards),
        }
    )


def audit_of(run: ResolvedConfig, graph: Graph, store: TableStore) -> Audit:
    """Return the audit of the shards that have all their scores. Raises ``WorkspaceError`` if none has."""
    shards = _scored_shard_names(graph, store)
    if not shards:
        raise WorkspaceError(f"{store.workspace} has no shard with all its scores; 'run' makes them")
    found = _AuditRun(run, graph, store, shards)
    for shard in shards:
        found.add(shard)
    return found.finish(audit_key(run, graph, shards))


def _scored_shard_names(graph: Graph, store: TableStore) -> list[str]:
    there = [
        store.shards(table.folder) for table in (graph.plan, graph.degrade, *graph.restores, *graph.scores)
    ]
    return [shard.name for shard in graph.shards if all(shard.name in names for names in there)]


def _scores_of(run: ResolvedConfig) -> tuple[AuditedScore, ...]:
    votes = {criterion.metric for criterion in run.criteria}
    parts = dict.fromkeys(run.held_out, ScoreRole.HELD_OUT)
    parts |= {name: ScoreRole.VOTES if name in votes else ScoreRole.VETOES for name in run.rules.scores}
    return tuple(
        AuditedScore(
            name=name,
            better=output.better,
            part=parts.get(name, ScoreRole.RECORDED),
            noise_floor=output.noise_floor,
        )
        for name, output in run.outputs().items()
    )


class _AuditRun:
    """Everything that is counted, in one walk over the shards."""

    def __init__(self, run: ResolvedConfig, graph: Graph, store: TableStore, shards: Sequence[str]) -> None:
        self._run, self._graph, self._store, self._shards = run, graph, store, shards
        self._scores = _scores_of(run)
        self._chooser = Chooser(run.rules, self._scores)
        self._utterances = {shard: self._utterances_in(shard) for shard in shards}
        resampling = Bootstrap(sum(self._utterances.values()))
        self._judging = WinRates(self._chooser, self._scores, resampling, baselines_of(run.metrics))
        self._agreeing = Correlations(self._chooser.upwards)
        self._leaving_out = Ablation(self._chooser)
        self._beyond_clean = AboveClean(self._chooser, self._scores)
        self._yields = Yields()
        self._distributions = Distributions(self._scores)

    def _utterances_in(self, shard: str) -> int:
        column = self._store.columns(self._graph.plan.folder, shard, ["utterance_id"])["utterance_id"]
        number: int = pc.count_distinct(column).as_py()
        return number

    def add(self, shard: str) -> None:
        """Take in one shard."""
        self._judging.add(self._walk_counted(shard), self._utterances[shard])

    def _walk_counted(self, shard: str) -> Iterator[tuple[OrderedPairs, Mask]]:
        """Walk the ordered pairs of a shard and which of them are the dataset's, counted on the way."""
        names = [score.name for score in self._scores]
        for batch in candidate_batches_of(self._graph, self._store, shard, names, BASELINE_FACTS):
            ordered = self._chooser.ordered_pairs(batch)
            kept = self._chooser.apply_rule(ordered, self._chooser.all_votes, ordered.allowed)
            for counted in (self._leaving_out, self._beyond_clean, self._yields, self._distributions):
                counted.add(ordered, kept)
            self._agreeing.add(batch)
            yield ordered, kept

    def finish(self, key: str) -> Audit:
        """Return what was found."""
        yields, models = tuple(self._yields.walk_yields()), tuple(self._yields.walk_models())
        whole = yields[0]
        return Audit(
            key=key,
            config_name=self._run.config.name,
            config_hash=self._run.config_hash,
            shards=len(self._shards),
            shards_left_out=len(self._graph.shards) - len(self._shards),
            utterances=sum(self._utterances.values()),
            inputs=whole.inputs,
            candidates=sum(model.candidates for model in models),
            pairs=whole.pairs,
            resamples=BOOTSTRAP_RESAMPLES,
            scores=self._scores,
            judgements=tuple(self._judging.walk_judgements()),
            baselines=tuple(self._judging.walk_baselines()),
            agreement=tuple(self._agreeing.walk_groups()),
            left_out=tuple(self._leaving_out.walk_criteria()),
            beats_clean=tuple(self._beyond_clean.walk_counts()) if self._run.config.score_clean else None,
            flagged=tuple(self._beyond_clean.walk_flagged()),
            yields=yields,
            models=models,
            distributions=tuple(self._distributions.walk_distributions()),
        )
