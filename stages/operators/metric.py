"""What every metric is: a number for one candidate, or a reason, and which way is better."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from typing import ClassVar

from schemas import Digest, Outcome, Params, Record
from stages.audio.waveform import Waveform
from stages.operators.operator import Operator, Registry


class Better(StrEnum):
    """Which way a score improves."""

    HIGHER = "higher"
    LOWER = "lower"


class Aspect(StrEnum):
    """Which side of quality a metric sees; unanimity is worth what its aspects cover."""

    PERCEPTUAL_QUALITY = "perceptual_quality"
    SIGNAL_FIDELITY = "signal_fidelity"
    CONTENT_CONSISTENCY = "content_consistency"
    TIMBRE_PRESERVATION = "timbre_preservation"


class Output(Record):
    """One number that a metric gives."""

    aspect: Aspect
    better: Better
    low: float | None = None
    high: float | None = None
    noise_floor: float = 0.0
    """How far it moves when nothing audible changes; the default margin of a criterion."""
    tolerance: float = 0.001
    """How far the same audio may score on another machine; more is an error to ``verify``."""
    votes: bool = True
    """Whether it may vote by default; diagnostics do not."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a metric is given: the stored candidate, its clean reference and the words that were said.

    Both waveforms are at the metric's rate and of one length, without DC if it asks for that, and at one
    level if it depends on level. A metric that needs no clean reference gets the candidate in its place.
    """

    candidate: Waveform
    clean: Waveform
    transcript: str | None = None
    language: str | None = None
    """As the corpus says it, if it does."""


Measured = Mapping[str, float]
"""The value of each output, by its suffix (the empty string for a metric with one output)."""


class Metric(Operator):
    """A score for a candidate. Pure once loaded; it never invents a number."""

    outputs: ClassVar[Mapping[str, Output]]
    """What it gives, by suffix: score names are the metric's name and the suffix, joined by ``_``."""
    needs_transcript: ClassVar[bool] = False
    needs_clean: ClassVar[bool] = True
    level_dependent: ClassVar[bool] = False
    """Whether gain moves it; if so the stage hands it a copy at one stated level."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose code or models define the number: with another version of one it is another metric.

    Libraries that only do arithmetic (numpy, torch, onnxruntime) are not among them.
    """
    full_band: ClassVar[bool] = False
    """Whether it hears everything up to half the recording's rate."""
    removes_dc: ClassVar[bool] = False

    @property
    def sample_rate(self) -> int | None:
        """The rate it works at in Hz; None if it takes the recording's own."""
        return None

    @property
    def hears_full_band(self) -> bool:
        """Whether it does with these settings."""
        return self.full_band

    @property
    def weights_sha256(self) -> Digest | None:
        """The SHA-256 of its weights; None without any, or if a version in ``packages`` stands for them."""
        return getattr(self, "sha256", None)

    @property
    def identity(self) -> Params:
        """All that its numbers depend on: code, settings, weights, and versions of packages."""
        return {
            "kind": self.kind,
            "code": self.version,
            "params": self.fingerprint_params,
            "weights_sha256": self.weights_sha256,
            "packages": {name: _installed_version_of(name) for name in self.packages},
        }

    def load(self, device: str) -> None:
        """Bring weights to ``device``; metrics without weights have nothing to do."""

    @abstractmethod
    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or the status and reason of having none.

        One bad comparison must not take the others of its batch along. An exception that escapes counts
        for the whole batch, which is then tried one by one.
        """

    def score_together(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return what ``score`` does, to 1e-3 of an opinion score, asking networks for several at once.

        That is how a GPU is asked. On a CPU company costs the last bits and gains nothing.
        """
        return self.score(batch)


METRICS: Registry[Metric] = Registry("metric")


def score_name(metric: str, suffix: str) -> str:
    """Return the name of a score: ``pesq``, ``dnsmos_ovrl``."""
    return f"{metric}_{suffix}" if suffix else metric


def _installed_version_of(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:  # loading it says so, and how to mend it
        return None
