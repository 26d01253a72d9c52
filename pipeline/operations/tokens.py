"""A dataset's pairs as codes of a DAC, for models that speak in tokens."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.dataset.background import Background
from pipeline.dataset.card_front_matter import Front
from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.dataset.writer import FileLimits, SplitFiles, TableWriter
from pipeline.store.dataset_columns import CODE, INTEGER, NUMBER, TEXT, Columns, features_of
from pipeline.store.dataset_files import DatasetFiles
from schemas import Digest, Record, Split, UserError
from stages.audio.flac import decode_flac_bytes
from stages.networks.codec_tokens import Tokenizer

TOKEN_SIDES = ("degraded", "chosen", "rejected", "clean")
CODES = pa.list_(pa.list_(CODE))
KEPT: Columns = {
    "pair_id": TEXT,
    "degraded_id": TEXT,
    "split": TEXT,
    "speaker": TEXT,
    "transcript": TEXT,
    "language": TEXT,
    "row_licence": TEXT,
    "strength": NUMBER,
}
"""Columns of ``pairs`` that come along; all others are found there by ``pair_id``."""
_COLUMNS: Columns = {**KEPT, "num_frames": INTEGER, **dict.fromkeys(TOKEN_SIDES, CODES)}
CUT = FileLimits(file_mb=500, row_group_mb=100)


class CodecFacts(Record):
    """Which codec the codes are of."""

    sha256: Digest
    """Of its weights."""
    sample_rate: int
    hop_samples: int
    num_codebooks: int
    codebook_size: int


def codec_facts_of(tokenizer: Tokenizer, digest: Digest) -> CodecFacts:
    """Return what readers have to know to make speech of the codes."""
    known = {name: getattr(tokenizer, name) for name in CodecFacts.model_fields if name != "sha256"}
    return CodecFacts(sha256=digest, **known)


def write_tokens(
    dataset: Dataset, tokenizer: Tokenizer, codec: CodecFacts, out: Path
) -> Mapping[Split, SplitFiles]:
    """Write the pairs of ``dataset`` as codes to the folder ``out``, whole or not at all.

    Each side is a list of codebooks, each a list of codes, one per frame. Raises ``UserError`` if ``out``
    is there already.
    """
    written = DatasetFiles(out)
    if written.is_taken:
        raise UserError(f"{out} is there already; choose another --out, or remove it")
    with written.replaced() as draft:
        files = _write_rows(dataset, tokenizer, codec, draft.folder)
        draft.write("README.md", _write_card(dataset, codec, files))
    return files


def _write_rows(
    dataset: Dataset, tokenizer: Tokenizer, codec: CodecFacts, folder: Path
) -> Mapping[Split, SplitFiles]:
    with Background() as background:
        writer = TableWriter(folder / "tokens", _schema(dataset, codec), CUT, background)
        for row in dataset.pairs(range(dataset.num_pairs), columns=[*KEPT, *TOKEN_SIDES]):
            writer.add(_encode_row(row, tokenizer))
        writer.finish()
        return writer.close()


def _encode_row(row: DatasetRow, tokenizer: Tokenizer) -> dict[str, Any]:
    codes = {side: tokenizer.codes(decode_flac_bytes(row[side]["bytes"])) for side in TOKEN_SIDES}
    kept = {name: row[name] for name in KEPT}
    listed = {side: each.tolist() for side, each in codes.items()}
    return {**kept, "num_frames": codes["chosen"].shape[1], **listed}


def _schema(dataset: Dataset, codec: CodecFacts) -> pa.Schema:
    about = {
        "codec": codec.model_dump(),
        "dataset": dataset.description.name,
        "dataset_key": dataset.description.key,
    }
    metadata = {
        "huggingface": json.dumps({"info": {"features": features_of(_COLUMNS, None)}}),
        "unanimous": json.dumps(about, sort_keys=True),
    }
    return pa.schema(_COLUMNS.items(), metadata=metadata)


def _write_card(dataset: Dataset, codec: CodecFacts, files: Mapping[Split, SplitFiles]) -> str:
    said = dataset.description
    front = Front(
        name=f"{said.name} as tokens",
        content=f"Unanimous, key {said.key}, codec {codec.sha256}, {codec.num_codebooks} codebooks",
        languages=said.languages,
        licence=said.licence,
        tables={"tokens": files},
        features={"tokens": features_of(_COLUMNS, None)},
    )
    return f"""---
{str(front).strip()}
---

# {said.name} as tokens

The pairs of the dataset {said.name} (key {said.key}) as codes of a DAC: `degraded`, `chosen`,
`rejected` and `clean` are {codec.num_codebooks} lists of `num_frames` codes under {codec.codebook_size},
one frame for {codec.hop_samples} samples at {codec.sample_rate} Hz. Scores, recipes and audio are in that
dataset, in the row with the same `pair_id`. Each row is under its `row_licence`.

Weights of the codec: SHA-256 {codec.sha256}.
"""
