"""Views of a dataset for trainers that read no Parquet: recordings as FLAC files, and lines about them.

``jsonl`` has a line per pair with all columns; ``nemo`` the alternating lines of NeMo's MagpieTTSDatasetDPO;
``espnet`` the wav.scp and score files that ESPnet's SpeechLM makes pairs of; ``kto`` single recordings with a
label; ``lhotse`` the cuts of lhotse; ``ranked`` the candidates of each input in the order of unanimity.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.dataset.coverage import Coverage, coverage_of, read_pair_facts, select_pairs, weights_of
from pipeline.dataset.lhotse_cut import lhotse_cut_of
from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.dataset.ranking import Layers, layers_of
from pipeline.store.dataset_columns import DatasetTable
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.view_files import ViewFiles
from schemas import UserError

PAIR_AUDIO = ("degraded", "chosen", "rejected", "clean")
_SAMPLES_IN_NAMES = "_sample"
"""What ESPnet's script cuts the name of an utterance off at."""


@dataclass(frozen=True, slots=True)
class ViewCounts:
    """What was written."""

    lines: Mapping[str, int]
    """By file."""
    recordings: int
    left_out: Mapping[str, int]
    """What the view has no place for, and how many of it."""
    coverage: tuple[Coverage, Coverage] | None = None
    """Before and after, where pairs were selected."""


@dataclass(frozen=True, slots=True)
class _Viewed:
    """What a view is of, and where it will lie."""

    dataset: Dataset
    out: Path
    weights: Mapping[str, float]
    """Of the pairs that are kept, by their names."""


Write = Callable[[_Viewed, ViewFiles], Mapping[str, int]]
"""Writes a view; returns what was left out."""


def write_view(dataset: Dataset, view: str, out: Path, select: int | None = None) -> ViewCounts:
    """Write a view of ``dataset`` to the folder ``out``, whole or not at all.

    ``select`` keeps so many pairs, by the rule of `select_pairs`. Raises ``UserError`` if ``out`` is there
    already, for an unknown view, for one of candidates where the dataset has none, and for a selection of
    pairs for a view of candidates.
    """
    if view not in DATASET_VIEWS:
        raise UserError(f"there is no view {view!r}; choose one of: {', '.join(DATASET_VIEWS)}")
    if select is not None and view in OF_CANDIDATES:
        raise UserError(f"--select chooses pairs, and {view!r} is of candidates")
    written = DatasetFiles(out.absolute())
    if written.is_taken:
        raise UserError(f"{out} is there already; choose another --out, or remove it")
    pairs = read_pair_facts(dataset)
    kept = pairs if select is None else select_pairs(pairs, select)
    viewed = _Viewed(dataset, written.folder, weights_of(kept))
    coverage = None if select is None else (coverage_of(pairs), coverage_of(kept))
    written.make_parent()
    with written.replaced() as draft:
        with ViewFiles(draft.folder) as files:
            left_out = DATASET_VIEWS[view](viewed, files)
        draft.write("README.md", _describe(dataset, view, files, coverage))
    return ViewCounts(dict(files.lines), files.num_recordings, left_out, coverage)


