"""Whisper: whether a recogniser hears the words that were said, or that it hears in the clean speech."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.metrics.common.word_error_metric import (
    CleanErrors,
    Text,
    TranscriptErrors,
    WordErrorMetric,
    word_error_outputs,
)
from stages.metrics.common.word_error_rate import (
    NormaliserName,
    counts_letters,
    load_normaliser,
    normaliser_for,
)
from stages.networks import transcription
from stages.networks.silero_vad import VAD_SAMPLE_RATE
from stages.networks.transcription import Transcriber
from stages.operators.metric import METRICS
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights

UNVERIFIED = "not run with its published weights, only with small random ones"

_ModelName = Literal[
    "tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium",
    "large-v1", "large-v2", "large-v3", "large-v3-turbo",
]  # fmt: skip
DEFAULT_MODEL: _ModelName = "large-v3-turbo"


class _OpenAiWhisper(HasWeights, WordErrorMetric):
    """What both comparisons share: the recogniser, the normaliser and the counting."""

    licence: ClassVar[str] = "MIT AND Apache-2.0"
    packages: ClassVar[tuple[str, ...]] = ("openai-whisper", "jiwer")
    weights: ClassVar[str] = "openai/whisper and snakers4/silero-vad"
    unverified: ClassVar[str] = UNVERIFIED
    libraries: ClassVar[tuple[str, ...]] = ("torch", "onnxruntime")
    outputs: ClassVar = word_error_outputs(
        {"wer": 0.05, "cer": 0.02, "inserted": 0.05, "deleted": 0.05},
        f"no vote by default while {UNVERIFIED}",
    )

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

    @property
    def listens_for(self) -> str:
        """The language that the settings name."""
        return self.language

    def texts_of(self, recordings: Sequence[Samples]) -> Sequence[Text]:
        """Return what Whisper hears."""
        transcriber: Transcriber = self._transcriber
        return transcriber.texts(recordings)

    def normalise(self, text: str) -> str:
        """Return what Whisper's normaliser leaves of a text."""
        words: str = self._normalise(text)
        return words

    @property
    def counts_letters(self) -> bool:
        """Whether the normaliser parts all letters of the language."""
        return counts_letters(self.normaliser or normaliser_for(self.language), self.language)


@METRICS.register
class Whisper(_OpenAiWhisper, TranscriptErrors):
    """Word and character errors of Whisper on the candidate (Radford et al., 2022) against the transcript.

    Texts are compared after Whisper's own normaliser. Where nobody speaks nothing is recognised, as the
    Silero network hears it: a candidate of noise alone has lost every word. Over 30 s the audio is cut at
    pauses. Decoding is greedy and in batches, and a text does not depend on its batch.
    """

    kind: ClassVar[str] = "whisper"
    version: ClassVar[int] = 2


@METRICS.register
class WhisperClean(_OpenAiWhisper, CleanErrors):
    """Word and character errors of Whisper on the candidate against what it hears in the clean reference.

    As ``whisper``, without a transcript: what the recogniser gets wrong on both sides does not count. The
    clean reference is heard once for all candidates.
    """

    kind: ClassVar[str] = "whisper_clean"
    version: ClassVar[int] = 2
