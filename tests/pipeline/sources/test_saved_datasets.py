"""What the listing of a dataset that was saved to disk promises."""

from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pytest

from pipeline.sources.audio import estimate_duration_s, open_source
from pipeline.sources.corpora import Corpus, list_sources
from schemas import ConfigError
from tests.support.small_corpora import ids_of, listed, put, wav


@pytest.fixture(autouse=True)
def _without_progress_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def saved(tmp_path: Path) -> datasets.Dataset:
    """Return a dataset of three recordings: one inside, one in a file, one that is not there."""
    beside = put(tmp_path / "beside.wav", wav(0.25))
    audio = [{"bytes": wav(), "path": None}, {"bytes": None, "path": str(beside)}, None]
    features = datasets.Features(
        {
            "audio": datasets.Audio(decode=False),
            "sentence": datasets.Value("string"),
            "speaker_id": datasets.Value("int64"),
        }
    )
    held = pa.array(audio, type=pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    table = pa.table({"audio": held, "sentence": ["one", "two", None], "speaker_id": [7, 8, 9]})
    return datasets.Dataset(table.cast(features.arrow_schema))


def test_a_saved_dataset_gives_a_source_per_row(saved: datasets.Dataset, tmp_path: Path) -> None:
    """Bytes inside, bytes in a file and no bytes at all; speaker and transcript from the usual columns."""
    saved.save_to_disk(str(tmp_path / "set"))

    inside, beside, absent = listed(tmp_path / "set")

    assert (inside.row, inside.speaker, inside.transcript) == (0, "7", "one")
    assert open_source(inside).read() == wav()
    with open_source(beside) as file:
        assert file.read() == wav(0.25)
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

    ids = ids_of(tmp_path / "set")

    assert ids[::3] == ["c/train/00000000", "c/test/00000000"]


def test_a_saved_dataset_without_audio_is_refused(tmp_path: Path) -> None:
    """The message says which columns there are."""
    datasets.Dataset.from_dict({"text": ["x"]}).save_to_disk(str(tmp_path / "set"))

    with pytest.raises(ConfigError, match="no column of this dataset is Audio; found: text"):
        listed(tmp_path / "set")
