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
from pipeline.store.dataset_files import DatasetFiles
from schemas import ConfigError, MissingWeightsError, UserError
from stages.audio.flac import decode_flac_bytes
from stages.networks.codec_tokens import load_tokenizer
from stages.networks.generative.tokenizer import load_gain_tokenizer
from stages.weights.files import weights_digest
from tests.support.neural_weights import write_dac, write_generative
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
    tokens_command(DatasetFiles(dataset), codec, out, None, "cpu")
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
    tokens_command(DatasetFiles(dataset), codec, tmp_path / "again", None, "cpu")

    assert contents(tmp_path / "again") == contents(tokens)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_says_how_much_there_is_and_leaves_other_folders_alone(
    dataset: Path, codec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first codebooks only, if told; a folder that is there stays as it is."""
    tokens_command(DatasetFiles(dataset), codec, tmp_path / "two", 2, "cpu")

    assert f"{len(pairs_of(dataset))} pairs in" in (said := capsys.readouterr().out)
    assert "2 codebooks of 64, 31.2 frames a second" in said
    with pytest.raises(UserError, match="is there already"):
        tokens_command(DatasetFiles(dataset), codec, tmp_path, None, "cpu")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of ``train`` with small networks of this project's own."""
    folder = tmp_path_factory.mktemp("own")
    write_generative(folder / "weights")
    return folder


def test_own_codes_are_around_the_estimate_of_the_degraded_side(
    dataset: Path, own: Path, tmp_path: Path
) -> None:
    """All sides of a pair by one tokenizer, at 62.5 frames a second; the card says what they need."""
    tokens_command(DatasetFiles(dataset), own, tmp_path / "ours", None, "cpu")

    pairs = pq.read_table(dataset / "pairs").to_pylist()
    rows = pq.read_table(tmp_path / "ours" / "tokens").to_pylist()
    tokenizer = load_gain_tokenizer(own / "weights")
    for row, pair in zip(rows, pairs, strict=True):
        sides = {side: decode_flac_bytes(pair[side]["bytes"]) for side in TOKEN_SIDES}
        for side, expected in tokenizer.codes_of_sides(sides).items():
            np.testing.assert_array_equal(row[side], expected)
            assert expected.shape == (6, sides[side].samples.size // 256 + 1)
    (file,) = (tmp_path / "ours" / "tokens").glob("*.parquet")
    codec = json.loads(pq.read_schema(file).metadata[b"unanimous"])["codec"]
    assert (codec["hop_samples"], codec["num_codebooks"], codec["codebook_size"]) == (256, 6, 256)
    assert codec["codes_of"].startswith("this project's gains")
    assert "mean nothing without" in (tmp_path / "ours" / "README.md").read_text()


def test_own_codes_that_do_not_ship_say_how_to_make_them(dataset: Path, own: Path, tmp_path: Path) -> None:
    """A folder that lacks the estimate, and more codebooks than there are."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "codes.safetensors").symlink_to(own / "weights" / "codes.safetensors")
    with pytest.raises(MissingWeightsError, match=r"no .*estimate.safetensors; .*train codec"):
        tokens_command(DatasetFiles(dataset), tmp_path / "half", tmp_path / "none", None, "cpu")
    with pytest.raises(ConfigError, match="has 6 codebooks, not 7"):
        tokens_command(DatasetFiles(dataset), own, tmp_path / "none", 7, "cpu")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file and what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
