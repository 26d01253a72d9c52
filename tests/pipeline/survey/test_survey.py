"""A survey says what is in the files: made ones, of which everything is known."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.sources.corpora import Corpus
from pipeline.survey.records import Oddity, Survey, SurveyedRecording
from pipeline.survey.survey import survey_corpus
from schemas import Reason, Status
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.ingest.stage import IngestSettings
from tests.support.bundled_speech import bundled
from tests.support.speech_like import noisy

RATE = 16_000


def survey(path: Path, workers: int = 1, **settings: str) -> Survey:
    """Return the survey of a corpus called "c"."""
    corpus = Corpus.model_validate({"name": "c", "path": str(path), **settings})
    return survey_corpus(corpus, IngestSettings(), workers, lambda *_: None, lambda *_: None)


def put(folder: Path, name: str, samples: Samples, subtype: str = "PCM_16") -> Path:
    """Write a recording."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype=subtype)
    return path


def voice(number: int, rate: int = RATE) -> Samples:
    """Return a bundled sentence in the noise of a quiet room that reaches as far up as the rate does."""
    return resample(noisy(bundled(number, rate), 45.0), RATE).samples


def clipped_voice() -> Samples:
    """Return a sentence that is cut at ±0.95, and once more upside down, so that its mean stays 0."""
    cut = np.clip(30.0 * voice(3), -0.95, 0.95).astype(np.float32)
    return np.concatenate([cut, -cut])


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return what is in a folder, and when it was changed."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus with one recording of every kind."""
    made = tmp_path_factory.mktemp("corpus")
    put(made, "ada/good.flac", voice(10))
    put(made, "ada/offset.wav", voice(2) + np.float32(0.05))
    put(made, "ada/clipped.wav", clipped_voice())
    put(made, "ada/faint.wav", 0.01 * voice(4), "FLOAT")
    put(made, "bob/narrow.flac", voice(5, 8_000))
    put(made, "bob/hissing.flac", noisy(Waveform(voice(6), RATE), 5.0).samples)
    put(made, "bob/sparse.wav", np.concatenate([voice(7), np.zeros(30 * RATE, np.float32)])[: 19 * RATE])
    put(made, "bob/silent.wav", np.zeros(RATE, np.float32))
    put(made, "bob/short.wav", voice(8)[: RATE // 10])
    whole = put(made, "bob/cut.wav", voice(9)).read_bytes()
    (made / "bob/cut.wav").write_bytes(whole[: len(whole) // 2])
    (made / "bob/broken.flac").write_bytes(b"fLaC, or so it says")
    (made / "bob/copied.flac").write_bytes((made / "ada/good.flac").read_bytes())
    put(made, "bob/rewrapped.wav", soundfile.read(made / "ada/good.flac", dtype="float32")[0])
    (made / "ada/good.txt").write_text("Said.")
    (made / "ada/offset.normalized.txt").write_text("Said too.")
    (made / "ada/gone.txt").write_text("Nobody says this.")
    (made / "bob/tape.sf").write_bytes(b"\x64\xa3\x01\x00")
    return made


@pytest.fixture(scope="module")
def surveyed(folder: Path) -> Survey:
    """Return its survey, made by two processes."""
    return survey(folder, workers=2, speaker="parent_folder")


@pytest.fixture
def found(surveyed: Survey) -> dict[str, SurveyedRecording]:
    """Return its recordings by the names of their files."""
    return {Path(one.source.name).name: one for one in surveyed.recordings}


def oddities(recording: SurveyedRecording) -> set[Oddity]:
    """Return what stands out, but for copies and transcripts, which stand out beside others."""
    return {*recording.oddities} - {Oddity.COPY, Oddity.NO_TRANSCRIPT}


def test_nothing_is_said_of_a_good_recording(found: dict[str, SurveyedRecording]) -> None:
    """Its band is full, its level and its SNR are those that it was made with."""
    measured = found["good.flac"].measured

    assert oddities(found["good.flac"]) == set()
    assert measured is not None
    assert measured.band_share == pytest.approx(1.0, abs=0.05)
    assert measured.snr_db == pytest.approx(45.0, abs=8.0)
    assert measured.duration_s == pytest.approx(voice(10).size / RATE)


@pytest.mark.parametrize(
    ("name", "oddity"),
    [
        ("offset.wav", Oddity.OFFSET),
        ("clipped.wav", Oddity.CLIPPED),
        ("faint.wav", Oddity.FAINT),
        ("narrow.flac", Oddity.NARROW_BAND),
        ("hissing.flac", Oddity.NOISY),
        ("sparse.wav", Oddity.MOSTLY_SILENT),
    ],
)
def test_each_oddity_has_its_name(found: dict[str, SurveyedRecording], name: str, oddity: Oddity) -> None:
    """And of what a run takes, no recording has that of another."""
    assert [other for other, one in found.items() if one.is_ok and oddity in one.oddities] == [name]


def test_figures_are_those_that_the_files_were_made_with(found: dict[str, SurveyedRecording]) -> None:
    """Offset, share of clipped samples, bandwidth, SNR and the time that is active."""
    held = np.abs(clipped_voice()) == np.float32(0.95)
    measured = {name: one.measured for name, one in found.items() if one.measured is not None}

    assert measured["offset.wav"].offset == pytest.approx(0.05, abs=1e-3)
    assert measured["clipped.wav"].clipped_fraction == pytest.approx(held.mean(), rel=0.2)
    assert measured["narrow.flac"].bandwidth_hz == pytest.approx(4_000, rel=0.05)
    assert measured["hissing.flac"].snr_db == pytest.approx(5.0, abs=4.0)
    assert (measured["sparse.wav"].activity or 1.0) * 19 < voice(7).size / RATE
    assert measured["faint.wav"].is_float


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [
        ("silent.wav", Reason.SILENT, "dBFS"),
        ("short.wav", Reason.TOO_SHORT, "0.100 s"),
        ("cut.wav", Reason.UNREADABLE, "cut short"),
        ("broken.flac", Reason.UNREADABLE, "cut short"),
    ],
)
def test_what_a_run_would_refuse_has_its_reason(
    found: dict[str, SurveyedRecording], name: str, reason: Reason, words: str
) -> None:
    """In the words that a run has for it."""
    assert (found[name].status, found[name].reason) == (Status.UNFIT, reason)
    assert words in found[name].detail
    assert Oddity.REFUSED in found[name].oddities


def test_copies_are_found_by_what_is_heard(surveyed: Survey) -> None:
    """Whatever they are called, and in whatever container they are."""
    (copies,) = surveyed.copies

    assert copies.ids == ("c/ada/good", "c/bob/copied", "c/bob/rewrapped")
    assert not copies.same_bytes


def test_texts_are_held_against_audio(surveyed: Survey, found: dict[str, SurveyedRecording]) -> None:
    """Texts of no recording, recordings of no text where others have one, and files that nobody reads."""
    beside = surveyed.neighbours

    assert beside.texts == 2
    assert beside.texts_without_audio == ("ada/gone.txt",)
    assert beside.audio_without_text == ("ada/clipped.wav", "ada/faint.wav")
    assert beside.unread == {".sf": 1}
    lacking = {name for name, one in found.items() if Oddity.NO_TRANSCRIPT in one.oddities}
    assert lacking == {"clipped.wav", "faint.wav"}


def test_sums_are_those_of_the_recordings(surveyed: Survey) -> None:
    """Speakers by the rule, sample rates with what is narrow, outcomes, and the worst of each oddity."""
    summary = surveyed.summary
    seconds = sum(one.duration_s for one in surveyed.recordings)

    assert summary.recordings == 13
    assert summary.duration_s == pytest.approx(seconds)
    assert {group.name: group.recordings for group in summary.speakers} == {"ada": 4, "bob": 9}
    assert [(rate.sample_rate, rate.narrow, rate.as_if) for rate in summary.rates] == [(RATE, 1, {8_000: 1})]
    assert {group.name: group.recordings for group in summary.outcomes} == {
        "ok": 9,
        "unreadable": 2,
        "silent": 1,
        "too_short": 1,
    }
    assert summary.utterances == sum(one.utterances for one in surveyed.recordings)
    worst = {group.oddity: group.worst for group in summary.oddities}
    assert worst[Oddity.NARROW_BAND] == ("c/bob/narrow",)


def test_it_survives_json(surveyed: Survey) -> None:
    """What is written can be read, and is the same."""
    assert Survey.model_validate_json(surveyed.model_dump_json()) == surveyed


def test_it_writes_nothing_and_knows_no_order(folder: Path, surveyed: Survey) -> None:
    """The corpus is left as it was, and one process says what two have said."""
    before = files_in(folder)

    again = survey(folder, workers=1, speaker="parent_folder")

    assert files_in(folder) == before
    assert again == surveyed


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Return a manifest of two recordings with a text, one without, and one that is not there."""
    for number in range(1, 5):
        put(tmp_path, f"{number}.wav", voice(number))
    path = tmp_path / "manifest.csv"
    path.write_text("path,transcript\n1.wav,One.\n2.wav,Two.\n3.wav,\nlost.wav,Lost.\n")
    return path


def test_a_manifest_is_held_against_its_folder(manifest: Path) -> None:
    """Lines without audio, audio without a transcript, audio that no line names."""
    found = survey(manifest)

    assert found.summary.with_transcript == 3
    assert found.summary.transcripts_without_audio == ("c/lost",)
    assert found.neighbours.unlisted_audio == ("4.wav",)
    without = [one.source.id for one in found.recordings if Oddity.NO_TRANSCRIPT in one.oddities]
    assert without == ["c/3"]
