"""What a round is to those after it: read from what its dataset says of itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config.resolve import ResolvedConfig
from pipeline.config.rounds import Lineage, RoundModel, RoundSummary
from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.provenance import ModelFacts, model_facts_of

_Columns = Mapping[str, Any]


class RoundColumns:
    """What the rows of a dataset say of rounds."""

    def __init__(self, lineage: Lineage, models: Sequence[ModelFacts]) -> None:
        self.of_row: _Columns = {"round": lineage.number, "round_parent": lineage.parent}
        stale = lineage.stale_models([_model_of(model) for model in models])
        self._of_model: Mapping[str, _Columns] = {
            model.name: {
                "model_fingerprint": model.model_fingerprint,
                "model_round": lineage.first_round_of(model.model_fingerprint),
                "is_stale": model.name in stale,
            }
            for model in models
        }

    def of_take(self, model: str) -> _Columns:
        """Return what is said of a take of a model; nothing of the clean reference."""
        return self._of_model.get(model, {})


def round_columns_of(run: ResolvedConfig) -> RoundColumns | None:
    """Return what the rows of a run's dataset say of rounds; None if it is not one of several."""
    return None if run.lineage is None else RoundColumns(run.lineage, model_facts_of(run))


def stale_models_of(description: DatasetDescription) -> frozenset[str]:
    """Return the models of a dataset that are policies as they were two rounds ago."""
    lineage = description.lineage or Lineage()
    return lineage.stale_models([_model_of(model) for model in description.models])


def round_summary_of(description: DatasetDescription, judges: Mapping[str, float]) -> RoundSummary:
    """Return what a finished round came to; ``judges`` are what scores without a vote say of its pairs."""
    fared = {summary.name: summary for summary in description.candidates}
    counts = ("candidates", "chosen", "rejected", "means")
    models = (
        _model_of(model).model_copy(
            update=fared[model.name].model_dump(include=set(counts)) if model.name in fared else {}
        )
        for model in description.models
    )
    return RoundSummary(
        number=(description.lineage or Lineage()).number,
        key=description.key,
        name=description.name,
        config_hash=description.config_hash,
        models=tuple(models),
        comparisons=description.funnel.count("compared"),
        unanimous=description.funnel.count("unanimous"),
        pairs=description.funnel.count("pairs"),
        judges=dict(judges),
    )


def _model_of(facts: ModelFacts) -> RoundModel:
    has_weights = any(weights.sha256 is not None for weights in facts.weights)
    return RoundModel(name=facts.name, model_fingerprint=facts.model_fingerprint, has_weights=has_weights)
