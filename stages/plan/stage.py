"""The planner: every random decision about a degraded utterance, made before a sample is touched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas import Ingested, Outcome, Recipe, Segment, Split
from stages.operators.distributions import Pools
from stages.plan.chain import Part
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps, references_in
from stages.stage import Stage

VERSION = 3


@dataclass(frozen=True, slots=True)
class Planned:
    """One utterance and the number of its repeat: the fan-out of the whole run."""

    source: Ingested
    segment: Segment
    repeat: int

    @property
    def id(self) -> str:
        """The name of the degraded utterance in every table."""
        return f"{self.segment.id}:{self.repeat}"

    @property
    def utterance(self) -> Utterance:
        """What a drawing may depend on."""
        return Utterance(
            id=self.segment.id,
            source_id=self.source.id,
            speaker=self.source.speaker,
            digest=self.segment.audio.digest,
            sample_rate=self.segment.audio.sample_rate,
            duration_s=self.segment.audio.duration_s,
            bandwidth_hz=self.segment.probe.bandwidth_hz,
        )


class PlanStage(Stage[Planned, Recipe]):
    """Draw a recipe for each planned utterance, from streams named by utterance, repeat and place."""

    def __init__(self, chain: Sequence[Part], seed: int, pools: Mapping[Split, Pools]) -> None:
        self._chain = chain
        self._seed = seed
        self._pools = pools

    def name_of(self, record: Planned) -> str:
        """Return the name of the degraded utterance."""
        return record.id

    def batches(self, records: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
        """Take all at once: to draw a recipe costs less than a note of it."""
        if records:
            yield records

    def process(self, batch: Sequence[Planned]) -> list[Recipe]:
        """Return a recipe for each."""
        return [self._recipe(record) for record in batch]

    def _recipe(self, planned: Planned) -> Recipe:
        side = planned.source.split
        pools = self._pools.get(side, {})
        occasion = Occasion(planned.utterance, planned.repeat, self._seed, pools, side)
        steps = draw_steps(self._chain, occasion)
        return self._describe(planned, Outcome()).model_copy(
            update={"steps": steps, "sources": references_in(steps)}
        )

    def without_value(self, record: Planned, outcome: Outcome) -> Recipe:
        """Return a recipe without steps that says why."""
        return self._describe(record, outcome)

    @staticmethod
    def _describe(planned: Planned, outcome: Outcome) -> Recipe:
        source, segment = planned.source, planned.segment
        return Recipe(
            id=planned.id,
            **outcome.fields,
            utterance_id=segment.id,
            source_id=source.id,
            corpus=source.corpus,
            repeat=planned.repeat,
            split=source.split,
            speaker=source.speaker,
            transcript=source.transcript,
            language=source.language,
            licence=source.licence,
            sample_rate=segment.audio.sample_rate,
            num_samples=segment.audio.num_samples,
            bandwidth_hz=segment.probe.bandwidth_hz,
            steps=(),
            sources=(),
        )
