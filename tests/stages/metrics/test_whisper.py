"""What Whisper as a metric promises: silence without words, and the same text in any company."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import whisper
from whisper.transcribe import transcribe

from schemas import ConfigError, MissingWeightsError, Outcome, Reason, Score
from stages.audio.cache import AudioCache
from stages.audio.waveform import Waveform
from stages.metrics.whisper import Whisper, WhisperClean
from stages.networks import transcription
from stages.networks.silero_vad import SILERO_VAD
from stages.networks.transcription import CHECKPOINTS, Transcriber
from stages.operators.metric import Comparison, Measured
from stages.score.stage import ScoreStage
from tests.support.score_inputs import score_input
from tests.support.speech_like import noisy, speech_like, white_noise
from tests.support.speech_networks import write_whisper


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small random recogniser."""
    return write_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def transcriber(folder: Path) -> Transcriber:
    """Return the recogniser, with nothing remembered."""
    transcription.load_transcriber.cache_clear()
    return transcription.load_transcriber(folder, None, "en", "cpu")


def voices() -> list[Waveform]:
    """Return speech of several lengths and pitches."""
    return [
        speech_like(seconds, pitch_hz=hertz) for seconds, hertz in ((2.0, 120.0), (1.2, 210.0), (31.0, 95.0))
    ]


def score(metric: Whisper | WhisperClean, *comparisons: Comparison) -> list[Measured]:
    """Return values, which must be there."""
    results = metric.score(comparisons)
    return [result for result in results if not isinstance(result, Outcome)]


def test_the_metric_knows_that_letters_are_its_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two letters of five were lost: a character error of 0.4, whatever spaces the normaliser put in."""
    metric = Whisper(path=folder, language="zh")
    metric.load("cpu")
    decoded = SimpleNamespace(text="今天天")
    monkeypatch.setattr(whisper, "decode", lambda _model, mels, _options: [decoded for _ in mels])
    speech = speech_like(1.0)

    (values,) = score(metric, Comparison(speech, speech, "今天天气好"))

    assert (values["wer"], values["cer"]) == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize("kind", [Whisper, WhisperClean])
@pytest.mark.parametrize("label", ["de", "de-AT", "German", " DE "])
def test_words_in_another_language_have_no_score(
    label: str, kind: type[Whisper] | type[WhisperClean], folder: Path
) -> None:
    """A recogniser that is told to hear English makes English of German: that is a reason, not a rate."""
    found = first_score_of(kind(path=folder), label)

    assert found.reason is Reason.NO_TRANSCRIPT
    assert label in found.detail


@pytest.mark.parametrize("label", ["EN", "en_us", "English", "tlh", None])
def test_words_in_its_own_language_have_one(label: str | None, folder: Path) -> None:
    """However the corpus spells it; and of a label that says nothing to Whisper the config knows better."""
    assert first_score_of(WhisperClean(path=folder), label).value is not None


def first_score_of(metric: Whisper | WhisperClean, language: str | None) -> Score:
    """Return what the stage makes of one candidate of speech that is said to be in ``language``."""
    clean = speech_like(1.0)
    stage = ScoreStage(metric.kind, metric, AudioCache())
    stage.load("cpu")
    (row,) = stage.process(
        [score_input(clean, noisy(clean, 10.0), transcript="some words", language=language)]
    )
    return row.takes[0].scores[0]


def test_the_text_is_that_of_the_package(transcriber: Transcriber) -> None:
    """Batched decoding gives, word for word, what the package gives for each recording alone."""
    recordings = [voice.samples for voice in voices()[:2]]

    texts = transcriber.texts(recordings)

    for samples, text in zip(recordings, texts, strict=True):
        said = transcribe(
            transcriber.model,
            samples.copy(),
            language="en",
            temperature=0.0,
            without_timestamps=True,
            fp16=False,
            no_speech_threshold=None,
            logprob_threshold=None,
        )
        assert text == said["text"].strip()
    assert len(set(texts)) == 2, "texts depend on what is heard"


def test_a_text_does_not_depend_on_its_company(folder: Path) -> None:
    """Alone, first, last, and in a batch that is full: always the same words."""
    recordings = [noisy(speech_like(1.0, pitch_hz=hertz), 10.0).samples for hertz in range(80, 250, 10)]
    together = Transcriber(*_parts(folder)).texts(recordings)

    for place in (0, 7, 15, 16):
        assert Transcriber(*_parts(folder)).texts(recordings[place : place + 1]) == [together[place]]


def _parts(folder: Path) -> tuple[object, object, str]:
    loaded = transcription.load_transcriber(folder, None, "en", "cpu")
    return loaded.model, loaded.voice, "en"


def test_a_long_recording_is_heard_to_its_end(transcriber: Transcriber) -> None:
    """Over 30 s the pieces between pauses are heard one by one, and their words are joined."""
    long = voices()[2].samples
    pieces = transcription.split_at_pauses(long, 16_000, 30.0)

    (text,) = transcriber.texts([long])

    assert len(pieces) > 1
    assert text == " ".join(transcriber.texts([long[start:end] for start, end in pieces])).strip()


def test_where_nobody_speaks_nothing_is_heard(transcriber: Transcriber) -> None:
    """A recogniser makes up words in silence: it is not asked."""
    hush = np.full(16_000, 1e-4, np.float32)

    assert transcriber.texts([hush]) == [""]


def test_the_clean_reference_is_heard_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both comparisons of one process share the recogniser, and what was heard is remembered."""
    transcription.load_transcriber.cache_clear()
    clean = speech_like(1.0)
    candidates = [noisy(clean, snr_db) for snr_db in (10.0, 0.0)]
    pieces: list[int] = []
    decode = whisper.decode
    monkeypatch.setattr(whisper, "decode", lambda *given: (pieces.append(len(given[1])), decode(*given))[1])
    against_clean, against_words = WhisperClean(path=folder), Whisper(path=folder)
    against_clean.load("cpu")
    against_words.load("cpu")

    for candidate in candidates:
        score(against_clean, Comparison(candidate, clean))
        score(against_words, Comparison(candidate, clean, "some words"))

    assert pieces == [1, 1, 1]


