"""A panel in memory: audio in, for each item and score a value or a reason, and rewards made of them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.config.panel import ResolvedPanel, resolve_panel
from pipeline.execution.worker import process_batch
from pipeline.panel.rewards import Normalise, unanimity_rewards, weighted_rewards
from pipeline.panel.score_rows import scores_of
from pipeline.store.files import expand_home
from pipeline.tables.given import score_input_of
from schemas import EncodedAudio, Given, RunError, Score, Scored
from stages import torchaudio_guard
from stages.audio.audible import is_inaudible
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.ingest.given import require_heard
from stages.prefer.comparisons import Floats64
from stages.runtime.attempt import attempt
from stages.score.stage import ScoreStage

Audio = Any
"""A ``Waveform``, or mono samples as an array of one dimension, on the CPU and without gradients."""


@dataclass(frozen=True, slots=True)
class PanelScores:
    """What the panel says of several items, in their order."""

    items: tuple[Mapping[str, Score], ...]
    """Of each item all scores by their names: a value, or a reason why there is none."""

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self.items)

    def values(self, name: str) -> Floats64:
        """Return one score of all items; NaN where there is none."""
        values = (item[name].value for item in self.items)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


class Panel:
    """Scores like a run: what is stored is scored, at the rates and levels of the metrics, with its reasons.

    On a CPU the numbers are those of a run, to the bit, if the process computes with one thread as a run
    does. Metrics are loaded when they first score; those with ``gpus`` in the config on ``device``.
    """

    def __init__(self, resolved: ResolvedPanel, device: str = "cpu") -> None:
        self.resolved = resolved
        self._device = device
        self._cache = AudioCache()
        self._stages: dict[str, ScoreStage] = {}

    @classmethod
    def load(cls, path: str | Path, *, assignments: Sequence[str] = (), device: str = "cpu") -> Self:
        """Return the panel of a config: its metrics, and its votes if it has any.

        ``assignments`` are ``a.b=value`` texts. Where weights are missing and the config names stand-ins,
        these are used, and ``resolved.stand_ins`` says so. Raises ``ConfigError`` with every mistake.
        """
        return cls(resolve_panel(expand_home(str(path)), assignments), device)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all scores."""
        return tuple(self.resolved.outputs())

    @property
    def voting(self) -> Sequence[str]:
        """The names of the scores that vote; without votes, of those that may."""
        if self.resolved.criteria:
            return [criterion.metric for criterion in self.resolved.criteria]
        return [name for name, output in self.resolved.outputs().items() if output.votes]

    def score(
        self,
        candidates: Sequence[Audio],
        clean: Sequence[Audio | None] | None = None,
        transcripts: Sequence[str | None] | None = None,
        *,
        sample_rate: int | None = None,
        languages: Sequence[str | None] | None = None,
    ) -> PanelScores:
        """Return what the panel says of each candidate; ``clean`` and the others are of the same items.

        ``sample_rate`` in Hz is that of arrays; a ``Waveform`` knows its own. Nothing is fitted: candidate
        and clean have one rate and one length, else the scores that compare them have the reason
        ``wrong_shape``. Raises ``ValueError`` for sequences that differ in length, and arrays of more than
        one dimension or without a rate.
        """
        number = len(candidates)
        references, texts, tongues = (_as_many(each, number) for each in (clean, transcripts, languages))
        store = _Store(sample_rate)
        rows = [
            store.given(f"item {index}", *sides)
            for index, sides in enumerate(zip(candidates, references, texts, tongues, strict=True))
        ]
        tables = [list(self._scored(setup.name, rows)) for setup in self.resolved.metrics]
        return PanelScores(
            tuple(scores_of(row, of_row) for row, of_row in zip(rows, zip(*tables, strict=True), strict=True))
        )

    def reward(
        self,
        scores: PanelScores,
        weights: Mapping[str, float] | None = None,
        normalise: Normalise = "batch_std",
    ) -> Floats64:
        """Return the weighted sum of each item's scores, each turned so that more is better.

        By default every vote of the panel has a weight of 1, or without votes every score that may vote.
        ``batch_std`` divides each score by its standard deviation over the items that have it, so that
        weights compare; FlowTTS-GRPO (arXiv 2606.23190) and FlowSE-GRPO (arXiv 2601.16483) found several
        rewards so divided to hold where a single one was hacked. An item without one of the scores has NaN,
        never a number that nobody measured: `group_advantages` leaves it out.
        """
        outputs = self.resolved.outputs()
        chosen = dict.fromkeys(self.voting, 1.0) if weights is None else dict(weights)
        if unknown := sorted(chosen.keys() - outputs.keys()):
            raise ValueError(f"the panel has no score {', '.join(unknown)}; it has {', '.join(outputs)}")
        values = {name: scores.values(name) for name in chosen}
        return weighted_rewards(values, {name: outputs[name].better for name in chosen}, chosen, normalise)

    def unanimity(self, scores: PanelScores, groups: Sequence[Hashable]) -> Floats64:
        """Return the share of its group that each item beats on every vote, beyond margins and vetoes.

        ``groups`` names the group of each item, such as the input that it was restored from. Items without
        all votes take no part and have NaN, and so has one that is alone. Raises ``ValueError`` for a panel
        without votes.
        """
        if not self.resolved.criteria:
            raise ValueError("nobody votes: the panel's config has no 'preference.criteria'")
        values = {name: scores.values(name) for name in self.names}
        return unanimity_rewards(values, self.resolved.criteria, self.resolved.vetoes, groups)

    def _scored(self, metric: str, rows: Sequence[Given]) -> Iterator[Scored]:
        stage = self._stage(metric)
        for batch in stage.batches([score_input_of(row) for row in rows]):
            for row in process_batch(stage, batch, f"panel {metric}"):
                assert isinstance(row, Scored)
                yield row

    def _stage(self, metric: str) -> ScoreStage:
        """Return the stage of a metric, loaded once."""
        if metric not in self._stages:
            torchaudio_guard.install_guard()
            setup = next(each for each in self.resolved.metrics if each.name == metric)
            stage = ScoreStage(setup.name, setup.metric, self._cache)
            device = self._device if setup.gpus else "cpu"
            loaded = attempt(f"loading {metric}", lambda: stage.load(device))
            if not loaded.outcome.is_ok:
                raise RunError(f"{metric} cannot be loaded: {loaded.outcome.detail}")
            self._stages[metric] = stage
        return self._stages[metric]


