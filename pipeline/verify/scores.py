"""Scores computed again from published audio, by the metrics that a dataset names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.config.operators import MetricSetup
from pipeline.dataset.provenance import MetricFacts
from pipeline.dataset.published import DatasetRow
from pipeline.store.dataset_columns import PAIR_SIDES
from pipeline.verify.findings import Finding
from pipeline.verify.recipes import recipe_of
from schemas import Degraded, EncodedAudio, OperatorSpec, Restored, RunError, Scored, Take, UserError
from schemas.outcome import NONDETERMINISTIC
from stages.audio.cache import AudioCache
from stages.metrics import METRICS
from stages.operators.metric import Output
from stages.score.stage import ScoreInput, ScoreStage
from stages.weights.locations import WeightLocations, with_paths

STORED_BITS = 24
"""What audio is stored with when it is scored."""


class Rescoring:
    """One metric, loaded as it was for the dataset."""

    def __init__(
        self, facts: MetricFacts, locations: WeightLocations, audio_bits: int, device: str = "cpu"
    ) -> None:
        """Load the metric, with weights from ``locations`` or from the cache.

        Raises ``UserError`` or ``RunError`` if this program, here, would give other scores, or none.
        """
        setup = MetricSetup(facts.name, METRICS.build(with_paths(_spec(facts), locations)), gpus=0)
        _refuse_another(setup, facts)
        self._outputs = setup.outputs
        self._is_rounded = audio_bits < STORED_BITS
        self._cache = AudioCache()
        self._stage = ScoreStage(setup.name, setup.metric, self._cache)
        self._stage.load(device)

    @property
    def scores(self) -> Sequence[str]:
        """Names of the scores that it gives."""
        return tuple(self._outputs)

    def findings(self, row: DatasetRow, audio: Mapping[str, EncodedAudio]) -> Iterator[Finding]:
        """Walk the scores of one pair that are not what its audio gives."""
        (scored,) = self._stage.process([_input(row, audio)])
        for side, values in zip(PAIR_SIDES, _by_name(scored), strict=True):
            for name, output in self._outputs.items():
                published, (found, reason) = row[f"{side}_{name}"], values[name]
                if not self._agree(published, found, output) and not _was_nondeterministic(row, side, name):
                    yield Finding(
                        row["pair_id"], f"{side}_{name}", published, reason if found is None else found
                    )

    def _agree(self, published: float | None, found: float | None, output: Output) -> bool:
        if published is None or found is None:
            return published is found
        return abs(published - found) <= self.tolerance(output)

    def tolerance(self, output: Output) -> float:
        """Return how far a score may be off; rounding of the audio after scoring may move it more."""
        return max(output.tolerance, output.noise_floor) if self._is_rounded else output.tolerance


def _spec(facts: MetricFacts) -> OperatorSpec:
    identity = facts.identity
    return OperatorSpec(kind=identity["kind"], version=identity["code"], params=identity["params"])


def _refuse_another(setup: MetricSetup, facts: MetricFacts) -> None:
    """Raise ``UserError`` if its numbers depend on something that is another one here."""
    here = setup.identity
    other = {name: value for name, value in facts.identity.items() if here.get(name) != value}
    if other:
        said = "; ".join(f"{name} is {here.get(name)}, and was {value}" for name, value in other.items())
        raise UserError(f"another metric here: {said}")


def _input(row: DatasetRow, audio: Mapping[str, EncodedAudio]) -> ScoreInput:
    """Return both sides of a pair as two takes of one model."""
    name, clean = row["pair_id"], audio["clean"]
    takes = tuple(Take(take=number, audio=audio[side]) for number, side in enumerate(PAIR_SIDES))
    degraded = Degraded(id=name, degraded=audio["degraded"], clean=clean)
    return ScoreInput(recipe_of(row), degraded, Restored(id=name, model="", takes=takes))


def _by_name(scored: Scored) -> list[Mapping[str, tuple[float | None, Any]]]:
    return [{score.name: (score.value, score.reason) for score in take.scores} for take in scored.takes]


def _was_nondeterministic(row: DatasetRow, side: str, score: str) -> bool:
    """Whether the score is missing for a reason that another run need not meet: a crash, a time limit."""
    missing = {each["score"]: each["reason"] for each in row[f"{side}_missing_scores"]}
    return missing.get(score) in NONDETERMINISTIC


def load_metrics(
    facts: Sequence[MetricFacts], locations: WeightLocations, audio_bits: int, device: str
) -> tuple[list[Rescoring], dict[str, str]]:
    """Return the metrics that load here, and why the others do not."""
    loaded, refused = [], {}
    for each in facts:
        try:
            loaded.append(Rescoring(each, locations, audio_bits, device))
        except (UserError, RunError, ImportError, ValueError) as error:
            refused[each.name] = str(error)
    return loaded, refused
