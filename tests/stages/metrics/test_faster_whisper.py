"""What faster-whisper as a metric promises: the same text in any company, no loops, no words in silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import whisper

from schemas import MissingWeightsError, Outcome, Reason
from stages.audio.waveform import Samples, Waveform
from stages.metrics.common.word_error_rate import load_english_normaliser, load_normaliser
from stages.metrics.faster_whisper import FasterWhisper, FasterWhisperClean
from stages.networks import faster_transcription
from stages.networks.faster_transcription import (
    SPELLINGS,
    WHISPER_TINY_EN,
    FasterTranscriber,
    Transcription,
    trusted_text,
)
from stages.operators.metric import Comparison, Measured
from stages.weights.files import file_digest
from tests.support.faster_whisper_networks import write_faster_whisper
from tests.support.speech_like import noisy, speech_like, white_noise


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small random recogniser."""
    return write_faster_whisper(tmp_path_factory.mktemp("faster_whisper"))


@pytest.fixture
def transcriber(folder: Path) -> FasterTranscriber:
    """Return the recogniser, with nothing remembered."""
    return load_anew(folder)


def load_anew(folder: Path) -> FasterTranscriber:
    """Return the recogniser in ``folder``, with nothing remembered."""
    faster_transcription.load_faster_transcriber.cache_clear()
    return faster_transcription.load_faster_transcriber(folder, None, "cpu")


def loaded(
    kind: type[FasterWhisper] | type[FasterWhisperClean], folder: Path
) -> FasterWhisper | FasterWhisperClean:
    """Return a metric that listens with what is in ``folder``."""
    metric = kind(path=folder)
    metric.load("cpu")
    return metric


def voices() -> list[Samples]:
    """Return speech of several lengths and pitches, and with noise."""
    spoken = [speech_like(s, pitch_hz=hertz) for s, hertz in ((2.0, 120.0), (1.2, 210.0), (1.6, 95.0))]
    return [each.samples for voice in spoken for each in (voice, noisy(voice, 10.0))]


def hush() -> Waveform:
    """Return a second of faint noise, in which nobody speaks."""
    speech = speech_like(1.0)
    return speech.with_samples(white_noise(speech.samples.size) * np.float32(1e-3))


def test_the_text_is_that_of_the_package(transcriber: FasterTranscriber) -> None:
    """Where no guard has to step in, word for word what ``WhisperModel.transcribe`` gives."""
    package: Any = transcriber.model

    for samples in voices():
        segments, _ = package.transcribe(samples, language="en", temperature=0.0, without_timestamps=True)
        said = " ".join(segment.text.strip() for segment in segments)
        assert transcriber.transcribe(samples).text == said


def test_a_text_does_not_depend_on_its_company(folder: Path) -> None:
    """Alone or after others, in this order or that: always the same words and the same doubts."""
    forwards = [load_anew(folder).transcribe(samples) for samples in voices()]
    listener = load_anew(folder)

    backwards = [listener.transcribe(samples) for samples in voices()[::-1]]

    assert backwards[::-1] == forwards
    assert len({each.text for each in forwards}) > 2, "texts depend on what is heard"


def test_a_long_recording_is_heard_to_its_end_and_its_pauses_are_not(transcriber: FasterTranscriber) -> None:
    """Of two sentences with a minute of silence between them the recogniser hears both, and nothing else."""
    first, second = voices()[0], voices()[2]
    apart = np.concatenate([first, np.zeros(60 * 16_000, np.float32), second])

    stretches = transcriber.voice.stretches(apart)

    (start, end), (_, last) = stretches
    spoken = np.concatenate([apart[slice(*stretch)] for stretch in stretches])
    assert (start, last) == (0, apart.size)
    assert end < first.size + 0.5 * 16_000
    assert transcriber.transcribe(apart).text == transcriber.transcribe(spoken).text != ""


def test_where_nobody_speaks_nothing_is_heard(folder: Path) -> None:
    """A recogniser makes up words in silence: it is not asked, and the candidate has lost every word."""
    metric = loaded(FasterWhisper, folder)

    (values,) = metric.score([Comparison(hush(), speech_like(1.0), "four words were said")])

    assert values == {"wer": 1.0, "cer": 1.0, "inserted": 0.0, "deleted": 1.0}


@pytest.mark.parametrize("kind", [FasterWhisper, FasterWhisperClean])
def test_a_recogniser_that_repeats_itself_has_said_nothing(
    kind: type[FasterWhisper] | type[FasterWhisperClean], tmp_path: Path
) -> None:
    """A loop that repetitions forbidden do not end is a reason, not hundreds of inserted words."""
    metric = loaded(kind, write_faster_whisper(tmp_path, loops=True))
    clean = speech_like(2.0)

    (result,) = metric.score([Comparison(noisy(clean, 10.0), clean, "some words")])

    assert isinstance(result, Outcome)
    assert result.reason is Reason.NO_TRANSCRIPT
    assert "cannot be transcribed reliably" in result.detail


