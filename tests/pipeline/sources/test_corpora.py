"""What the listing of corpora in folders and files promises."""

import os
from pathlib import Path

import pytest

from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.corpora import Corpus, list_sources
from schemas import ConfigError, UnfitError
from stages.ingest.decoding import decode_recording
from tests.support.small_corpora import ids_of, listed, put, wav


def test_a_folder_is_listed_by_relative_path(tmp_path: Path) -> None:
    """All kinds of audio are found, whatever the case of their endings, in one order on every machine."""
    for name in ("b/2.WAV", "b/10.flac", "a.opus", "c.Mp3", "a/z.aiff", "d.ogg"):
        put(tmp_path / name)

    ids = ids_of(tmp_path)

    assert ids == ["c/a", "c/a/z", "c/b/10", "c/b/2", "c/c", "c/d"]


def test_what_is_hidden_or_no_audio_is_ignored(tmp_path: Path) -> None:
    """Notes, hidden files and hidden folders are no sources."""
    for name in ("a.wav", "notes.txt", ".b.wav", ".cache/c.wav", "wav"):
        put(tmp_path / name)

    assert ids_of(tmp_path) == ["c/a"]


def test_audio_that_cannot_be_decoded_is_not_passed_over(tmp_path: Path) -> None:
    """A recording of an old player is listed, and will have a row that says why it is of no use."""
    put(tmp_path / "a.wma", b"\x30\x26\xb2\x75" + bytes(60))

    (source,) = listed(tmp_path)

    with Path(source.path).open("rb") as file, pytest.raises(UnfitError, match="Windows Media"):
        decode_recording(file)


def test_content_is_the_digest_of_the_bytes(tmp_path: Path) -> None:
    """Equal files have equal content, and nothing else does."""
    put(tmp_path / "a.wav", b"1")
    put(tmp_path / "b.wav", b"1")
    put(tmp_path / "c.wav", b"2")

    one, same, other = (source.content for source in listed(tmp_path))

    assert one == same == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    assert other not in {one, ""}


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """The stamp that an earlier listing left is believed as long as size and time agree."""
    path = put(tmp_path / "a.wav", b"old")
    corpus = Corpus(name="c", path=str(tmp_path))
    stamps = list_sources([corpus]).stamps
    remembered = {name: stamp._replace(sha256="f" * 64) for name, stamp in stamps.items()}

    unchanged = list_sources([corpus], remembered)
    path.write_bytes(b"newer")
    changed = list_sources([corpus], remembered)

    assert unchanged.sources[0].content == "f" * 64
    assert unchanged.stamps == remembered
    assert changed.sources[0].content != "f" * 64


