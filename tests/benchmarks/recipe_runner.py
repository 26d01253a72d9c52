"""A recipe carried out on clips in memory, as the stage does it: for benchmarks."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.chain import ChainReader
from pipeline.config.document import Document
from pipeline.config.problems import Problems
from pipeline.config.reader import ReadContext
from schemas import Degraded, Recipe, Split
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput, DegradeStage
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps, references_in

POOLS = ("noise", "rir", "speech")


class RecipeRunner:
    """Draws and applies the chain of a recipe, another drawing for each number."""

    def __init__(self, entries: Sequence[Any], sources: MemoryAudioSource, clips: Sequence[Waveform]) -> None:
        problems = Problems(Document(Path("recipe"), {}, {}))
        reader = ChainReader(POOLS, ReadContext(Path(), problems, all_known=True))
        self._chain = reader.parts(((index,), entry) for index, entry in enumerate(entries))
        problems.raise_if_any()
        self._pools = {pool: sources.refs(pool) for pool in POOLS}
        self._clips = [encode_flac(clip) for clip in clips]
        self._stage = DegradeStage(sources, AudioCache(), level="joint_peak")

    def run(self, numbers: Iterable[int]) -> list[Degraded]:
        """Return one degraded utterance for each number."""
        return [self._one(number) for number in numbers]

    def _one(self, number: int) -> Degraded:
        audio = self._clips[number % len(self._clips)]
        utterance = Utterance(str(number), sample_rate=audio.sample_rate, duration_s=audio.duration_s)
        steps = draw_steps(self._chain, Occasion(utterance, 0, 0, self._pools))
        recipe = Recipe(
            id=str(number),
            utterance_id=str(number),
            source_id=str(number),
            corpus="benchmark",
            repeat=0,
            split=Split.TRAIN,
            sample_rate=audio.sample_rate,
            num_samples=audio.num_samples,
            bandwidth_hz=audio.sample_rate / 2,
            steps=steps,
            sources=references_in(steps),
        )
        (row,) = self._stage.process([DegradeInput(recipe, audio)])
        return row
