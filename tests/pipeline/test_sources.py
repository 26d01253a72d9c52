"""What the listing of corpora promises."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
import soundfile

from pipeline.source_audio import estimate_duration_s, open_source
from pipeline.sources import Corpus, list_sources
from schemas import ConfigError, Source


def _wav(seconds: float = 0.5, sample_rate: int = 8_000, level: float = 0.1) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(int(seconds * sample_rate), level), sample_rate, format="WAV")
    return buffer.getvalue()


def _put(path: Path, content: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_wav() if content is None else content)
    return path


def _list(path: Path | str, **settings: str) -> list[Source]:
    return list_sources([Corpus(name="c", path=str(path), **settings)]).sources


def _ids(path: Path | str) -> list[str]:
    return [source.id for source in _list(path)]


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a manifest beside ``a.wav``, with the ending of its name."""
    _put(tmp_path / "a.wav")

    def write(text: str, suffix: str = ".csv") -> Path:
        return _put(tmp_path / f"manifest{suffix}", text.encode())

    return write


def test_a_folder_is_listed_by_relative_path(tmp_path: Path) -> None:
    """All kinds of audio are found, whatever the case of their endings, in one order on every machine."""
    for name in ("b/2.WAV", "b/10.flac", "a.opus", "c.Mp3", "a/z.aiff", "d.ogg"):
        _put(tmp_path / name)

    ids = _ids(tmp_path)

    assert ids == ["c/a", "c/a/z", "c/b/10", "c/b/2", "c/c", "c/d"]


def test_what_is_hidden_or_no_audio_is_ignored(tmp_path: Path) -> None:
    """Notes, hidden files and hidden folders are no sources."""
    for name in ("a.wav", "notes.txt", ".b.wav", ".cache/c.wav", "wav"):
        _put(tmp_path / name)

    assert _ids(tmp_path) == ["c/a"]


