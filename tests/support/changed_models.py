"""Restoration models that do one thing to their input, named by a test, and the stage around them."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from schemas import Degraded, EncodedAudio, Restored
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution, Uniform
from stages.operators.rng import rng_for
from stages.restore.stage import RestoreStage
from stages.restorers import Restorer


class Changed(Restorer):
    """A model that does one thing to the samples, named by the test."""

    kind: ClassVar[str] = "test_changed"
    change: str
    rate: int | None = None
    amount: float = 1.0

    @property
    def sample_rate(self) -> int | None:
        """As the test says."""
        return self.rate

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the changed inputs."""
        pairs = zip(batch, streams, strict=True)
        return [w.with_samples(CHANGES[self.change](w.samples, self.amount, rng)) for w, rng in pairs]


class Sampling(Changed):
    """The same, as a model that draws."""

    sampling: ClassVar[bool] = True


class Drawing(Changed):
    """The same, as a model that says how its settings differ."""

    draws: ClassVar[Mapping[str, Distribution]] = {"amount": Uniform(low=0.1, high=0.9)}


class Loud(Changed):
    """The same, as a model whose level is meant."""

    restores_level: ClassVar[bool] = True


def _raising(error: Exception) -> Callable[..., np.ndarray]:
    def change(*_: object) -> np.ndarray:
        raise error

    return change


CHANGES: dict[str, Callable[..., np.ndarray]] = {
    "late": lambda x, *_: np.pad(x, (137, 0)),
    "late_and_cut": lambda x, *_: np.pad(x, (137, 0))[: x.size],
    "quiet": lambda x, *_: 0.1 * x,
    "a_frame_longer": lambda x, *_: np.pad(x, (0, 512)),
    "a_frame_shorter": lambda x, *_: x[:-512],
    "half": lambda x, *_: x[: x.size // 2],
    "much_longer": lambda x, *_: np.pad(x, (0, x.size)),
    "nothing_left": lambda x, *_: x[:0],
    "nan": lambda x, *_: np.where(np.arange(x.size) == 7, np.nan, x),
    "infinite": lambda x, *_: np.where(np.arange(x.size) == 7, np.inf, x),
    "silent": lambda x, *_: 0.0 * x,
    "two_channels": lambda x, *_: np.stack([x, x]),
    "raise": _raising(ValueError("weights of /home/someone disagree")),
    "memory": _raising(MemoryError()),
    "disk": _raising(OSError(28, "No space left on device")),
    "hiss": lambda x, a, rng: x + 0.01 * a * rng.standard_normal(x.size),
    "bend": lambda x, a, _: np.tanh(x / a),
    "sometimes": lambda x, _, rng: x if rng.random() < 0.5 else CHANGES["raise"](),
}


def voiced(seconds: float = 2.0, sample_rate: int = 16_000) -> Waveform:
    """Return a voice with pauses, over a little hiss."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    voice = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 12)) * (np.sin(9 * t) > -0.5)
    hiss = rng_for(0, "hiss").standard_normal(t.size)
    return Waveform((0.1 * voice + 0.003 * hiss).astype(np.float32), sample_rate)


def degraded(waveform: Waveform | None = None, name: str = "corpus/a") -> Degraded:
    """Return a record of degraded speech; without a waveform, of two seconds of voice."""
    waveform = waveform or voiced()
    return Degraded(id=name, degraded=encode_flac(waveform), clean=encode_flac(waveform.scale(0.9)))


def stage_of(
    restorer: Restorer, num_takes: int = 1, draws: Mapping[str, Distribution] | None = None
) -> RestoreStage:
    """Return the stage around a model, ready to restore."""
    stage = RestoreStage(
        "model", restorer, num_takes=num_takes, draws=draws or {}, seed=0, cache=AudioCache()
    )
    stage.load("cpu")
    return stage


def restored(stage: RestoreStage, record: Degraded | None = None) -> Restored:
    """Return what the stage makes of one record."""
    return stage.process([record or degraded()])[0]


def audio_of(row: Restored, take: int = 0) -> EncodedAudio:
    """Return the audio of a take that has some."""
    audio = row.takes[take].audio
    assert audio is not None, row.takes[take]
    return audio
