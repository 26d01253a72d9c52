"""Recordings in an object store are listed, known and read as those of a folder are."""

import shutil
from pathlib import Path

import pytest

from pipeline.sources.audio import estimate_duration_s, open_source
from pipeline.sources.corpora import Corpus, count_passed_over_in, list_sources
from pipeline.sources.object_audio import join_place, name_below, split_recording_url
from pipeline.store.object_files import FETCHED_BYTES, ObjectFiles
from schemas import BrokenError, ConfigError, Source
from tests.support.object_server import ObjectServer, bucket_name
from tests.support.small_corpora import listed, put, wav

NAMES = ("b/2.WAV", "b/10.wav", "a #1.wav", "Zoë/c.wav", ".hidden/d.wav", "notes.txt", "more.parquet")


@pytest.fixture
def url(object_store: ObjectServer) -> str:
    """Return the URL of a folder in a bucket of its own."""
    return f"{object_store.make_bucket(bucket_name())}/speech"


@pytest.fixture
def folder(url: str, tmp_path: Path) -> Path:
    """Return a folder of recordings that are at the URL too."""
    for seconds, name in enumerate(NAMES, start=1):
        put(tmp_path / "speech" / name, wav(seconds / 10))
        ObjectFiles(url).put_file(name, tmp_path / "speech" / name)
    return tmp_path / "speech"


def described(sources: list[Source]) -> list[dict[str, object]]:
    """Return what a shard's name holds of its recordings."""
    return [source.model_dump(exclude={"path"}) for source in sources]


def test_a_folder_a_pattern_and_a_manifest_are_what_they_are_on_a_disk(url: str, folder: Path) -> None:
    """Ids, names, contents and order are the same, so that a run makes the same shards of them."""
    manifest = f"path,speaker\nb/2.WAV,Ann\n../speech/b/10.wav,\n{url}/a #1.wav,Ben\nnot/there.wav,\n"
    ObjectFiles(url).put("list.csv", manifest.encode())
    (folder / "list.csv").write_text(manifest.replace(url, str(folder)))

    for place in ("", "/b", "/*/*.wav", "/**/?.wav", "/b/2.WAV", "/list.csv"):
        found = listed(f"{url}{place}")
        assert described(found) == described(listed(f"{folder}{place}")), place
        assert [estimate_duration_s(s) for s in found] == [
            estimate_duration_s(s) for s in listed(f"{folder}{place}")
        ]
    assert count_passed_over_in(url) == {".parquet": 1}


def test_a_manifest_on_a_disk_names_objects(url: str, folder: Path, tmp_path: Path) -> None:
    """They are called by bucket and name, as files elsewhere are by their path."""
    manifest = put(tmp_path / "list.csv", f"path\n{url}/b/2.WAV\n".encode())

    (source,) = listed(manifest)

    with open_source(source) as file:
        assert file.read() == (folder / "b/2.WAV").read_bytes()
    assert source.name == f"{url.partition('://')[2]}/b/2.WAV"


def test_what_did_not_change_is_not_fetched_again(url: str, folder: Path) -> None:
    """The tag of its version is believed; another version is read, and what was listed is what is opened."""
    corpus = Corpus(name="c", path=f"{url}/b")
    stamps = list_sources([corpus]).stamps
    remembered = {name: stamp._replace(sha256="f" * 64) for name, stamp in stamps.items()}
    ObjectFiles(url).put_file("b/2.WAV", folder / "b/10.wav")

    ten, two = list_sources([corpus], remembered).sources

    assert ten.content == "f" * 64
    assert two.content == stamps[ten.path].sha256
    ObjectFiles(url).put_file("b/2.WAV", folder / "a #1.wav")
    with pytest.raises(BrokenError, match="its bytes are not those that were listed"):
        open_source(two)
    ObjectFiles(url).remove("b/2.WAV")
    with pytest.raises(BrokenError, match="cannot be opened now"):
        open_source(two)


def test_a_long_recording_is_fetched_once(url: str, tmp_path: Path) -> None:
    """Its bytes wait on the disk without a name; each stretch begins at the beginning."""
    long = put(tmp_path / "long.wav", wav(FETCHED_BYTES / 16_000 + 1))
    ObjectFiles(url).put_file("long.wav", long)
    (source,) = listed(f"{url}/long.wav")

    with open_source(source) as first:
        assert first.read(4) == b"RIFF"
        ObjectFiles(url).remove("long.wav")
        with open_source(source) as second, long.open("rb") as file:
            shutil.copyfileobj(file, checked := _Checked(second))

    assert checked.equal


class _Checked:
    """What is written to it is compared with what comes from a file."""

    def __init__(self, other: object) -> None:
        self.equal = True
        self._other = other

    def write(self, content: bytes) -> int:
        """Compare the next bytes."""
        self.equal &= self._other.read(len(content)) == content  # type: ignore[attr-defined]
        return len(content)


def test_what_is_not_there_is_said(url: str, folder: Path) -> None:
    """With the way out where there is one."""
    ObjectFiles(url).put("saved/state.json", b"{}")

    with pytest.raises(ConfigError, match=r"corpus 'c': no recordings in .*/nowhere \(looked for"):
        listed(f"{url}/nowhere")
    with pytest.raises(ConfigError, match=r"nowhere.csv: cannot be read: .*is not there"):
        listed(f"{url}/nowhere.csv")
    with pytest.raises(ConfigError, match="list its recordings in a manifest"):
        listed(f"{url}/saved")
    bad = put(folder / "bad.csv", b"path\nhttps://example.org/a.wav\n")
    with pytest.raises(ConfigError, match="line 2: 'path': https:// is no object store"):
        listed(bad)


@pytest.mark.parametrize("secret", ["s3://key:word@bucket/a", "s3://bucket/a.wav?X-Amz-Signature=abc"])
def test_a_url_with_a_secret_is_refused(secret: str) -> None:
    """Nothing of it is repeated: messages end up in logs."""
    with pytest.raises(ConfigError) as refused:
        split_recording_url(secret)

    assert not {"word", "abc"} & set(str(refused.value).replace("=", " ").split())


def test_places_below_urls() -> None:
    """A manifest's paths start from its folder, here and there."""
    assert join_place("s3://b/x", "../y/a.wav") == "s3://b/y/a.wav"
    assert join_place("s3://b/x", "/data/a.wav") == "/data/a.wav"
    assert join_place("/data", "gs://b/x/./a.wav") == "gs://b/x/a.wav"
    assert name_below("s3://b/x", "s3://b/y/a.wav", "../y/a.wav") == "../y/a.wav"
    assert name_below("/data", "/data/s/a.wav", "s/a.wav") == "s/a.wav"
    with pytest.raises(ConfigError, match="leads out of s3://b"):
        join_place("s3://b/x", "../../a.wav")