def test_what_the_recogniser_doubts_is_nothing_to_be_compared_with() -> None:
    """A doubted text of the clean reference is a reason; of a candidate it is a text, and wrong."""
    trusted, doubted = Transcription("red green", is_doubted=False), Transcription("red", is_doubted=True)

    refused = trusted_text(doubted)

    assert trusted_text(trusted) == "red green"
    assert isinstance(refused, Outcome)
    assert "doubts" in refused.detail


def test_the_clean_itself_has_no_errors(folder: Path) -> None:
    """Against its own text a recording is right, whatever the recogniser thinks of it."""
    clean = speech_like(2.0)

    (values,) = loaded(FasterWhisperClean, folder).score([Comparison(clean, clean)])

    assert values == {"wer": 0.0, "cer": 0.0, "inserted": 0.0, "deleted": 0.0}


def test_the_clean_reference_is_heard_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both comparisons of one process share the recogniser, and what was heard is remembered."""
    clean = speech_like(1.0)
    candidates = [noisy(clean, snr_db) for snr_db in (10.0, 0.0)]
    package = load_anew(folder).model
    heard: list[int] = []
    encode = package.encode
    monkeypatch.setattr(package, "encode", lambda mel: (heard.append(len(mel)), encode(mel))[1])
    against_clean, against_words = loaded(FasterWhisperClean, folder), loaded(FasterWhisper, folder)

    for candidate in candidates:
        against_clean.score([Comparison(candidate, clean)])
        against_words.score([Comparison(candidate, clean, "some words")])

    assert len(heard) == 3


@pytest.mark.parametrize("label", ["de", "de-AT", "German"])
def test_words_in_another_language_have_no_score(label: str, folder: Path) -> None:
    """The model knows English alone, and would make English of German."""
    clean = speech_like(1.0)

    (result,) = loaded(FasterWhisperClean, folder).score([Comparison(clean, clean, language=label)])

    assert isinstance(result, Outcome)
    assert label in result.detail


def test_no_words_in_the_reference_is_a_reason(folder: Path) -> None:
    """Nothing can be wrong where nothing was said."""
    speech = speech_like(1.0)

    results = [
        *loaded(FasterWhisper, folder).score([Comparison(speech, speech, "[music]")]),
        *loaded(FasterWhisperClean, folder).score([Comparison(speech, hush())]),
    ]

    reasons = [result.reason for result in results if isinstance(result, Outcome)]
    assert reasons == [Reason.NO_TRANSCRIPT, Reason.SILENT]


def test_the_normaliser_is_whispers_own(tmp_path: Path) -> None:
    """Without its package, and with its table, which is the one that is pinned, texts come out the same."""
    table = Path(whisper.__file__).parent / "normalizers" / SPELLINGS
    pinned = {file.name: file.sha256 for file in WHISPER_TINY_EN.files}
    ours, theirs = load_english_normaliser(table), load_normaliser("english", "en")

    for text in (
        "It's colour, Mr. Smith: twenty-five!",
        "Well... $20 million",
        "one oh two, we'd've",
        "the 1960s",
    ):
        assert ours(text) == theirs(text)
    assert file_digest(table) == pinned[SPELLINGS]
    with pytest.raises(MissingWeightsError, match="spellings"):
        load_english_normaliser(tmp_path / SPELLINGS)


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "silero_vad.onnx"])
def test_what_cannot_be_heard_with_is_said(missing: str, tmp_path: Path) -> None:
    """A folder that is not whole stops before anything is scored, and nothing is downloaded."""
    place = write_faster_whisper(tmp_path)
    (place / missing).unlink()

    with pytest.raises(MissingWeightsError, match=missing):
        FasterWhisper(path=place).load("cpu")


def test_a_broken_model_is_said(tmp_path: Path) -> None:
    """CTranslate2's own error has the place of the file."""
    place = write_faster_whisper(tmp_path)
    (place / "model.bin").write_bytes(b"nothing")

    with pytest.raises(MissingWeightsError, match=r"CTranslate2"):
        FasterWhisper(path=place).load("cpu")


@pytest.mark.shared_data
def test_hears_real_words_as_published(shared_data: Path) -> None:
    """The published model hears a clean sentence right, and only some of it in noise."""
    if WHISPER_TINY_EN.missing:
        pytest.skip(f"{WHISPER_TINY_EN.folder} lacks the weights: fetch them with 'weights fetch'")
    metric = FasterWhisper()
    metric.load("cpu")
    samples, rate = soundfile.read(shared_data / "speech" / "vctk16k" / "p225_007.flac", dtype="float32")
    clean = Waveform(samples, rate)
    words = "The rainbow is a division of white light into many beautiful colors."

    results = metric.score([Comparison(each, clean, words) for each in (clean, noisy(clean, -5.0))])

    values: list[Measured] = [result for result in results if not isinstance(result, Outcome)]
    assert values[0]["wer"] == 0.0
    assert values[1]["wer"] > 0.2
