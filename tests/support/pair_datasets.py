"""Datasets of pairs, as small as wanted, with the columns of an exported one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.dataset_columns import table_schema_of
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for

SIDES = ("degraded", "chosen", "rejected", "clean")
CARD = """---
configs:
- config_name: pairs
  default: true
  data_files:
  - split: train
    path: pairs/train-*.parquet
---
"""


def pair_row(name: str, seconds: float = 0.3, sample_rate: int = 16_000, **changes: Any) -> dict[str, Any]:
    """Return a row whose clean side is a slow ramp, and whose other sides are that ramp plus noise.

    Chosen has less noise than rejected, and rejected less than degraded; a place in the ramp tells where a
    stretch of it was taken from.
    """
    ramp = np.linspace(-0.5, 0.5, round(seconds * sample_rate))
    levels = {"degraded": 0.1, "chosen": 0.01, "rejected": 0.05, "clean": 0.0}
    row: dict[str, Any] = {
        "pair_id": name,
        "split": "train",
        "sample_rate": sample_rate,
        "strength": 1.0,
        "margin_estoi": 0.1,
        "degradations": ["noise"],
        "chosen_model": "wiener",
        "rejected_model": "identity",
    }
    for side, level in levels.items():
        noise = level * rng_for(0, name, side).uniform(-1.0, 1.0, ramp.size)
        audio = encode_flac(Waveform((ramp + noise).astype(np.float32), sample_rate))
        row[side] = {"bytes": audio.flac, "path": f"{name}.{side}.flac"}
    return {**row, **changes}


def write_dataset(folder: Path, rows: Sequence[dict[str, Any]], rows_per_group: int = 2) -> Path:
    """Write the rows as the one file of a dataset's ``pairs`` and return its folder."""
    (folder / "pairs").mkdir(parents=True)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    table = pa.Table.from_pylist(list(rows), schema=table_schema_of("pairs", ["estoi"], None, {}))
    file = folder / "pairs" / "train-00000-of-00001.parquet"
    with pq.ParquetWriter(file, table.schema) as writer:
        for start in range(0, table.num_rows, rows_per_group):
            writer.write_table(table.slice(start, rows_per_group))
    return folder
