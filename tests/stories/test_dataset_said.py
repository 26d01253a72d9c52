"""The dataset of a run with speakers, a pool, rooms and two splits: its card, and how it was asked for."""

import io
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile

from stages.audio.flac import digest_of
from tests.support.sided import TABLES, exported_as, rows_of, said_of


@pytest.fixture
def dataset(made: Path) -> Path:
    """Return the folder of the dataset."""
    return made / "workspace" / "dataset"


def test_the_card_says_what_was_done(dataset: Path) -> None:
    """It parses; sizes, licence and features are those of the files; sections hold the run's own numbers."""
    from huggingface_hub import DatasetCard  # noqa: PLC0415

    card = DatasetCard.load(dataset / "README.md")
    front, text, said = card.data.to_dict(), card.text, said_of(dataset)

    assert front["license"] == "cc-by-4.0"
    assert front["annotations_creators"] == ["machine-generated"]
    assert front["source_datasets"] == ["extended|other-clips"]
    assert front["size_categories"] == "n<1K"
    assert {config["config_name"] for config in front["configs"] if config.get("default")} == {"pairs"}
    sizes = {info["config_name"]: info for info in front["dataset_info"]}
    for table, splits in said.tables.items():
        rows = {split["name"]: split["num_examples"] for split in sizes[table]["splits"]}
        assert rows == {split: files.rows for split, files in splits.items()}
        assert sizes[table]["download_size"] == sum(p.stat().st_size for p in (dataset / table).iterdir())
    assert "snr_db: {low: 0.0, high: 10.0, kind: uniform}" in text
    assert "Held out, and so without a vote: `pesq`." in text
    assert f"| CC-BY-4.0 | {len(rows_of(dataset, 'pairs'))} |" in text
    assert "- clips: The clips of the &lt;project>." in text
    assert all(f"`{metric.metric_fingerprint}`" in text for metric in said.metrics)
    assert all(f"`{step.name}`" in text or step.name in text for step in said.funnel.steps)
    assert "## Audit" in text


def test_the_card_says_what_every_column_holds(dataset: Path) -> None:
    """By its name, or by what columns of several sides have in common; nothing is said of others."""
    said = (
        (dataset / "README.md").read_text(encoding="utf-8").partition("## Columns")[2].partition("\n## ")[0]
    )
    named = set(re.findall(r"`([\w…]+)`", said))
    scores = {score.name for metric in said_of(dataset).metrics for score in metric.scores}
    columns = {name for table in TABLES for name in rows_of(dataset, table)[0]} - scores

    undocumented = [name for name in columns if not _names_of(name, scores) & named]
    assert undocumented == []


def _names_of(column: str, scores: set[str]) -> set[str]:
    """Return the names under which a card may speak of a column: its own, and those of both sides."""
    side, _, rest = column.partition("_")
    of_sides = {f"{side}_X"} if rest in scores else {f"…_{rest}"}
    return {column, f"…_{column}", *of_sides}


def test_no_place_on_this_machine_is_published(made: Path, dataset: Path) -> None:
    """Neither card nor mark nor tables name the folder that the run lies in."""
    for path in dataset.rglob("*"):
        if path.is_file():
            assert str(made).encode() not in path.read_bytes(), path


def test_fingerprints_of_metrics_are_in_every_file(dataset: Path) -> None:
    """A file that went astray still says what its scores are, and by which weights models restored."""
    said = said_of(dataset)
    for path in dataset.glob("*/*.parquet"):
        about = json.loads(pq.read_schema(path).metadata[b"unanimous"])
        assert [m["metric_fingerprint"] for m in about["metrics"]] == [
            metric.metric_fingerprint for metric in said.metrics
        ]
        assert [model["name"] for model in about["models"]] == ["identity", "spectral_gate"]


def test_the_same_run_exports_the_same_bytes(made: Path, dataset: Path, tmp_path: Path) -> None:
    """Every file, card and mark included."""
    again = exported_as(made, tmp_path / "again")

    names = sorted(str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
    for name in names:
        assert (dataset / name).read_bytes() == (again / name).read_bytes(), name


def test_sixteen_bits_round_the_audio_and_are_said(made: Path, dataset: Path, tmp_path: Path) -> None:
    """Each sample goes to the nearest step; digests are of what is published; the card says it."""
    rounded = exported_as(made, tmp_path / "rounded", export={"audio_bits": 16})

    pairs = zip(rows_of(dataset, "candidates"), rows_of(rounded, "candidates"), strict=True)
    for before, after in ((a, b) for a, b in pairs if a["audio"] is not None):
        whole, short = (soundfile.read(io.BytesIO(row["audio"]["bytes"]))[0] for row in (before, after))
        assert abs(whole.clip(-1, 1 - 2**-15) - short).max() <= 2**-16
        assert soundfile.info(io.BytesIO(after["audio"]["bytes"])).subtype == "PCM_16"
        assert digest_of(after["audio"]["bytes"]) == after["digest"]
        assert {n: v for n, v in before.items() if n not in {"audio", "digest"}} == {
            n: v for n, v in after.items() if n not in {"audio", "digest"}
        }
    assert said_of(rounded).audio_bits == 16
    assert "The audio has 16 bits" in (rounded / "README.md").read_text()


def test_pairs_alone_when_asked(made: Path, tmp_path: Path) -> None:
    """Without the tables beside them there is one table, and it still opens."""
    from datasets import load_dataset  # noqa: PLC0415

    alone = exported_as(made, tmp_path / "alone", export={"beside_pairs": []})

    assert {path.name for path in alone.iterdir()} == {"README.md", "unanimous.json", "pairs"}
    assert len(load_dataset(str(alone), split="train", cache_dir=str(tmp_path / "cache"))) > 0


def test_a_dataset_written_again_is_opened_anew(dataset: Path, tmp_path: Path) -> None:
    """The cache of ``datasets`` knows a local dataset by its card alone: another key is another dataset."""
    from datasets import load_dataset  # noqa: PLC0415

    copy, cache = Path(shutil.copytree(dataset, tmp_path / "dataset")), str(tmp_path / "cache")
    before = load_dataset(str(copy), "scores", split="train", cache_dir=cache)
    (file,) = (copy / "scores").glob("train-*.parquet")
    rows = pq.read_table(file)
    pq.write_table(rows.slice(0, 1), file)
    card, key = copy / "README.md", said_of(copy).key
    assert card.read_text().count(f"key {key}") == len(TABLES)
    card.write_text(card.read_text().replace(f"key {key}", "key another"))
    after = load_dataset(str(copy), "scores", split="train", cache_dir=cache, verification_mode="no_checks")

    assert (len(before), len(after)) == (rows.num_rows, 1)
