"""The dataset of a run with speakers, a pool, rooms and two splits: what is in it, and who can open it."""

import io
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import tiny

from pipeline.audit.audit import audited
from pipeline.export import Exported, export, exported
from pipeline.graph import assemble
from pipeline.resolve import resolve
from pipeline.store import TableStore
from stages.flac import digest_of
from stages.licences import most_restrictive
from stages.unanimity import Candidate, judge
from tests.small_graphs import write_graph

SPLITS = {"train": 0.5, "test": 0.5}
SPEAKERS = ("anna", "bert", "carla", "dora", "emil", "frida")
TABLES = ("pairs", "candidates", "scores")


def _settings(folder: Path, **changes: Any) -> dict[str, Any]:
    speech = {"name": "clips", "path": str(folder), "speaker": "parent_folder", "licence": "CC-BY-4.0"}
    more = {
        "speech": [speech],
        "description": "Small | with a <tag> in it.",
        "citations": {"clips": "The clips of the\n<project>."},
        "ingest": {"sample_rate": 16000, "splits": SPLITS},
        "pools": {
            "noise": [{"synthesise": ["white", "pink"], "count": 6, "duration_s": 2}],
            "rir": [{"rooms": 10, "rt60_s": [0.2, 0.3]}],
        },
        "degradations": {
            "chain": [
                {"kind": "reverb", "target": "early", "probability": 0.6},
                {"kind": "noise", "snr_db": {"uniform": [0, 10]}},
            ]
        },
        "metrics": [
            {"kind": kind} for kind in ("multi_resolution_stft", "estoi", "spectral_envelope", "pesq")
        ],
        "preference": {
            "criteria": ["multi_resolution_stft", "estoi", "spectral_envelope"],
            "uncovered": ["perceptual_quality"],
            "held_out": ["pesq"],
        },
        "score_clean": True,
    }
    return tiny.tiny_config(folder, **{**more, **changes})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run: speech, config, workspace."""
    folder = tmp_path_factory.mktemp("dataset")
    for number, speaker in enumerate(SPEAKERS):
        tiny.write_clip(folder / "speech" / speaker / "one.wav", number, 1.2)
    config = tiny.write_config(folder, _settings(folder / "speech"))
    tiny.run_here(config, folder / "workspace")
    return folder


@pytest.fixture(scope="module")
def dataset(made: Path) -> Path:
    """Return the folder of the dataset."""
    return made / "workspace" / "dataset"


def rows_of(dataset: Path, table: str) -> list[dict[str, Any]]:
    """Return all rows of a table."""
    files = sorted((dataset / table).glob("*.parquet"))
    rows: list[dict[str, Any]] = pa.concat_tables(map(pq.read_table, files)).to_pylist()
    return rows


def said_of(dataset: Path) -> Exported:
    """Return what a dataset says of itself."""
    said = exported(dataset)
    assert said is not None
    return said


def exported_as(made: Path, out: Path, **changes: Any) -> Path:
    """Export the finished run under changed settings to ``out``."""
    config = tiny.write_config(made, _settings(made / "speech", **changes))
    run = resolve(config)
    graph = assemble(run, made / "workspace", keep=False)
    store = TableStore(made / "workspace" / "tables")
    export(run, graph, store, out, audited(run, graph, store, keep=False))
    return out


def test_it_opens_with_datasets_by_name_whole_and_as_a_stream(dataset: Path, tmp_path: Path) -> None:
    """Three tables with their splits; the default is pairs; the card is checked by opening."""
    from datasets import get_dataset_config_names, load_dataset  # noqa: PLC0415 - takes a second

    assert sorted(get_dataset_config_names(str(dataset))) == sorted(TABLES)
    by_default = load_dataset(str(dataset), cache_dir=str(tmp_path))
    for table in TABLES:
        whole = load_dataset(str(dataset), table, cache_dir=str(tmp_path))
        stream = load_dataset(str(dataset), table, streaming=True)
        counts = {split: files.rows for split, files in said_of(dataset).tables[table].items()}
        assert {split: len(whole[split]) for split in whole} == counts
        assert {split: sum(1 for _ in _bare(stream[split])) for split in stream} == counts
        assert whole["train"].features == stream["train"].features
    assert (
        by_default["train"].features == load_dataset(str(dataset), "pairs", streaming=True)["train"].features
    )


def _bare(stream: Any) -> Any:
    """Return a stream whose audio stays encoded, so that no decoder is needed."""
    from datasets import Audio  # noqa: PLC0415

    names = [name for name, feature in stream.features.items() if isinstance(feature, Audio)]
    for name in names:
        stream = stream.cast_column(name, Audio(decode=False))
    return stream


def test_torchcodec_decodes_the_audio(dataset: Path, tmp_path: Path) -> None:
    """With it, every ``Audio`` cell is samples, the same that soundfile reads, whole and as a stream."""
    try:
        import torchcodec  # noqa: F401, PLC0415 - seconds
    except (ImportError, RuntimeError):  # the second where there is no ffmpeg
        pytest.skip("torchcodec is not installed, or finds no ffmpeg")
    from datasets import Audio, load_dataset  # noqa: PLC0415

    for table in ("pairs", "candidates"):
        whole = load_dataset(str(dataset), table, split="train", cache_dir=str(tmp_path))
        stream = load_dataset(str(dataset), table, split="train", streaming=True)
        columns = [name for name, feature in whole.features.items() if isinstance(feature, Audio)]
        stored = pq.read_table(dataset / table, columns=columns, filters=[("split", "=", "train")])
        for row, streamed, bare in zip(whole, stream, stored.to_pylist(), strict=True):
            for name in columns:
                samples, rate = soundfile.read(io.BytesIO(bare[name]["bytes"]), dtype="float32")
                for cell in (row[name], streamed[name]):
                    assert cell["sampling_rate"] == rate == 16_000
                    np.testing.assert_array_equal(cell["array"], samples)


def test_duckdb_queries_it(dataset: Path) -> None:
    """Nested columns and all: which degradations there are, and how often a model was chosen."""
    import duckdb  # noqa: PLC0415

    kinds = duckdb.sql(
        f"select distinct step.kind from (select unnest(degradation_steps) as step from "
        f"'{dataset}/scores/*.parquet') order by 1"
    ).fetchall()
    louder = duckdb.sql(
        f"select count(*) from '{dataset}/pairs/*.parquet' where chosen_estoi > rejected_estoi"
    ).fetchall()

    assert kinds == [("noise",), ("reverb",)]
    assert louder == [(len(rows_of(dataset, "pairs")),)]


def test_pandas_reads_it(dataset: Path) -> None:
    """Audio is bytes, a list of licences a list."""
    import pandas as pd  # noqa: PLC0415

    frame = pd.read_parquet(dataset / "pairs")

    assert len(frame) == len(rows_of(dataset, "pairs"))
    samples, rate = soundfile.read(io.BytesIO(frame.loc[0, "chosen"]["bytes"]))
    assert (len(samples), rate) == (19_200, 16_000)


def test_polars_reads_it(dataset: Path) -> None:
    """Where it is installed."""
    polars = pytest.importorskip("polars", reason="polars is not installed")
    assert len(polars.read_parquet(dataset / "pairs" / "*.parquet")) == len(rows_of(dataset, "pairs"))


def test_others_can_decide_anew_and_come_to_the_same_pairs(dataset: Path) -> None:
    """From the table of scores and the criteria in unanimous.json alone, two candidates at a time."""
    said = said_of(dataset)
    names = [criterion.metric for criterion in said.criteria]
    found = set()
    for row_id, rows in _by(rows_of(dataset, "scores"), "degraded_id").items():
        candidates = [
            Candidate(row["model"], row["take"], {n: row[n] for n in names if row[n] is not None})
            for row in rows
            if row["status"] == "ok"
        ]
        for a, b in combinations(candidates, 2):
            _, pair = judge(a, b, said.criteria)
            if pair is not None and said.pair_rule.may_win(pair.chosen_model):
                sides = pair.chosen_model, pair.chosen_take, pair.rejected_model, pair.rejected_take
                found.add((row_id, *sides, pair.strength))

    columns = ("degraded_id", "chosen_model", "chosen_take", "rejected_model", "rejected_take", "strength")
    assert found == {tuple(row[c] for c in columns) for row in rows_of(dataset, "pairs")}
    assert found


def _by(rows: list[dict[str, Any]], column: str) -> Mapping[str, list[dict[str, Any]]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return grouped


def test_candidates_hold_every_recording_once_and_pairs_are_made_of_them(dataset: Path) -> None:
    """Degraded, clean and all takes; a pair's four recordings are among them, bit for bit."""
    candidates = rows_of(dataset, "candidates")
    audio = {(row["degraded_id"], row["kind"], row["model"], row["take"]): row for row in candidates}

    assert len(audio) == len(candidates) == len(SPEAKERS) * (2 + 3)
    assert len({row["candidate_id"] for row in candidates}) == len(candidates)
    for row in rows_of(dataset, "pairs"):
        for side in ("chosen", "rejected"):
            model, take = row[f"{side}_model"], row[f"{side}_take"]
            kind = "clean" if model == "clean" else "restored"
            assert audio[row["degraded_id"], kind, model, take]["audio"] == row[side]
        assert audio[row["degraded_id"], "degraded", None, None]["audio"] == row["degraded"]
        assert audio[row["degraded_id"], "clean", "clean", 0]["audio"] == row["clean"]


