"""An exported dataset in a training loop."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from torch.utils.data import DataLoader

from pipeline.dpo import PairStream, Selection, collate
from stages.audio.flac import decode_flac_bytes


def test_a_run_ends_where_a_training_begins(undisturbed: Path) -> None:
    """What was exported comes out sample by sample, all of it once, and selected by what rows say."""
    dataset = undisturbed / "workspace" / "dataset"
    rows = {row["pair_id"]: row for row in pq.read_table(dataset / "pairs").to_pylist()}
    loader = DataLoader(PairStream(dataset, sample_rate=16_000, seed=0), batch_size=4, collate_fn=collate)

    batches = list(loader)

    assert sorted(name for batch in batches for name in batch.pair_ids) == sorted(rows)
    for batch in batches:
        for index, name in enumerate(batch.pair_ids):
            for side in ("degraded", "chosen", "rejected", "clean"):
                stored = decode_flac_bytes(rows[name][side]["bytes"]).samples
                np.testing.assert_array_equal(getattr(batch, side)[index][batch.mask[index]], stored)


def test_a_selection_is_by_the_columns_of_the_dataset(undisturbed: Path) -> None:
    """The clearer half of the pairs, and none where no step was of that kind."""
    dataset = undisturbed / "workspace" / "dataset"
    rows = pq.read_table(dataset / "pairs", columns=["pair_id", "strength"]).to_pylist()
    least = float(np.median([row["strength"] for row in rows]))
    clear = Selection(min_strength=least, degradations=frozenset({"noise"}))
    reverberant = Selection(degradations=frozenset({"reverb"}))

    kept = [pair.pair_id for pair in PairStream(dataset, sample_rate=16_000, selection=clear)]

    assert kept == [row["pair_id"] for row in rows if row["strength"] >= least]
    assert 0 < len(kept) < len(rows)
    assert not list(PairStream(dataset, sample_rate=16_000, selection=reverberant))
