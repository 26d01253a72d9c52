"""What a set of annotations says of itself, in ``annotations.json``."""

from pipeline.dataset.provenance import MetricFacts, ModelFacts
from pipeline.dataset.writer import SplitFiles
from schemas import Record, Split
from stages.prefer.annotation import Verdict
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto

ANNOTATION_MARK = "annotations.json"


class ScoreGain(Record):
    """The means of a score over the annotations that have it on both sides."""

    name: str
    annotations: int
    degraded: float
    pseudo_clean: float


class AnnotationDescription(Record):
    """What a set of annotations says of itself."""

    key: str
    name: str
    config_hash: str
    stand_ins: dict[str, str]
    tables: dict[str, dict[Split, SplitFiles]]
    recordings: int
    verdicts: dict[str, int]
    """Stretches, and recordings that gave none, by what became of them."""
    gains: tuple[ScoreGain, ...]
    models: tuple[ModelFacts, ...]
    metrics: tuple[MetricFacts, ...]
    criteria: tuple[Criterion, ...]
    vetoes: tuple[Veto, ...]
    licence: str | None
    licences: dict[str, int]
    languages: tuple[str, ...]
    corpora: tuple[str, ...]

    @property
    def annotated(self) -> int:
        """How many stretches have a pseudo-clean side."""
        return self.verdicts.get(Verdict.CHOSEN, 0)
