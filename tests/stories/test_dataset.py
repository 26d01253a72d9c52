"""The dataset of a run with speakers, a pool, rooms and two splits: what is in it, and who can open it."""

import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.dataset.description import DatasetDescription
from stages.audio.flac import digest_of
from stages.operators.licences import most_restrictive_of
from stages.prefer.criteria import Candidate, judge
from tests.support import tiny
from tests.support.sided import SPEAKERS, TABLES, rows_of, said_of, settings
from tests.support.small_graphs import write_graph


@pytest.fixture
def dataset(made: Path) -> Path:
    """Return the folder of the dataset."""
    return made / "workspace" / "dataset"


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
        assert row["row_licence"] == most_restrictive_of(parts.values()) == said.licence


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
        "preference": settings(made)["preference"] | {"pairs": {"between": "same_model"}},
    }

    def exported_with(**export: Any) -> DatasetDescription:
        config = tiny.write_config(run, settings(run / "speech", **changes, export=export))
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
    config = tiny.write_config(tmp_path, settings(folder))

    tiny.run_here(config, tmp_path / "workspace")

    after = set(_sides(rows_of(tmp_path / "workspace" / "dataset", "candidates")))
    assert {side for side in before if side[0] in {"speaker", "utterance"}} < after
    splits = defaultdict(set)
    for what, name, split in before | after:
        splits[what, name].add(split)
    assert all(len(found) == 1 for found in splits.values())
