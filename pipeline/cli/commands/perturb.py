"""``perturb``: pairs of a dataset whose rejected side is the chosen one, damaged."""

from pathlib import Path

from pipeline.config.damage import resolve_damage
from pipeline.dataset.published import open_dataset
from pipeline.execution.interrupts import exit_on_stop
from pipeline.operations.perturb import write_perturbed
from pipeline.panel import Panel
from pipeline.store.dataset_files import DatasetFiles
from pipeline.text import count, say


def perturb_command(dataset: DatasetFiles, damage: Path, out: Path, seed: int, panel: Path | None) -> None:
    """Write the pairs, and say how many there are, and why there are no more."""
    opened, resolved = open_dataset(dataset), resolve_damage(damage)
    judges = None if panel is None else Panel.load(panel)
    with exit_on_stop():
        written = write_perturbed(opened, resolved, out, seed, judges)
    say(f"{count(written.num_pairs, 'pair')} in {out}")
    for why, number in sorted(written.left_out.items(), key=lambda each: -each[1]):
        say(f"left out: {number:,} {why}")
