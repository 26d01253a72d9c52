"""Whisper: whether a recogniser hears the words that were said, or that it hears in the clean speech."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

from pydantic import PrivateAttr

from schemas import Outcome, Reason, UnfitError
from stages.metrics.common.word_error_rate import (
    NormaliserName,
    counts_letters,
    error_rates,
    load_normaliser,
    normaliser_for,
)
from stages.networks import transcription
from stages.networks.silero_vad import VAD_SAMPLE_RATE
from stages.networks.transcription import Transcriber
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Metric, Output
from stages.operators.metric_bases import require_audible, try_measuring
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights

_SHORTEST_S = 0.1
UNVERIFIED = "not run with its published weights, only with small random ones"

_ModelName = Literal[
    "tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium",
    "large-v1", "large-v2", "large-v3", "large-v3-turbo",
]  # fmt: skip
DEFAULT_MODEL: _ModelName = "large-v3-turbo"


def _rate(note: str, noise_floor: float) -> Output:
    return Output(
        aspect=Aspect.CONTENT_CONSISTENCY,
        better=Better.LOWER,
        low=0.0,
        noise_floor=noise_floor,
        votes=False,
        note=f"{note}; no vote by default while {UNVERIFIED}",
    )


class _WordErrors(HasWeights, Metric):
    """What both comparisons share: the recogniser, the normaliser and the counting."""

    licence: ClassVar[str] = "MIT AND Apache-2.0"
    packages: ClassVar[tuple[str, ...]] = ("openai-whisper", "jiwer")
    weights: ClassVar[str] = "openai/whisper and snakers4/silero-vad"
    unverified: ClassVar[str] = UNVERIFIED
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "onnxruntime")
    outputs: ClassVar = {
        "wer": _rate("word error rate", 0.05),
        "cer": _rate("character error rate", 0.02),
        "inserted": _rate("words made up, per word that was said: a guard against hallucination", 0.05),
        "deleted": _rate("words lost, per word that was said", 0.05),
    }

    model: _ModelName | None = None
    """The published checkpoint: large-v3-turbo, unless ``path`` names a folder of one checkpoint (*.pt) and
    silero_vad.onnx, of which nobody says that it is a published one."""
    language: str = "en"
    """What is spoken, as Whisper's code for it. Speech that is said to be in another one has no score."""
    normaliser: NormaliserName | None = None
    """Of Whisper's own: English also levels spelling and numerals, basic only case and punctuation. Without
    one it is the language's, filled in by ``with_digests``."""

    _transcriber: Any = PrivateAttr(default=None)
    _normalise: Any = PrivateAttr(default=None)
    _counts_letters: bool = PrivateAttr(default=False)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return VAD_SAMPLE_RATE

    @property
    def published(self) -> Weights:
        """Whisper's checkpoint and the voice activity network."""
        return transcription.whisper_weights_of(self.model or DEFAULT_MODEL)

    def with_digests(self) -> Self:
        """Return the settings with the weights' SHA-256, which checkpoint it is of, and the normaliser.

        Raises ``MissingWeightsError`` without the weights or the package, and ``ConfigError`` for a language
        that the checkpoint does not know.
        """
        transcription.require_package()
        transcription.require_language(self.language, self.model)
        model = self.model or (DEFAULT_MODEL if self.path is None else None)
        normaliser = self.normaliser or normaliser_for(self.language)
        return super().with_digests().model_copy(update={"model": model, "normaliser": normaliser})

    def load(self, device: str) -> None:
        """Open both networks; metrics of one process that name the same ones share them and their texts."""
        self._transcriber = transcription.load_transcriber(
            self.require_place(), self.sha256, self.language, device
        )
        normaliser = self.normaliser or normaliser_for(self.language)
        self._normalise = load_normaliser(normaliser, self.language)
        self._counts_letters = counts_letters(normaliser, self.language)

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the rates of each comparison, or why there are none; all is heard at once."""
        checked = [try_measuring(partial(self._check_and_measure, comparison)) for comparison in batch]
        sound = [
            comparison
            for comparison, fault in zip(batch, checked, strict=True)
            if not isinstance(fault, Outcome)
        ]
        heard = self._transcriber.texts([comparison.candidate.samples for comparison in sound])
        said = self._reference_texts(sound)
        rates = iter([try_measuring(partial(self._rates, *texts)) for texts in zip(said, heard, strict=True)])
        return [fault if isinstance(fault, Outcome) else next(rates) for fault in checked]

    def _check_and_measure(self, comparison: Comparison) -> Measured:
        self._require_our_language(comparison.language)
        require_audible(comparison.candidate, "candidate", _SHORTEST_S)
        if self.needs_clean:
            require_audible(comparison.clean, "clean", _SHORTEST_S)
        return {}

    def _require_our_language(self, label: str | None) -> None:
        spoken = None if label is None else transcription.language_code(label)
        if spoken not in {None, self.language}:
            message = f"the words are in {label!r}, and the metric listens for {self.language!r}"
            raise UnfitError(Reason.NO_TRANSCRIPT, message)

    @abstractmethod
    def _reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[str]:
        """Return the words that each candidate should hold."""

    def _rates(self, said: str, heard: str) -> Measured:
        reference = self._normalise(said)
        if not reference:
            raise self._without_words()
        return error_rates(reference, self._normalise(heard), letters=self._counts_letters)

    @abstractmethod
    def _without_words(self) -> UnfitError:
        """Return the reason for a reference that holds no word."""


@METRICS.register
class Whisper(_WordErrors):
    """Word and character errors of Whisper on the candidate (Radford et al., 2022) against the transcript.

    Texts are compared after Whisper's own normaliser. Where nobody speaks nothing is recognised, as the
    Silero network hears it: a candidate of noise alone has lost every word. Over 30 s the audio is cut at
    pauses. Decoding is greedy and in batches, and a text does not depend on its batch.
    """

    kind: ClassVar[str] = "whisper"
    version: ClassVar[int] = 2
    needs_transcript: ClassVar[bool] = True
    needs_clean: ClassVar[bool] = False

    def _reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[str]:
        return [comparison.transcript or "" for comparison in comparisons]

    def _without_words(self) -> UnfitError:
        return UnfitError(Reason.NO_TRANSCRIPT, "no word is left of the transcript once it is normalised")


@METRICS.register
class WhisperClean(_WordErrors):
    """Word and character errors of Whisper on the candidate against what it hears in the clean reference.

    As ``whisper``, without a transcript: what the recogniser gets wrong on both sides does not count. The
    clean reference is heard once for all candidates.
    """

    kind: ClassVar[str] = "whisper_clean"
    version: ClassVar[int] = 2

    def _reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[str]:
        transcriber: Transcriber = self._transcriber
        return transcriber.texts([comparison.clean.samples for comparison in comparisons])

    def _without_words(self) -> UnfitError:
        return UnfitError(Reason.SILENT, "no word was recognised in the clean reference")
