"""A dataset's pairs as codes of a DAC."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from pipeline.cli.commands.tokens import tokens_command
from pipeline.operations.tokens import TOKEN_SIDES
from schemas import UserError
from stages.audio.flac import decode_flac_bytes
from stages.networks.codec_tokens import load_tokenizer
from stages.weights.files import weights_digest
from tests.support.neural_weights import write_dac
from tests.support.tampering import pairs_of


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small DAC at 16 kHz."""
    return write_dac(tmp_path_factory.mktemp("dac"), sample_rate=16_000)


@pytest.fixture(scope="module")
def dataset(undisturbed: Path) -> Path:
    """Return the dataset of the tiny run."""
    return undisturbed / "workspace" / "dataset"


@pytest.fixture(scope="module")
def tokens(dataset: Path, codec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its tokens."""
    out = tmp_path_factory.mktemp("out") / "tokens"
    tokens_command(dataset, codec, out, None, "cpu")
    return out


def test_every_side_is_what_the_codec_hears(dataset: Path, codec: Path, tokens: Path, tmp_path: Path) -> None:
    """Codebooks by frames, of the published audio, pair by pair."""
    pairs = pq.read_table(dataset / "pairs").to_pylist()
    rows = load_dataset(str(tokens), split="train", cache_dir=str(tmp_path)).to_list()
    tokenizer = load_tokenizer(codec)

    assert [row["pair_id"] for row in rows] == [pair["pair_id"] for pair in pairs]
    for row, pair in zip(rows, pairs, strict=True):
        for side in TOKEN_SIDES:
            expected = tokenizer.codes(decode_flac_bytes(pair[side]["bytes"]))
            np.testing.assert_array_equal(row[side], expected)
            assert expected.shape == (4, row["num_frames"])
        assert row["strength"] == pair["strength"]


def test_the_file_says_which_codec_and_dataset(dataset: Path, codec: Path, tokens: Path) -> None:
    """By digest and key: tokens are nothing without them."""
    (file,) = (tokens / "tokens").glob("*.parquet")
    schema = pq.read_schema(file)
    said = json.loads(schema.metadata[b"unanimous"])

    assert str(schema.field("chosen").type.value_type.value_type) == "int16"
    assert said["codec"] == {
        "sha256": weights_digest(codec),
        "sample_rate": 16_000,
        "hop_samples": 512,
        "num_codebooks": 4,
        "codebook_size": 64,
    }
    assert said["dataset_key"] == json.loads((dataset / "unanimous.json").read_text())["key"]


def test_the_card_says_licence_and_size(dataset: Path, tokens: Path) -> None:
    """As that of the dataset does: codes of speech are under the licence of the speech."""
    ours, theirs = (DatasetCard.load(folder / "README.md").data.to_dict() for folder in (tokens, dataset))

    assert {name: ours[name] for name in ("license", "tags", "size_categories")} == {
        name: theirs[name] for name in ("license", "tags", "size_categories")
    }
    assert ours["dataset_info"]["splits"][0]["num_examples"] == len(pairs_of(dataset))


def test_the_same_dataset_and_codec_give_the_same_bytes(
    dataset: Path, codec: Path, tokens: Path, tmp_path: Path
) -> None:
    """And nothing is left beside them."""
    tokens_command(dataset, codec, tmp_path / "again", None, "cpu")

    assert contents(tmp_path / "again") == contents(tokens)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_says_how_much_there_is_and_leaves_other_folders_alone(
    dataset: Path, codec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first codebooks only, if told; a folder that is there stays as it is."""
    tokens_command(dataset, codec, tmp_path / "two", 2, "cpu")

    assert f"{len(pairs_of(dataset))} pairs in" in (said := capsys.readouterr().out)
    assert "2 codebooks of 64, 31.2 frames a second" in said
    with pytest.raises(UserError, match="is there already"):
        tokens_command(dataset, codec, tmp_path, None, "cpu")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file and what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
