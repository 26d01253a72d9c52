"""The dataset card: what ``datasets`` needs to open it, what was done, and with which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from pipeline.funnel_text import funnel_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.export import Exported
    from pipeline.resolve import Run

LOAD_LINES = """\
import io

import soundfile
from datasets import Audio, load_dataset

pairs = load_dataset("{path}", split="{split}"{how})
for column in ("degraded", "chosen", "rejected", "clean"):
    pairs = pairs.cast_column(column, Audio(decode=False))
for pair in pairs:
    chosen, sample_rate = soundfile.read(io.BytesIO(pair["chosen"]["bytes"]))
"""
"""How to load the dataset without torchcodec; a test executes exactly these lines."""


def load_lines(path: str, split: str, how: str = "") -> str:
    """Return the lines that load one split of a dataset."""
    return LOAD_LINES.format(path=path, split=split, how=how)


def lines_for(path: str, rows: Mapping[str, int]) -> str:
    """Return the lines that load the first split with rows; a split without any only opens as a stream."""
    split = next((name for name, number in rows.items() if number), None)
    if split is None:
        return load_lines(path, next(iter(rows)), ", streaming=True")
    return load_lines(path, split)


def card_of(run: Run, exported: Exported) -> str:
    """Return the README.md of a dataset."""
    config = run.config
    front = {
        "pretty_name": config.name,
        "tags": ["audio", "speech-restoration", "preference", "dpo"],
        "configs": [
            {
                "config_name": "pairs",
                "default": True,
                "data_files": [{"split": s, "path": f"pairs/{s}-*.parquet"} for s in exported.rows],
            }
        ],
    }
    lines = ["---", yaml.safe_dump(front, sort_keys=False).rstrip(), "---", "", f"# {config.name}", ""]
    if config.description:
        lines += [config.description, ""]
    lines += _substitutes(run)
    lines += ["## From utterances to pairs", "", "```", *funnel_lines(exported.funnel), "```", ""]
    lines += ["## Scores", "", "| score | chosen | rejected | chosen better by |", "|---|---|---|---|"]
    lines += [
        f"| {s.name} | {s.chosen:.3f} | {s.rejected:.3f} | {s.advantage:.3f} |" for s in exported.scores
    ]
    criteria = ", ".join(f"`{c.metric}` by more than {c.margin:g}" for c in run.criteria)
    lines += ["", f"A pair is kept when all of these favour the same side: {criteria}.", ""]
    lines += [
        "## Load it",
        "",
        "```python",
        lines_for("path/to/dataset", exported.rows).rstrip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _substitutes(run: Run) -> list[str]:
    if not run.config.substitutes:
        return []
    rows = [f"| {part} | {stand_in} |" for part, stand_in in run.config.substitutes.items()]
    return ["| part of the recipe | here |", "|---|---|", *rows, ""]
