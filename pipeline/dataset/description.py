"""What a dataset says of itself, in ``unanimous.json``: written by the export, read by everybody else."""

from pydantic import Field

from pipeline.config.rounds import Lineage
from pipeline.dataset.provenance import MetricFacts, ModelFacts
from pipeline.dataset.summary import ModelSummary, ScoreSummary, SourceSummary
from pipeline.dataset.writer import SplitFiles
from pipeline.progress.funnel import Funnel
from pipeline.store.dataset_columns import TABLES, DatasetTable
from pipeline.store.dataset_files import LICENCE_FILE, DatasetFiles
from schemas import Record, Split
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.vetoes import Veto

MARK = "unanimous.json"
CARD = "README.md"
DATASET_FILES = frozenset((MARK, CARD, LICENCE_FILE, *TABLES))
"""What is in the folder of a dataset."""


class DatasetDescription(Record):
    """What a dataset says of itself, in ``unanimous.json``."""

    key: str
    name: str
    config_hash: str
    stand_ins: dict[str, str] = Field(default={}, exclude_if=lambda found: not found)
    """What stands in for operators whose weights were not there when the run began."""
    lineage: Lineage | None = Field(default=None, exclude_if=lambda found: found is None)
    """The rounds before, where the dataset is one of several."""
    audio_bits: int
    """16 if the audio was rounded after it was scored, at 24."""
    tables: dict[DatasetTable, dict[Split, SplitFiles]]
    funnel: Funnel
    models: tuple[ModelFacts, ...]
    metrics: tuple[MetricFacts, ...]
    criteria: tuple[Criterion, ...]
    vetoes: tuple[Veto, ...]
    pair_rule: PairRule
    held_out: tuple[str, ...]
    scores: tuple[ScoreSummary, ...]
    candidates: tuple[ModelSummary, ...]
    sources: tuple[SourceSummary, ...]
    licence: str | None
    """The most restrictive of all rows; None without rows."""
    licences: dict[str, int]
    """Pairs by the licence that they are under."""
    languages: tuple[str, ...]

    @property
    def rows(self) -> dict[str, int]:
        """The number of pairs of each split."""
        return {split: files.rows for split, files in self.tables["pairs"].items()}


def read_description(dataset: DatasetFiles, key: str | None = None) -> DatasetDescription | None:
    """Return what a dataset says of itself, if it is there and has the key."""
    if not dataset.holds(MARK):
        return None
    try:
        found = DatasetDescription.model_validate_json(dataset.read(MARK))
    except (OSError, ValueError):  # by another version of the program, or damaged
        return None
    return found if key in {None, found.key} else None