def test_scores_are_the_candidates_without_audio(dataset: Path) -> None:
    """Every candidate, the clean reference that was scored included, with the same values."""
    scores = {row["candidate_id"]: row for row in rows_of(dataset, "scores")}
    candidates = {row["candidate_id"]: row for row in rows_of(dataset, "candidates")}

    scored = {name for name, row in candidates.items() if row["model"] is not None}
    assert scores.keys() == scored
    assert all(row.items() <= candidates[name].items() for name, row in scores.items())
    assert sum(f.num_bytes for f in said_of(dataset).tables["scores"].values()) < 200_000


def test_a_take_without_audio_is_there_with_its_reason(dataset: Path) -> None:
    """Nothing is lost: what is missing says why, as does each of its scores."""
    for row in rows_of(dataset, "candidates"):
        assert (row["audio"] is None) == (row["status"] != "ok") == (row["reason"] is not None)
        if row["model"] is not None:
            named = {missing["score"] for missing in row["missing_scores"]}
            assert named == {name for name in ("estoi", "pesq", "spectral_envelope") if row[name] is None} | (
                {"multi_resolution_stft"} if row["multi_resolution_stft"] is None else set()
            )


def test_margins_are_differences_and_chosen_is_better(dataset: Path) -> None:
    """Of every score, also of those that did not vote; and of the votes, beyond the margin."""
    said = said_of(dataset)
    better = {score.name: score.better for metric in said.metrics for score in metric.scores}
    for row in rows_of(dataset, "pairs"):
        for name, way in better.items():
            difference = row[f"chosen_{name}"] - row[f"rejected_{name}"]
            assert row[f"margin_{name}"] == (difference if way == "higher" else -difference)
        assert all(row[f"margin_{c.metric}"] > c.margin for c in said.criteria)
        assert row["chosen_model"] != "clean"