def test_the_clean_itself_has_no_errors(folder: Path) -> None:
    """Against its own text a recording is right, whatever the recogniser thinks of it."""
    metric = WhisperClean(path=folder)
    metric.load("cpu")
    clean = speech_like(2.0)

    (values,) = score(metric, Comparison(clean, clean))

    assert values == {"wer": 0.0, "cer": 0.0, "inserted": 0.0, "deleted": 0.0}


def test_noise_without_voice_has_lost_every_word(folder: Path) -> None:
    """The candidate in which nobody speaks is compared as an empty text."""
    metric = Whisper(path=folder)
    metric.load("cpu")
    speech = speech_like(1.0)
    hush = speech.with_samples(white_noise(speech.samples.size) * np.float32(1e-3))

    (values,) = score(metric, Comparison(hush, speech, "four words were said"))

    assert values == {"wer": 1.0, "cer": 1.0, "inserted": 0.0, "deleted": 1.0}


@pytest.mark.parametrize("transcript", ["[music]", "... !? —", "…", "$ %", " ", "\u200b"])
@pytest.mark.parametrize("kind", [Whisper, WhisperClean])
def test_no_words_in_the_reference_is_a_reason(
    kind: type[Whisper] | type[WhisperClean], transcript: str, folder: Path
) -> None:
    """Nothing can be wrong where nothing was said."""
    metric = kind(path=folder)
    metric.load("cpu")
    speech = speech_like(1.0)
    hush = speech.with_samples(white_noise(speech.samples.size) * np.float32(1e-3))

    (result,) = metric.score([Comparison(speech, hush, transcript)])

    assert isinstance(result, Outcome)
    assert result.reason in {Reason.NO_TRANSCRIPT, Reason.SILENT}


def test_knows_the_published_checkpoints() -> None:
    """Names and digests are the package's own, and the voice activity network comes along."""
    published = whisper._MODELS  # noqa: SLF001 - the package says it nowhere else
    addresses = {name: url for name, url in published.items() if name not in {"large", "turbo"}}

    assert {name: Whisper(model=name).published.files[0].url for name in CHECKPOINTS} == addresses
    assert all(digest in addresses[name] for name, digest in CHECKPOINTS.items())
    assert Whisper().published.files[1] == SILERO_VAD


def test_settings_hold_what_the_number_depends_on(folder: Path) -> None:
    """Normaliser and weights are filled in before a run, and a copy elsewhere is the same metric."""
    english, german = (Whisper(path=folder, language=code).with_digests() for code in ("en", "de"))

    assert (english.normaliser, german.normaliser) == ("english", "basic")
    assert english.sha256 is not None
    assert "path" not in english.fingerprint_params


def test_without_the_package_no_run_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is optional: checking a config says that it is missing, and how to get it."""
    monkeypatch.setitem(sys.modules, "whisper", None)

    with pytest.raises(MissingWeightsError, match="pip install"):
        Whisper(path=folder).with_digests()


def test_an_unknown_language_is_said_before_a_run(folder: Path) -> None:
    """Checking a config says so, not the first score after an hour of restoring."""
    with pytest.raises(ConfigError, match="'german'"):
        Whisper(path=folder, language="german").with_digests()
    with pytest.raises(ConfigError, match="'de' needs 'tiny'"):
        Whisper(path=folder, model="tiny.en", language="de").with_digests()


def test_weights_of_ones_own_are_not_called_a_published_checkpoint(folder: Path) -> None:
    """The dataset holds their digest, and a checkpoint's name only if the config says it."""
    own, said = Whisper(path=folder).with_digests(), Whisper(path=folder, model="tiny").with_digests()

    assert own.fingerprint_params["model"] is None
    assert own.sha256 is not None
    assert said.fingerprint_params["model"] == "tiny"
    assert Whisper().published.name == "whisper-large-v3-turbo"


@pytest.mark.parametrize(
    "mistake", ["no checkpoint", "two checkpoints", "another file", "a language", "a newer language"]
)
def test_what_cannot_be_heard_with_is_said(mistake: str, tmp_path: Path) -> None:
    """Wrong weights and unknown languages stop before anything is scored."""
    place = write_whisper(tmp_path / "weights")
    if mistake == "no checkpoint":
        (place / "micro.pt").unlink()
    elif mistake == "two checkpoints":
        (place / "other.pt").write_bytes((place / "micro.pt").read_bytes())
    elif mistake == "another file":
        torch.save({"weights": torch.zeros(1)}, place / "micro.pt")
    language = {"a language": "klingon", "a newer language": "yue"}.get(mistake, "en")

    with pytest.raises(MissingWeightsError if language == "en" else ConfigError):
        Whisper(path=place, language=language).load("cpu")
