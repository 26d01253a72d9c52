"""From tables to the dataset: whole or not at all, and only when something in it has changed."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.audit.records import Audit
from pipeline.audit.text import audit_lines
from pipeline.config.resolve import ResolvedConfig
from pipeline.dataset.background import Background
from pipeline.dataset.candidates import read_degraded_utterances
from pipeline.dataset.card import card_of, licence_text_of
from pipeline.dataset.description import CARD, MARK, DatasetDescription
from pipeline.dataset.licences import Licences
from pipeline.dataset.provenance import metric_facts_of, model_facts_of
from pipeline.dataset.rounds import round_columns_of
from pipeline.dataset.rows import Rows
from pipeline.dataset.summary import Summary
from pipeline.dataset.wholeness import refuse_foreign
from pipeline.dataset.writer import FileLimits, TableWriter
from pipeline.progress.funnel import funnel_of
from pipeline.store.dataset_columns import DatasetTable, table_schema_of
from pipeline.store.dataset_files import LICENCE_FILE, DatasetFiles
from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from schemas import fingerprint_of

VERSION = 9


def dataset_key(run: ResolvedConfig, graph: Graph) -> str:
    """Return the fingerprint of everything that the dataset depends on."""
    return fingerprint_of(
        {
            "version": VERSION,
            "name": run.config.name,
            "description": run.config.description,
            "substitutes": run.config.substitutes,
            "citations": run.config.citations,
            "export": run.config.export.model_dump(mode="json"),
            "prefer": graph.prefer.key,
            "held_out": run.held_out,
            "restores": [table.key for table in graph.restores],
            "scores": [table.key for table in graph.scores],
            "shards": [shard.name for shard in graph.shards],
            **({"stand_ins": run.config.stand_ins} if run.config.stand_ins else {}),
            **({} if run.lineage is None else {"round": run.lineage.key}),
        }
    )


def write_dataset(
    run: ResolvedConfig, graph: Graph, store: TableStore, dataset: DatasetFiles, audit: Audit
) -> DatasetDescription:
    """Write the dataset, ``audit`` in its card, and return what it says of itself.

    A link stays one: what it leads to is written. Raises ``UserError`` if something else is there.
    """
    refuse_foreign(dataset)
    with dataset.replaced() as draft:
        result = _write_files(run, graph, store, draft.folder)
        draft.write(CARD, card_of(run, result, audit_lines(audit)))
        if (terms := licence_text_of(result)) is not None:
            draft.write(LICENCE_FILE, terms)
        draft.write(MARK, result.model_dump_json(indent=1))
    return result


def _write_files(run: ResolvedConfig, graph: Graph, store: TableStore, draft: Path) -> DatasetDescription:
    """Write the tables of the dataset into a folder that is there."""
    summary = Summary(list(run.outputs()))
    with Background() as background:
        kept: list[DatasetTable] = ["pairs", *run.config.export.beside_pairs]
        writers = {table: _writer(run, table, draft, background) for table in kept}
        _write_rows(run, graph, store, writers, summary)
        tables = {table: writer.close() for table, writer in writers.items()}
    return DatasetDescription(
        key=dataset_key(run, graph),
        name=run.config.name,
        config_hash=run.config_hash,
        stand_ins=run.config.stand_ins,
        lineage=run.lineage,
        audio_bits=run.config.export.audio_bits,
        tables=tables,
        funnel=funnel_of(graph, store),
        models=model_facts_of(run),
        metrics=metric_facts_of(run),
        criteria=tuple(run.criteria),
        vetoes=tuple(run.rules.vetoes),
        pair_rule=run.rules.pairs,
        held_out=run.held_out,
        scores=summary.scores,
        candidates=summary.models,
        sources=summary.sources,
        licence=summary.licence,
        licences=summary.licences,
        languages=summary.languages,
    )


def _write_rows(
    run: ResolvedConfig,
    graph: Graph,
    store: TableStore,
    writers: Mapping[DatasetTable, TableWriter],
    summary: Summary,
) -> None:
    """Hand every row to the writer of its table, and tell the summary of it."""
    better = {name: output.better for name, output in run.outputs().items()}
    rows = Rows(better, Licences(graph, store), round_columns_of(run))
    for utterance in read_degraded_utterances(graph, store, run.config.export.audio_bits):
        summary.add_candidates(utterance)
        for table, writer in writers.items():
            for row in rows.of(table, utterance):
                writer.add(row)
                if table == "pairs":
                    summary.add_pair(row)
                if table != "scores":
                    summary.add_terms(row)
    for writer in writers.values():
        writer.finish()


def _writer(run: ResolvedConfig, table: DatasetTable, folder: Path, background: Background) -> TableWriter:
    rate = run.config.ingest.sample_rate
    about = {
        "criteria": [criterion.model_dump(mode="json") for criterion in run.criteria],
        "metrics": [metric.model_dump(mode="json") for metric in metric_facts_of(run)],
        "models": [model.model_dump(mode="json") for model in model_facts_of(run)],
    }
    sample_rate = None if rate == "native" else rate
    has_round = run.lineage is not None
    schema = table_schema_of(table, list(run.outputs()), sample_rate, about, has_round=has_round)
    settings = run.config.export
    cut = FileLimits(settings.shard_megabytes, settings.row_group_megabytes)
    return TableWriter(folder / table, schema, cut, background)