def test_content_is_the_digest_of_the_bytes(tmp_path: Path) -> None:
    """Equal files have equal content, and nothing else does."""
    _put(tmp_path / "a.wav", b"1")
    _put(tmp_path / "b.wav", b"1")
    _put(tmp_path / "c.wav", b"2")

    one, same, other = (source.content for source in _list(tmp_path))

    assert one == same == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    assert other not in {one, ""}


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    """The stamp that an earlier listing left is believed as long as size and time agree."""
    path = _put(tmp_path / "a.wav", b"old")
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
        _put(tmp_path / f"{number}.wav")
    told: list[tuple[int, int]] = []

    list_sources([Corpus(name="c", path=str(tmp_path))], progress=lambda *counts: told.append(counts))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    """A folder is entered once, under its own name, however many links lead to it."""
    _put(tmp_path / "z" / "a.wav")
    (tmp_path / "b").symlink_to(tmp_path / "z")
    (tmp_path / "z" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    assert _ids(tmp_path) == ["c/z/a"]


def test_a_link_to_nothing_is_a_source_without_content(tmp_path: Path) -> None:
    """A file that cannot be read is not lost: it will be a row with a reason."""
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")

    (source,) = _list(tmp_path)

    assert (source.id, source.content) == ("c/gone", "")
    assert estimate_duration_s(source) == 1.0


def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    """What would wait for a writer for ever is not opened."""
    os.mkfifo(tmp_path / "pipe.wav")

    (source,) = _list(tmp_path)

    assert source.content == ""


@pytest.mark.parametrize("row", ["missing.wav", "folder.wav", "a\0b.wav", ".", "x" * 300 + ".wav"])
def test_a_manifest_may_name_what_cannot_be_read(
    row: str, manifest: Callable[..., Path], tmp_path: Path
) -> None:
    """A missing file, a folder, an impossible name: sources without content, beside those that work."""
    (tmp_path / "folder.wav").mkdir()
    lines = [json.dumps({"path": path}) for path in (row, "a.wav")]

    unreadable, readable = _list(manifest("\n".join(lines), ".jsonl"))

    assert unreadable.content == ""
    assert readable.content


def test_names_may_be_long_and_in_any_script(tmp_path: Path) -> None:
    """Ids keep the names as they are."""
    names = ["длинное имя " * 9 + "é", "日本語の音声", "x" * 240]
    for name in names:
        _put(tmp_path / f"{name}.wav")

    sources = _list(tmp_path)

    assert {source.name for source in sources} == {f"{name}.wav" for name in names}
    assert all(source.content for source in sources)


def test_a_name_that_is_no_text_is_a_source_without_content(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 cannot stand in a table; the file is listed all the same."""
    _put(tmp_path / os.fsdecode(b"\xff.wav"))

    (source,) = _list(tmp_path)

    assert (source.name, source.content) == ("\N{REPLACEMENT CHARACTER}.wav", "")


def test_a_glob_chooses_files_below_its_fixed_part(tmp_path: Path) -> None:
    """Two stars stand for any number of folders; ids begin after the part without wildcards."""
    for name in ("a/clean/1.wav", "a/noisy/1.wav", "b/x/clean/2.wav"):
        _put(tmp_path / name)

    assert _ids(f"{tmp_path}/**/clean/*.wav") == ["c/a/clean/1", "c/b/x/clean/2"]
    assert _ids(f"{tmp_path}/a/*/?.wav") == ["c/clean/1", "c/noisy/1"]


def test_a_folder_may_have_wildcards_in_its_name(tmp_path: Path) -> None:
    """What is there is taken by its name."""
    _put(tmp_path / "speech [en]" / "a.wav")

    assert _ids(tmp_path / "speech [en]") == ["c/a"]


def test_a_single_file_is_a_corpus(tmp_path: Path) -> None:
    """One recording is enough."""
    assert _ids(_put(tmp_path / "only.wav")) == ["c/only"]


@pytest.mark.parametrize(
    ("rule", "speakers"),
    [("parent_folder", ["p1", None]), ("stem_prefix", ["s2", "s3"]), (None, [None, None])],
)
def test_a_rule_finds_the_speaker_in_the_path(
    rule: str | None, speakers: list[str | None], tmp_path: Path
) -> None:
    """By the folder that holds the file, or by the name up to the first underscore or hyphen."""
    _put(tmp_path / "p1" / "s2-03_x.wav")
    _put(tmp_path / "s3_1.wav")
    rules = {} if rule is None else {"speaker": rule}

    assert [source.speaker for source in _list(tmp_path, **rules)] == speakers


def test_a_manifest_says_what_is_known(manifest: Callable[..., Path], tmp_path: Path) -> None:
    """Its columns come before the defaults of the corpus; an empty cell says nothing."""
    text = 'path,id,speaker,transcript,language,licence,offset,duration\na.wav,u1,ann,"Yes, no",de,,1.5,2\n'

    (source,) = _list(manifest(text), language="en", licence="CC0-1.0")

    assert (source.id, source.speaker, source.transcript) == ("c/u1", "ann", "Yes, no")
    assert (source.language, source.licence) == ("de", "CC0-1.0")
    assert (source.offset_s, source.duration_s) == (1.5, 2.0)
    assert source.path == str(tmp_path / "a.wav")


def test_a_manifest_keeps_its_order_and_names_stretches(manifest: Callable[..., Path]) -> None:
    """Stretches of one file have ids of their own and one name, so they stay on one side of a split."""
    sources = _list(manifest("path,offset\na.wav,9.25\na.wav,0\n"))

    assert [source.id for source in sources] == ["c/a@9.25", "c/a@0.0"]
    assert {source.name for source in sources} == {"a.wav"}


def test_a_jsonl_manifest_reads_the_same(manifest: Callable[..., Path]) -> None:
    """A byte order mark, empty lines, numbers as ids and nulls are fine."""
    text = '\ufeff{"path": "a.wav", "id": 7, "offset": 1}\n\n{"path": "a.wav", "speaker": null}\n'

    sources = _list(manifest(text, ".jsonl"))

    assert [(source.id, source.offset_s) for source in sources] == [("c/7", 1.0), ("c/a", 0.0)]


@pytest.mark.parametrize(
    ("text", "suffix", "message"),
    [
        ("path,speeker\na.wav,x\n", ".csv", "line 1: unknown column 'speeker'; did you mean 'speaker'"),
        ("file\na.wav\n", ".csv", "unknown column 'file'"),
        ("id\nx\n", ".csv", "line 1: there is no column 'path'; found: id"),
        ("", ".csv", "there is no column 'path'; found: nothing"),
        ("path,offset\na.wav,soon\n", ".csv", "line 2: 'offset' must be a number of seconds.* got 'soon'"),
        ("path,offset\na.wav,nan\n", ".csv", "line 2: 'offset' must be .* got 'nan'"),
        ("path,offset\na.wav,-1\n", ".csv", "line 2: 'offset' must be .* 0 or more, got '-1'"),
        ("path,duration\na.wav,0\n", ".csv", "line 2: 'duration' must be .* more than 0, got '0'"),
        ("path,speaker\na.wav,x,y\n", ".csv", r"line 2: more cells than columns: \['y'\]"),
        ("path,speaker\n,x\n", ".csv", "line 2: 'path' is empty"),
        ('path\n"a.wav\n', ".csv", "line 2: not CSV"),
        ('{"path": "a.wav"}\n{"path": \n', ".jsonl", "line 2: not JSON"),
        ('["a.wav"]\n', ".jsonl", "line 1: expected an object"),
        ('{"path": "a.wav", "transcipt": "x"}\n', ".jsonl", "line 1: .* did you mean 'transcript'"),
        ('{"id": "x"}\n', ".jsonl", "line 1: there is no column 'path'"),
        ('{"path": 3}\n', ".jsonl", "line 1: 'path' must be text, got 3"),
        ('{"path": "a.wav", "duration": true}\n', ".jsonl", "line 1: 'duration' must be .* got True"),
    ],
)
def test_a_mistake_in_a_manifest_is_named(
    text: str, suffix: str, message: str, manifest: Callable[..., Path]
) -> None:
    """File, line, column and value stand in the message."""
    with pytest.raises(ConfigError, match=f"manifest{suffix}.*{message}"):
        _list(manifest(text, suffix))


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Guessing an encoding would spoil transcripts."""
    path = _put(tmp_path / "m.csv", "path,transcript\na.wav,größer\n".encode("latin-1"))

    with pytest.raises(ConfigError, match="not UTF-8"):
        _list(path)


@pytest.mark.parametrize("there", ["nothing", "folder", "notes.txt"])
def test_a_corpus_without_recordings_is_refused(there: str, tmp_path: Path) -> None:
    """A missing path, an empty folder and another kind of file are mistakes, named with the corpus."""
    (tmp_path / "folder").mkdir()
    _put(tmp_path / "notes.txt")

    with pytest.raises(ConfigError, match="corpus 'c': "):
        _list(tmp_path / there)


def test_two_corpora_of_one_name_are_refused(tmp_path: Path) -> None:
    """Ids are made of the names."""
    _put(tmp_path / "a.wav")
    corpus = Corpus(name="c", path=str(tmp_path))

    with pytest.raises(ConfigError, match="2 corpora are called 'c'"):
        list_sources([corpus, corpus])


def test_the_second_file_of_one_id_says_whose_it_is(tmp_path: Path) -> None:
    """The first keeps the id, and a file that is really called so keeps its own."""
    for name in ("a.flac", "a.wav", "a~2.wav", "a.ogg"):
        _put(tmp_path / name)

    sources = _list(tmp_path)

    assert [(source.name, source.id, source.duplicate_of) for source in sources] == [
        ("a.flac", "c/a", None),
        ("a.ogg", "c/a~3", "c/a"),
        ("a.wav", "c/a~4", "c/a"),
        ("a~2.wav", "c/a~2", None),
    ]


@pytest.fixture
def saved(tmp_path: Path) -> datasets.Dataset:
    """Return a dataset of three recordings: one inside, one in a file, one that is not there."""
    beside = _put(tmp_path / "beside.wav", _wav(0.25))
    audio = [{"bytes": _wav(), "path": None}, {"bytes": None, "path": str(beside)}, None]
    features = datasets.Features(
        {
            "audio": datasets.Audio(decode=False),
            "sentence": datasets.Value("string"),
            "speaker_id": datasets.Value("int64"),
        }
    )
    held = pa.array(audio, type=pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({"audio": held, "sentence": ["one", "two", None], "speaker_id": [7, 8, 9]})
    datasets.disable_progress_bars()
    return datasets.Dataset(table.cast(features.arrow_schema))


def test_a_saved_dataset_gives_a_source_per_row(saved: datasets.Dataset, tmp_path: Path) -> None:
    """Bytes inside, bytes in a file and no bytes at all; speaker and transcript from the usual columns."""
    saved.save_to_disk(str(tmp_path / "set"))

    inside, beside, absent = _list(tmp_path / "set")

    assert (inside.row, inside.speaker, inside.transcript) == (0, "7", "one")
    assert open_source(inside).read() == _wav()
    with open_source(beside) as file:
        assert file.read() == _wav(0.25)
    assert (absent.content, absent.transcript) == ("", None)
    assert estimate_duration_s(inside) == pytest.approx(0.5)


def test_a_saved_dataset_is_not_read_again(saved: datasets.Dataset, tmp_path: Path) -> None:
    """The rows of an unchanged dataset keep the stamps of an earlier listing."""
    saved.select([0]).save_to_disk(str(tmp_path / "set"))
    corpus = Corpus(name="c", path=str(tmp_path / "set"))
    stamps = list_sources([corpus]).stamps
    remembered = {name: stamp._replace(sha256="f" * 64) for name, stamp in stamps.items()}

    assert list_sources([corpus], remembered).sources[0].content == "f" * 64


def test_a_saved_dataset_may_have_splits(saved: datasets.Dataset, tmp_path: Path) -> None:
    """Each split is listed under its name."""
    datasets.DatasetDict({"train": saved, "test": saved}).save_to_disk(str(tmp_path / "set"))

    ids = _ids(tmp_path / "set")

    assert ids[::3] == ["c/train/00000000", "c/test/00000000"]


def test_a_saved_dataset_without_audio_is_refused(tmp_path: Path) -> None:
    """The message says which columns there are."""
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict({"text": ["x"]}).save_to_disk(str(tmp_path / "set"))

    with pytest.raises(ConfigError, match="no column of this dataset is Audio; found: text"):
        _list(tmp_path / "set")


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    """The estimate of a duration is bounded by the size of the file."""
    endless = bytearray(_wav(2.0))
    endless[40:44] = b"\xff\xff\xff\xff"
    _put(tmp_path / "endless.wav", bytes(endless))
    _put(tmp_path / "text.wav", b"not audio")

    whole, text = _list(tmp_path)

    assert estimate_duration_s(whole) == pytest.approx(2.0, abs=0.1)
    assert estimate_duration_s(text) == 1.0


def test_the_estimate_is_of_the_stretch(manifest: Callable[..., Path]) -> None:
    """Offset and duration are taken off, as far as the file reaches."""
    rest, piece, beyond = _list(manifest("path,offset,duration\na.wav,0.2,\na.wav,0.1,0.1\na.wav,0.4,9\n"))

    assert estimate_duration_s(rest) == pytest.approx(0.3)
    assert estimate_duration_s(piece) == pytest.approx(0.1)
    assert estimate_duration_s(beyond) == pytest.approx(0.1)