def _write_jsonl(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    for row in _pairs(viewed):
        paths = _write_sides(row, files)
        files.add_line(
            f"{row['split']}.jsonl", _json({**row, **paths, "weight": viewed.weights[row["pair_id"]]})
        )
    return {}


def _write_nemo(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    """Write chosen and rejected by turns: rewards are 1 and 1 / (1 + strength)."""
    for row in _pairs(viewed):
        paths = _write_sides(row, files)
        said = {
            "text": row["transcript"] or "",
            "speaker": row["speaker"] or "unknown",
            "duration": row["duration_s"],
            "context_audio_filepath": paths["degraded"],
            "context_audio_duration": row["duration_s"],
            **({"language": row["language"]} if row["language"] else {}),
        }
        rewards = {"chosen": 1.0, "rejected": 1.0 / (1.0 + max(row["strength"], 1e-6))}
        for side, reward in rewards.items():
            named = {"pair_id": row["pair_id"], "weight": viewed.weights[row["pair_id"]]}
            line = {"audio_filepath": paths[side], **said, "reward": reward, **named}
            files.add_line(f"{row['split']}_manifest.json", _json(line))
    return {}


def _write_kto(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    """Call a recording good that only ever won, and bad that only ever lost; leave out others."""
    labels: dict[str, bool | None] = {}
    for row in _pairs(viewed, PAIR_AUDIO):
        for side, label in (("chosen", True), ("rejected", False)):
            name = _name_of(row, side)
            labels[name] = label if labels.get(name, label) is label else None
    told: set[str] = set()
    for row in _pairs(viewed):
        paths = _write_sides(row, files)
        for side in ("chosen", "rejected"):
            name = _name_of(row, side)
            if labels[name] is not None and name not in told:
                line = {"prompt": paths["degraded"], "completion": paths[side], "label": labels[name]}
                files.add_line(f"{row['split']}.jsonl", _json(line))
            told.add(name)
    both = sum(label is None for label in labels.values())
    return {"recordings that are chosen in one pair and rejected in another": both} if both else {}


def _write_lhotse(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    for row in _pairs(viewed):
        cut = lhotse_cut_of(row, _write_sides(row, files), viewed.weights[row["pair_id"]], viewed.out)
        files.add_line(f"{row['split']}_cuts.jsonl", _json(cut))
    return {}


def _write_espnet(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    """Kaldi's files of each split; a score file has the samples that have the score."""
    names: dict[str, str] = {}
    samples: dict[str, int] = {}
    for split, row in _candidates(viewed.dataset):
        utterance = _kaldi_name(row["degraded_id"])
        if names.setdefault(utterance, row["degraded_id"]) != row["degraded_id"]:
            raise UserError(f"{names[utterance]} and {row['degraded_id']} would both be called {utterance}")
        path = f"{viewed.out}/{files.add_audio(_recording_name(row), row['audio']['bytes'])}"
        if row["kind"] != "restored":
            files.add_line(f"{split}/{row['kind']}.scp", f"{utterance} {path}")
            continue
        number = samples[utterance] = samples.get(utterance, -1) + 1
        key = f"{utterance}{_SAMPLES_IN_NAMES}{number}"
        files.add_line(f"{split}/wav.scp", f"{key} {path}")
        if number == 0:
            files.add_line(f"{split}/text", f"{utterance} {' '.join((row['transcript'] or '').split())}")
            files.add_line(f"{split}/utt2spk", f"{utterance} {_kaldi_name(row['speaker'] or utterance)}")
        for score in _scores_in(viewed.dataset):
            if row[score] is not None:
                files.add_line(f"{split}/scores/{score}.txt", _json({"key": key, score: row[score]}))
    return {}


def _write_ranked(viewed: _Viewed, files: ViewFiles) -> Mapping[str, int]:
    unranked = 0
    for split, rows in _by_input(viewed.dataset):
        paths = {
            _recording_name(row): files.add_audio(_recording_name(row), row["audio"]["bytes"]) for row in rows
        }
        restored = [row for row in rows if row["kind"] == "restored"]
        found: Layers = layers_of(restored, viewed.dataset.description)
        unranked += found.num_unranked
        layers = [[_ranked(restored[place], paths) for place in layer] for layer in found.layers]
        line = {
            "degraded_id": rows[0]["degraded_id"],
            "degraded": next(
                (paths[_recording_name(row)] for row in rows if row["kind"] == "degraded"), None
            ),
            "clean": next((paths[_recording_name(row)] for row in rows if row["kind"] == "clean"), None),
            "transcript": rows[0]["transcript"],
            "is_total": all(len(layer) == 1 for layer in layers),
            "layers": layers,
        }
        files.add_line(f"{split}.jsonl", _json(line))
    return {"candidates without every vote, or that a veto refuses": unranked} if unranked else {}


OF_CANDIDATES = frozenset({"espnet", "ranked"})
DATASET_VIEWS: Mapping[str, Write] = {
    "jsonl": _write_jsonl,
    "nemo": _write_nemo,
    "espnet": _write_espnet,
    "kto": _write_kto,
    "lhotse": _write_lhotse,
    "ranked": _write_ranked,
}


def _pairs(viewed: _Viewed, without: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Walk the pairs that are kept; ``without`` names audio columns that are not read."""
    for _, file in viewed.dataset.walk_parts("pairs"):
        columns = [field.name for field in file.schema_arrow if field.name not in without]
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, columns=columns, use_threads=False).to_pylist():
                if row["pair_id"] in viewed.weights:
                    yield row


def _candidates(dataset: Dataset) -> Iterator[tuple[str, DatasetRow]]:
    """Walk the candidates that have audio."""
    table: DatasetTable = "candidates"
    if not dataset.description.tables.get(table):
        raise UserError(
            f"{dataset.files} has no 'candidates', which this view is of; write it with "
            "--set export.beside_pairs=[candidates,scores]"
        )
    for split, file in dataset.walk_parts(table):
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, use_threads=False).to_pylist():
                if row["audio"] is not None:
                    yield str(split), row


def _by_input(dataset: Dataset) -> Iterator[tuple[str, list[DatasetRow]]]:
    """Walk the candidates of each input; they lie beside one another."""
    rows: list[DatasetRow] = []
    side = ""
    for split, row in _candidates(dataset):
        if rows and row["degraded_id"] != rows[0]["degraded_id"]:
            yield side, rows
            rows = []
        side = split
        rows.append(row)
    if rows:
        yield side, rows


def _write_sides(row: DatasetRow, files: ViewFiles) -> dict[str, str | None]:
    cells = {side: row[side] for side in PAIR_AUDIO}
    return {
        side: None if cell is None else files.add_audio(_name_of(row, side), cell["bytes"])
        for side, cell in cells.items()
    }


def _name_of(row: DatasetRow, side: str) -> str:
    """Return what a side of a pair is called: the same recording has one name in all pairs and views."""
    if side in {"degraded", "clean"}:
        return f"{_file_name(row['degraded_id'])}/{side}"
    return f"{_file_name(row['degraded_id'])}/{_file_name(row[f'{side}_model'])}-{row[f'{side}_take']}"


def _recording_name(row: DatasetRow) -> str:
    last = row["kind"] if row["kind"] != "restored" else f"{_file_name(row['model'])}-{row['take']}"
    return f"{_file_name(row['degraded_id'])}/{last}"


def _file_name(name: str) -> str:
    """Return a name as one part of a path; different names stay different."""
    kept = (char if char.isalnum() or char in "-_.@:~" else f"%{ord(char):02x}" for char in name)
    return "".join(kept).replace("..", "%2e%2e")


def _kaldi_name(name: str) -> str:
    """Return a name without what ends one in Kaldi's files, or is cut off by ESPnet."""
    return "_".join(name.replace("/", "_").split()).replace(_SAMPLES_IN_NAMES, "_Sample")


def _scores_in(dataset: Dataset) -> Sequence[str]:
    return [score.name for score in dataset.description.scores]


def _ranked(row: DatasetRow, paths: Mapping[str, str]) -> dict[str, Any]:
    return {"path": paths[_recording_name(row)], "model": row["model"], "take": row["take"]}


def _json(value: Mapping[str, Any]) -> str:
    kept = {key: cell for key, cell in value.items() if not (isinstance(cell, dict) and "bytes" in cell)}
    return json.dumps(kept, ensure_ascii=False)


def _describe(
    dataset: Dataset, view: str, files: ViewFiles, coverage: tuple[Coverage, Coverage] | None
) -> str:
    said = dataset.description
    listed = "\n".join(f"- `{name}`: {number:,} lines" for name, number in files.lines.items())
    if coverage is not None:
        listed += f"\n\nSelected: {coverage[1]}; of {coverage[0]}."
    return f"""# {said.name} as {view}

A view of the dataset {said.name} (key {said.key}), with {files.num_recordings:,} recordings as FLAC of
{said.audio_bits} bits. The most restrictive licence in it: {said.licence}.

{listed}
"""
