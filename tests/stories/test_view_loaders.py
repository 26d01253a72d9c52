"""Views of a dataset, loaded by the code of the packages that they are for, where these are installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from stages.audio.flac import decode_flac_bytes
from tests.support.forked_commands import typed

SIDES = ("degraded", "chosen", "rejected", "clean")


@pytest.fixture(scope="module")
def dataset(undisturbed: Path) -> Path:
    """Return the dataset of the tiny run."""
    return undisturbed / "workspace" / "dataset"


@pytest.fixture(scope="module")
def rows(dataset: Path) -> list[dict[str, Any]]:
    """Return its pairs."""
    found: list[dict[str, Any]] = pq.read_table(dataset / "pairs").to_pylist()
    return found


def view(dataset: Path, name: str, out: Path) -> Path:
    """Return the folder of a view, written as a user would."""
    done = typed("export", dataset, "--as", name, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def samples_of(cell: dict[str, Any]) -> np.ndarray:
    """Return the samples of an audio cell."""
    return decode_flac_bytes(cell["bytes"]).samples


def test_lhotse_loads_its_cuts(dataset: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """Every pair is a cut that lhotse finds valid; each side has the very samples, and scores are there."""
    lhotse = pytest.importorskip("lhotse", reason="lhotse is not installed: pip install lhotse")
    folder = view(dataset, "lhotse", tmp_path / "out")

    cuts = list(lhotse.CutSet.from_file(folder / "train_cuts.jsonl"))

    assert [cut.id for cut in cuts] == [row["pair_id"] for row in rows]
    lhotse.validate(lhotse.CutSet.from_cuts(cuts), read_data=True)
    for cut, row in zip(cuts, rows, strict=True):
        loaded = [cut.load_audio(), *(cut.load_custom(side) for side in SIDES[1:])]
        for side, samples in zip(SIDES, loaded, strict=True):
            np.testing.assert_array_equal(samples[0], samples_of(row[side]))
        assert cut.custom["weight"] > 0.0
        for column in ("strength", "chosen_estoi", "rejected_estoi", "margin_estoi", "chosen_model"):
            assert cut.custom[column] == row[column]


def test_espnet_reads_its_tables(dataset: Path, tmp_path: Path) -> None:
    """ESPnet's readers find as many takes as were restored, with the very samples."""
    lacking = "espnet is not installed: pip install espnet"
    texts_of = pytest.importorskip("espnet2.fileio.read_text", reason=lacking).read_2columns_text
    open_scp = pytest.importorskip("espnet2.fileio.sound_scp", reason=lacking).SoundScpReader
    folder = view(dataset, "espnet", tmp_path / "out") / "train"
    candidates = pq.read_table(dataset / "candidates").to_pylist()

    for name, kind in (("wav", "restored"), ("degraded", "degraded"), ("clean", "clean")):
        found = open_scp(str(folder / f"{name}.scp"), dtype="float32")
        expected = [samples_of(row["audio"]) for row in candidates if row["kind"] == kind and row["audio"]]
        assert len(found) == len(expected)
        for key, samples in zip(found.keys(), expected, strict=True):
            rate, loaded = found[key]
            assert rate == candidates[0]["sample_rate"]
            np.testing.assert_array_equal(loaded, samples)
    texts, speakers = (texts_of(folder / name) for name in ("text", "utt2spk"))
    assert texts.keys() == speakers.keys() == texts_of(folder / "degraded.scp").keys()


class Letters:
    """Stands for the tokenizer that NeMo's model gives its dataset: a number for each letter."""

    pad = 0

    def encode(self, text: str, tokenizer_name: str) -> list[int]:  # noqa: ARG002 - NeMo says which
        """Return the letters of a text."""
        return [ord(letter) for letter in text]


def test_nemo_loads_its_lines(dataset: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """NeMo's MagpieTTSDatasetDPO has as many pairs, with chosen and rejected samples, context and rewards."""
    nemo = pytest.importorskip(
        "nemo.collections.tts.data.text_to_speech_dataset",
        reason="NeMo is not installed: pip install nemo_toolkit[tts]",
        exc_type=ImportError,
    )
    folder = view(dataset, "nemo", tmp_path / "out")
    loaded = nemo.MagpieTTSDatasetDPO(
        dataset_meta={"pairs": {"manifest_path": folder / "train_manifest.json", "audio_dir": folder}},
        sample_rate=rows[0]["sample_rate"],
        volume_norm=False,
        codec_model_samples_per_frame=320,
        eos_id=1,
        num_audio_codebooks=8,
        load_cached_codes_if_available=False,
        context_duration_min=0.5,
    )
    loaded.text_tokenizer = Letters()

    assert len(loaded) == len(rows)
    for index, row in enumerate(rows):
        example = loaded[index]
        for side in ("chosen", "rejected"):
            samples = samples_of(row[side])
            np.testing.assert_array_equal(example[side]["audio"][: samples.size].numpy(), samples)
            assert example[side]["context_audio_len"] > 0
        assert example["chosen"]["reward"] == 1.0 > example["rejected"]["reward"] > 0.0
    batch = loaded.collate_fn([loaded[0], loaded[1]])
    assert len(batch["chosen"]["audio"]) == len(batch["rejected"]["audio"]) == 2
