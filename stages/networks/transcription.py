"""Transcribing: what Whisper hears in recordings, many at a time, each word for word the same in any company.

Greedy decoding without timestamps and without the temperatures that ``whisper.transcribe`` falls back on: the
same audio always gives the same text. Whisper hears 30 s at once; longer recordings are cut at their pauses.
It makes up words where nobody speaks, so stretches without voice are not shown to it.
"""

import hashlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas import ConfigError, Digest, MissingWeightsError
from stages.audio.pauses import split_at_pauses
from stages.audio.waveform import Samples
from stages.networks.silero_vad import SILERO_VAD, VAD_SAMPLE_RATE, VoiceActivity
from stages.weights.files import WeightFile, Weights

_WINDOW_S = 30.0
PIECES_PER_BATCH = 16
REMEMBERED = 4_096
PACKAGE = "openai-whisper is not installed: pip install 'unanimous[whisper]'"

CHECKPOINTS = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}
"""SHA-256 of each published checkpoint, which its address holds too."""


def whisper_weights_of(model: str) -> Weights:
    """Return the checkpoint called ``model`` and the network that hears whether anybody speaks."""
    digest = CHECKPOINTS[model]
    url = f"https://openaipublic.azureedge.net/main/whisper/models/{digest}/{model}.pt"
    return Weights(
        name=f"whisper-{model}",
        source="https://github.com/openai/whisper",
        licence="MIT",
        files=(WeightFile(name=f"{model}.pt", url=url, sha256=digest), SILERO_VAD),
    )


@dataclass(slots=True)
class Transcriber:
    """A loaded recogniser. It remembers its last texts, so that a clean recording is heard once."""

    model: Any
    voice: VoiceActivity
    language: str
    _said: dict[str, str] = field(default_factory=dict)

    def texts(self, recordings: Sequence[Samples]) -> list[str]:
        """Return what is said in each of the 16 kHz ``recordings``; nothing where nobody speaks."""
        names = [hashlib.sha256(samples.tobytes()).hexdigest() for samples in recordings]
        unheard = {
            name: samples for name, samples in zip(names, recordings, strict=True) if name not in self._said
        }
        heard = dict(zip(unheard, self._transcribe(list(unheard.values())), strict=True))
        texts = [heard[name] if name in heard else self._said[name] for name in names]
        self._remember(heard)
        return texts

    def _remember(self, heard: dict[str, str]) -> None:
        self._said |= heard
        for oldest in list(self._said)[:-REMEMBERED]:
            del self._said[oldest]

    def _transcribe(self, recordings: Sequence[Samples]) -> Iterator[str]:
        spoken = [list(self._find_speech(samples)) for samples in recordings]
        pieces = [piece for each in spoken for piece in each]
        texts = iter(self._decode(pieces))
        return (" ".join(next(texts) for _ in each).strip() for each in spoken)

    def _find_speech(self, samples: Samples) -> Iterator[Samples]:
        for start, end in split_at_pauses(samples, VAD_SAMPLE_RATE, _WINDOW_S):
            if self.voice.speaks(samples[start:end]):
                yield samples[start:end]

    def _decode(self, pieces: Sequence[Samples]) -> list[str]:
        groups = [pieces[n : n + PIECES_PER_BATCH] for n in range(0, len(pieces), PIECES_PER_BATCH)]
        return [text for group in groups for text in self._batch(group)]

    def _batch(self, pieces: Sequence[Samples]) -> list[str]:
        import torch  # noqa: PLC0415 - seconds
        import whisper  # noqa: PLC0415

        options = whisper.DecodingOptions(
            language=self.language,
            temperature=0.0,
            without_timestamps=True,
            fp16=self.model.device.type == "cuda",
        )
        mels = torch.stack([self._log_mel(piece) for piece in pieces]).to(self.model.device)
        return [result.text for result in whisper.decode(self.model, mels, options)]

    def _log_mel(self, samples: Samples) -> Any:
        """Return ``(bands, 3000)`` as ``whisper.transcribe`` shows it: what is missing to 30 s is zero."""
        import torch  # noqa: PLC0415
        from whisper.audio import N_FRAMES, N_SAMPLES, log_mel_spectrogram, pad_or_trim  # noqa: PLC0415

        shown = torch.from_numpy(samples.copy())
        mel = log_mel_spectrogram(shown, self.model.dims.n_mels, padding=N_SAMPLES)
        return pad_or_trim(mel[:, :-N_FRAMES], N_FRAMES)


def require_package() -> None:
    """Raise ``MissingWeightsError`` where Whisper is not installed: it is an optional dependency."""
    if importlib.util.find_spec("whisper") is None:
        raise MissingWeightsError(PACKAGE)


def require_language(language: str, model: str | None = None) -> None:
    """Raise ``ConfigError`` for no code of a language that Whisper, or the checkpoint ``model``, knows."""
    from whisper.tokenizer import LANGUAGES  # noqa: PLC0415

    if language not in LANGUAGES:
        raise ConfigError(f"Whisper knows no language {language!r}; give a code such as 'en', 'de', 'zh'")
    if language != "en" and model is not None and model.endswith(".en"):
        raise ConfigError(f"{model} knows English alone; {language!r} needs {model.removesuffix('.en')!r}")


@lru_cache(maxsize=1)
def load_transcriber(place: Path, sha256: Digest | None, language: str, device: str) -> Transcriber:  # noqa: ARG001
    """Return the recogniser in the folder ``place``; the last one is kept, known by ``sha256`` too.

    Raises ``MissingWeightsError`` without the package or a checkpoint of Whisper's, and ``ConfigError`` for a
    language that the checkpoint does not know.
    """
    require_package()
    checkpoints = sorted(place.glob("*.pt"))
    if len(checkpoints) != 1:
        raise MissingWeightsError(
            f"{place} must hold one checkpoint of Whisper (*.pt), not {len(checkpoints)}"
        )
    model = _model(checkpoints[0], device)
    _check_language(language, model)
    return Transcriber(model, VoiceActivity.load(place / SILERO_VAD.name), language)


def _model(path: Path, device: str) -> Any:
    import torch  # noqa: PLC0415
    from whisper.model import ModelDimensions, Whisper  # noqa: PLC0415

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = Whisper(ModelDimensions(**checkpoint["dims"]))
        model.load_state_dict(checkpoint["model_state_dict"])
    except (KeyError, TypeError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no checkpoint of Whisper's: {error}") from error
    return model.eval().to(device)


def _check_language(language: str, model: Any) -> None:
    from whisper.tokenizer import LANGUAGES, get_tokenizer  # noqa: PLC0415

    require_language(language)
    if language != "en" and not model.is_multilingual:
        raise ConfigError(f"this checkpoint knows English alone; {language!r} needs one without '.en'")
    if model.is_multilingual and language not in list(LANGUAGES)[: model.num_languages]:
        raise ConfigError(f"this checkpoint does not know {language!r} yet; large-v3 and large-v3-turbo do")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the package leaves closing its table to Python
        get_tokenizer(
            model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
        )