def test_digests_are_of_the_published_audio(dataset: Path) -> None:
    """Every recording is what its digest says."""
    for row in rows_of(dataset, "candidates"):
        if row["audio"] is not None:
            assert digest_of(row["audio"]["bytes"]) == row["digest"]


def test_degradations_are_listed_with_parameters_and_facts(dataset: Path) -> None:
    """The list says what the recipe says, step by step, and what was measured."""
    for row in rows_of(dataset, "pairs"):
        recipe = json.loads(row["recipe"])
        steps = [(s["kind"], s["version"], json.loads(s["params"])) for s in row["degradation_steps"]]
        assert steps == [(step["kind"], step["version"], step["params"]) for step in recipe["steps"]]
        assert row["degradations"] == [s["kind"] for s in row["degradation_steps"] if s["is_applied"]]
        assert all("level_change_db" in json.loads(s["facts"]) for s in row["degradation_steps"])


def test_every_row_is_under_the_strictest_licence_of_its_parts(dataset: Path) -> None:
    """Speech, noise and rooms by name; the whole is under the strictest of all."""
    said = said_of(dataset)
    for row in (*rows_of(dataset, "pairs"), *rows_of(dataset, "candidates")):
        parts = {part["part"]: part["licence"] for part in row["licences"]}
        assert parts.items() >= {"speech": "CC-BY-4.0", "pool": "CC0-1.0"}.items()
        assert row["row_licence"] == most_restrictive(parts.values()) == said.licence


