"""The dataset card: what ``datasets`` needs to open it, what was done, and with which numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.dataset import card_tables as written
from pipeline.dataset.card_front_matter import front_of, licence_of
from pipeline.dataset.rounds import stale_models_of
from pipeline.progress.funnel import funnel_lines
from pipeline.store.dataset_columns import (
    MEANINGS,
    MEANINGS_IN_CANDIDATES,
    MEANINGS_IN_PAIRS,
    MEANINGS_OF_ROUNDS,
)
from pipeline.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.config.resolve import ResolvedConfig
    from pipeline.dataset.description import DatasetDescription

TEMPLATE = Path(__file__).with_name("card.md.j2")
LOAD_LINES = """\
import io

import soundfile
from datasets import Audio, load_dataset

pairs = load_dataset({path}, split="{split}"{how})
for column in ("degraded", "chosen", "rejected", "clean"):
    pairs = pairs.cast_column(column, Audio(decode=False))
for pair in pairs:
    chosen, sample_rate = soundfile.read(io.BytesIO(pair["chosen"]["bytes"]))
"""
"""How to load the dataset without torchcodec; a test executes exactly these lines."""


PATTERN = (
    "# 'datasets' takes [ in a path for a pattern and misses what is there: move the folder, or link to it\n"
)


def load_lines(path: str, split: str, how: str = "") -> str:
    """Return the lines that load one split of a dataset."""
    written = json.dumps(path, ensure_ascii=False)
    if "://" in path:  # to the library only files are at a URL
        files = json.dumps(f"{path}/pairs/{split}-*.parquet", ensure_ascii=False)
        return LOAD_LINES.format(path=f'"parquet", data_files={{"{split}": {files}}}', split=split, how=how)
    lines = LOAD_LINES.format(path=written, split=split, how=how)
    return PATTERN + lines if "[" in path else lines


def lines_for(path: str, rows: Mapping[str, int]) -> str:
    """Return the lines that load the first split with rows; a split without any only opens as a stream."""
    split = next((name for name, number in rows.items() if number), None)
    if split is None:
        return load_lines(path, next(iter(rows)), ", streaming=True")
    return load_lines(path, split)


def card_of(run: ResolvedConfig, exported: DatasetDescription, audit: Sequence[str] = ()) -> str:
    """Return the README.md of a dataset; ``audit`` are the lines on what an audit found."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only where a card is written

    # Markdown, not HTML: what could break a table is escaped where it is written
    environment = Environment(  # noqa: S701
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters["inline"] = written.escape_inline
    config = run.config
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        front=front_of(run, exported).strip(),
        config=config,
        exported=exported,
        bibtex_key="".join(char for char in exported.name if char.isalnum()) or "pairs",
        bibtex_title=exported.name.replace("_", r"\_"),
        tables=written.describe_tables(exported.tables),
        loading=lines_for("path/to/dataset", exported.rows).rstrip(),
        columns=written.describe_columns(MEANINGS),
        columns_of_rounds=written.describe_columns(MEANINGS_OF_ROUNDS),
        rounds="" if exported.lineage is None else written.describe_rounds(exported.lineage.earlier),
        stale=written.join_codes(sorted(stale_models_of(exported))),
        columns_of_pairs=written.describe_columns(MEANINGS_IN_PAIRS),
        columns_of_candidates=written.describe_columns(MEANINGS_IN_CANDIDATES),
        substitutes=written.markdown_table(["part of the recipe", "here"], config.substitutes.items()),
        stand_ins=written.markdown_table(["operator", "here"], config.stand_ins.items()),
        repeats=count(config.degradations.repeats, "degraded version"),
        chain=written.describe_chain(part.described for part in run.chain),
        pools=written.describe_pools(
            {
                name: [part.model_dump(exclude_none=True) for part in parts]
                for name, parts in config.pools.items()
            }
        ),
        models=written.describe_models(exported.models),
        metrics=written.describe_metrics(exported.metrics),
        votes=written.describe_votes(exported.criteria),
        kept=written.describe_rule(exported.pair_rule),
        held_out=written.join_codes(exported.held_out),
        funnel="\n".join(funnel_lines(exported.funnel)),
        scores=written.describe_scores(exported.scores),
        candidates=written.describe_candidates(exported.candidates),
        audit="\n".join(audit),
        licences=written.describe_licences(exported.licences),
        sources=written.describe_sources(exported.sources),
    )


def licence_text_of(exported: DatasetDescription) -> str | None:
    """Return LICENSE.md of a dataset that is under what the hub has no identifier for; None for others."""
    if "license_link" not in licence_of(exported.licence):
        return None
    parts = written.describe_sources(exported.sources)
    return (
        f"# Licences of {exported.name}\n\n**{written.escape_inline(str(exported.licence))}** is the most "
        "restrictive licence of any row, and so that of the\nwhole. Each row says its own in `row_licence`, "
        f"and all that it is made of in `licences`.\n\n{parts}\n"
    )