class _Store:
    """Audio of one call as a run would store it; what is given several times is stored once."""

    def __init__(self, sample_rate: int | None) -> None:
        self._sample_rate = sample_rate
        self._stored: dict[int, tuple[EncodedAudio, bool]] = {}

    def given(
        self, name: str, candidate: Audio, clean: Audio | None, transcript: str | None, language: str | None
    ) -> Given:
        """Return the row of one item."""
        said = {"id": name, "model": "given", "item": name, "transcript": transcript, "language": language}
        waveform = self._waveform(candidate)
        reference = None if clean is None else self._waveform(clean)
        heard = attempt(name, lambda: require_heard(self._encode(candidate, waveform)))
        if reference is None or heard.value is None:
            return Given.model_validate({**said, "audio": heard.value, **heard.outcome.fields})
        against = attempt(f"clean of {name}", lambda: self._encode(clean, reference)[0])
        trouble = "" if against.outcome.is_ok else f"{against.outcome.reason}: {against.outcome.detail}"
        sides = {"audio": heard.value, "clean": against.value, "clean_trouble": trouble}
        return Given.model_validate({**said, **sides})

    def _waveform(self, audio: Audio) -> Waveform:
        if isinstance(audio, Waveform):
            return audio
        samples = np.ascontiguousarray(audio, dtype=np.float32)
        if samples.ndim != 1:
            raise ValueError(f"audio is mono samples of one dimension, got the shape {samples.shape}")
        if self._sample_rate is None:
            raise ValueError("arrays need a 'sample_rate' in Hz")
        return Waveform(samples, self._sample_rate)

    def _encode(self, audio: Audio, waveform: Waveform) -> tuple[EncodedAudio, bool]:
        """Return the stored audio, and whether anything can be heard in it."""
        if id(audio) not in self._stored:
            is_heard = not is_inaudible(waveform.samples, waveform.sample_rate)
            self._stored[id(audio)] = encode_flac(waveform), is_heard
        return self._stored[id(audio)]


def _as_many(given: Sequence[Any] | None, number: int) -> Sequence[Any]:
    if given is None:
        return [None] * number
    if len(given) != number:
        raise ValueError(f"{len(given)} for {number} candidates: each candidate has its own")
    return given