def test_a_candidate_of_a_stricter_licence_counts_for_the_whole(made: Path, tmp_path: Path) -> None:
    """Its pairs may not have been kept, but it is published: only without candidates is it not."""
    run = tmp_path / "run"
    tiny.write_clip(run / "speech" / "anna" / "one.wav", 0, 1.2)
    write_graph(run / "quieter.onnx", [("Mul", "x most", "y")], ([("x", (1, "n"))], [("y", (1, "n"))]))
    model = {"kind": "onnx", "path": "quieter.onnx", "model_licence": "CC-BY-NC-4.0"}
    changes = {
        "restorers": [{"kind": "spectral_gate", "takes": 2}, model],
        "pools": {},
        "ingest": {"sample_rate": 16000},
        "degradations": {"chain": [{"kind": "clipping", "threshold": 0.1}]},
        "preference": _settings(made)["preference"] | {"pairs": {"between": "same_model"}},
    }

    def exported_with(**export: Any) -> Exported:
        config = tiny.write_config(run, _settings(run / "speech", **changes, export=export))
        return tiny.run_here(config, run / "workspace").exported

    assert exported_with().licence == "CC-BY-NC-4.0"
    alone = exported_with(beside_pairs=[])
    assert alone.licence in {"CC-BY-4.0", None}
    assert "CC-BY-NC-4.0" not in alone.licences


def _sides(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Walk what may be on one side only, with its split: who spoke, what was said, noise and rooms."""
    for row in rows:
        yield "speaker", row["speaker"], row["split"]
        yield "utterance", row["utterance_id"], row["split"]
        for ref in json.loads(row["recipe"])["sources"]:
            yield ref["pool"], ref["id"], row["split"]


def test_nothing_is_on_two_sides(dataset: Path) -> None:
    """No speaker, no utterance, no noise and no room; and there is more than one side to be on."""
    found = defaultdict(set)
    for what, name, split in _sides(rows_of(dataset, "candidates")):
        found[what, name].add(split)

    assert all(len(splits) == 1 for splits in found.values())
    assert {what for what, _ in found} == {"speaker", "utterance", "noise", "rir"}
    assert len(set.union(*found.values())) > 1


def test_a_growing_corpus_moves_nothing(dataset: Path, tmp_path: Path) -> None:
    """More clips of the same and of new speakers: everything that was there keeps its side."""
    before = set(_sides(rows_of(dataset, "candidates")))
    folder = tmp_path / "speech"
    for number, speaker in enumerate((*SPEAKERS, "gero", "hilda")):
        tiny.write_clip(folder / speaker / "one.wav", number, 1.2)
    tiny.write_clip(folder / "anna" / "two.wav", 9, 1.2)
    config = tiny.write_config(tmp_path, _settings(folder))

    tiny.run_here(config, tmp_path / "workspace")

    after = set(_sides(rows_of(tmp_path / "workspace" / "dataset", "candidates")))
    assert {side for side in before if side[0] in {"speaker", "utterance"}} < after
    splits = defaultdict(set)
    for what, name, split in before | after:
        splits[what, name].add(split)
    assert all(len(found) == 1 for found in splits.values())


def test_the_card_says_what_was_done(dataset: Path) -> None:
    """It parses; sizes, licence and features are those of the files; sections hold the run's own numbers."""
    from huggingface_hub import DatasetCard  # noqa: PLC0415

    card = DatasetCard.load(dataset / "README.md")
    front, text, said = card.data.to_dict(), card.text, said_of(dataset)

    assert front["license"] == "cc-by-4.0"
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