def test_progress_counts_the_files(tmp_path: Path) -> None:
    """Whoever waits for a large corpus is told how far it is."""
    for number in range(3):
        put(tmp_path / f"{number}.wav")
    told: list[tuple[int, int]] = []

    list_sources([Corpus(name="c", path=str(tmp_path))], progress=lambda *counts: told.append(counts))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    """A folder is entered once, under its own name, however many links lead to it."""
    put(tmp_path / "z" / "a.wav")
    (tmp_path / "b").symlink_to(tmp_path / "z")
    (tmp_path / "z" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    assert ids_of(tmp_path) == ["c/z/a"]


def test_a_link_to_nothing_is_a_source_without_content(tmp_path: Path) -> None:
    """A file that cannot be read is not lost: it will be a row with a reason."""
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")

    (source,) = listed(tmp_path)

    assert (source.id, source.content) == ("c/gone", "")
    assert estimate_duration_s(source) == 1.0


def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    """What would wait for a writer for ever is not opened."""
    os.mkfifo(tmp_path / "pipe.wav")

    (source,) = listed(tmp_path)

    assert source.content == ""


def test_names_may_be_long_and_in_any_script(tmp_path: Path) -> None:
    """Ids keep the names as they are."""
    names = ["длинное имя " * 9 + "é", "日本語の音声", "x" * 240]
    for name in names:
        put(tmp_path / f"{name}.wav")

    sources = listed(tmp_path)

    assert {source.name for source in sources} == {f"{name}.wav" for name in names}
    assert all(source.content for source in sources)


def test_a_name_that_is_no_text_is_a_source_without_content(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 cannot stand in a table; the file is listed all the same."""
    put(tmp_path / os.fsdecode(b"\xff.wav"))

    (source,) = listed(tmp_path)

    assert (source.name, source.content) == ("\N{REPLACEMENT CHARACTER}.wav", "")


def test_a_glob_chooses_files_below_its_fixed_part(tmp_path: Path) -> None:
    """Two stars stand for any number of folders; ids begin after the part without wildcards."""
    for name in ("a/clean/1.wav", "a/noisy/1.wav", "b/x/clean/2.wav"):
        put(tmp_path / name)

    assert ids_of(f"{tmp_path}/**/clean/*.wav") == ["c/a/clean/1", "c/b/x/clean/2"]
    assert ids_of(f"{tmp_path}/a/*/?.wav") == ["c/clean/1", "c/noisy/1"]


def test_a_folder_may_have_wildcards_in_its_name(tmp_path: Path) -> None:
    """What is there is taken by its name."""
    put(tmp_path / "speech [en]" / "a.wav")

    assert ids_of(tmp_path / "speech [en]") == ["c/a"]


def test_a_single_file_is_a_corpus(tmp_path: Path) -> None:
    """One recording is enough."""
    assert ids_of(put(tmp_path / "only.wav")) == ["c/only"]


@pytest.mark.parametrize(
    ("rule", "speakers"),
    [("parent_folder", ["p1", None]), ("stem_prefix", ["s2", "s3"]), (None, [None, None])],
)
def test_a_rule_finds_the_speaker_in_the_path(
    rule: str | None, speakers: list[str | None], tmp_path: Path
) -> None:
    """By the folder that holds the file, or by the name up to the first underscore or hyphen."""
    put(tmp_path / "p1" / "s2-03_x.wav")
    put(tmp_path / "s3_1.wav")
    rules = {} if rule is None else {"speaker": rule}

    assert [source.speaker for source in listed(tmp_path, **rules)] == speakers


@pytest.mark.parametrize("there", ["nothing", "folder", "notes.txt"])
def test_a_corpus_without_recordings_is_refused(there: str, tmp_path: Path) -> None:
    """A missing path, an empty folder and another kind of file are mistakes, named with the corpus."""
    (tmp_path / "folder").mkdir()
    put(tmp_path / "notes.txt")

    with pytest.raises(ConfigError, match="corpus 'c': "):
        listed(tmp_path / there)


def test_two_corpora_of_one_name_are_refused(tmp_path: Path) -> None:
    """Ids are made of the names."""
    put(tmp_path / "a.wav")
    corpus = Corpus(name="c", path=str(tmp_path))

    with pytest.raises(ConfigError, match="2 corpora are called 'c'"):
        list_sources([corpus, corpus])


def test_the_second_file_of_one_id_says_whose_it_is(tmp_path: Path) -> None:
    """The first keeps the id, and a file that is really called so keeps its own."""
    for name in ("a.flac", "a.wav", "a~2.wav", "a.ogg"):
        put(tmp_path / name)

    sources = listed(tmp_path)

    assert [(source.name, source.id, source.duplicate_of) for source in sources] == [
        ("a.flac", "c/a", None),
        ("a.ogg", "c/a~3", "c/a"),
        ("a.wav", "c/a~4", "c/a"),
        ("a~2.wav", "c/a~2", None),
    ]


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    """The estimate of a duration is bounded by the size of the file."""
    endless = bytearray(wav(2.0))
    endless[40:44] = b"\xff\xff\xff\xff"
    put(tmp_path / "endless.wav", bytes(endless))
    put(tmp_path / "text.wav", b"not audio")

    whole, text = listed(tmp_path)

    assert estimate_duration_s(whole) == pytest.approx(2.0, abs=0.1)
    assert estimate_duration_s(text) == 1.0
