"""A dataset's pairs as codes of a codec, for models that speak in tokens."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.dataset.background import Background
from pipeline.dataset.card import licence_text_of
from pipeline.dataset.card_front_matter import Front
from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.dataset.writer import FileLimits, SplitFiles, TableWriter
from pipeline.operations.token_text import text_of, walk_token_names
from pipeline.store.dataset_columns import CODE, INTEGER, NUMBER, TEXT, Columns, features_of
from pipeline.store.dataset_files import LICENCE_FILE, DatasetFiles
from schemas import Digest, Record, Split, UserError
from stages.audio.flac import decode_flac_bytes
from stages.audio.waveform import Waveform

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
_TEXT_SIDES = {"prompt": "degraded", "chosen": "chosen", "rejected": "rejected"}
"""What trainers of language models call the sides."""
_TEXT_COLUMNS: Columns = {**KEPT, "num_frames": INTEGER, **dict.fromkeys(_TEXT_SIDES, TEXT)}
TokenForm = Literal["codes", "text"]
_NEEDS_INPUT = """
Codes are gains of bands around what a network estimates of the degraded recording, and mean nothing without
it: the row of the dataset with the same `pair_id` has it.
"""
CUT = FileLimits(file_mb=500, row_group_mb=100)


DAC = "a DAC"
OWN_CODEC = "this project's gains around the estimate of the degraded side"


class SideTokenizer(Protocol):
    """What codes are of: a codec that hears each side by itself, or around the degraded one."""

    @property
    def sample_rate(self) -> int:
        """What it hears, in Hz."""
        ...

    @property
    def hop_samples(self) -> int:
        """Samples for each frame."""
        ...

    @property
    def num_codebooks(self) -> int:
        """Codes of each frame."""
        ...

    @property
    def codebook_size(self) -> int:
        """How many codes a codebook has."""
        ...

    def codes_of_sides(self, sides: Mapping[str, Waveform]) -> Mapping[str, NDArray[np.int16]]:
        """Return the codes (codebooks, frames) of all sides of a pair by their names."""
        ...


def _is_dac(value: object) -> bool:
    """Whether it is left out where codecs are described: files of a DAC's codes never said it."""
    return value == DAC


class CodecFacts(Record):
    """Which codec the codes are of."""

    codes_of: str = Field(default=DAC, exclude_if=_is_dac)
    sha256: Digest
    """Of its weights."""
    sample_rate: int
    hop_samples: int
    num_codebooks: int
    codebook_size: int


def codec_facts_of(tokenizer: SideTokenizer, digest: Digest, codes_of: str = DAC) -> CodecFacts:
    """Return what readers have to know to make speech of the codes."""
    return CodecFacts(
        codes_of=codes_of,
        sha256=digest,
        sample_rate=tokenizer.sample_rate,
        hop_samples=tokenizer.hop_samples,
        num_codebooks=tokenizer.num_codebooks,
        codebook_size=tokenizer.codebook_size,
    )


def write_tokens(
    dataset: Dataset, tokenizer: SideTokenizer, codec: CodecFacts, out: Path, form: TokenForm = "codes"
) -> Mapping[Split, SplitFiles]:
    """Write the pairs of ``dataset`` as codes to the folder ``out``, whole or not at all.

    Each side is a list of codebooks, each a list of codes, one per frame; as ``text``, the degraded side is
    the ``prompt``, and sides are text tokens, all of which are in ``vocabulary.txt``. Raises ``UserError`` if
    ``out`` is there already.
    """
    written = DatasetFiles(out)
    if written.is_taken:
        raise UserError(f"{out} is there already; choose another --out, or remove it")
    with written.replaced() as draft:
        files = _write_rows(dataset, tokenizer, codec, draft.folder, form)
        draft.write("README.md", _write_card(dataset, codec, files, form))
        if (terms := licence_text_of(dataset.description)) is not None:
            draft.write(LICENCE_FILE, terms)
        if form == "text":
            names = walk_token_names(codec.num_codebooks, codec.codebook_size)
            draft.write("vocabulary.txt", "".join(f"{name}\n" for name in names))
    return files


def _write_rows(
    dataset: Dataset, tokenizer: SideTokenizer, codec: CodecFacts, folder: Path, form: TokenForm
) -> Mapping[Split, SplitFiles]:
    with Background() as background:
        writer = TableWriter(folder / "tokens", _schema(dataset, codec, form), CUT, background)
        for row in dataset.pairs(range(dataset.num_pairs), columns=[*KEPT, *TOKEN_SIDES]):
            encoded = _encode_row(row, tokenizer)
            writer.add(encoded if form == "codes" else _as_text(encoded))
        writer.finish()
        return writer.close()


def _encode_row(row: DatasetRow, tokenizer: SideTokenizer) -> dict[str, Any]:
    codes = tokenizer.codes_of_sides({side: decode_flac_bytes(row[side]["bytes"]) for side in TOKEN_SIDES})
    kept = {name: row[name] for name in KEPT}
    listed = {side: each.tolist() for side, each in codes.items()}
    return {**kept, "num_frames": codes["chosen"].shape[1], **listed}


def _as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    sides = {name: text_of(row[side]) for name, side in _TEXT_SIDES.items()}
    return {name: cell for name, cell in row.items() if name not in TOKEN_SIDES} | sides


def _columns_of(form: TokenForm) -> Columns:
    return _COLUMNS if form == "codes" else _TEXT_COLUMNS


def _schema(dataset: Dataset, codec: CodecFacts, form: TokenForm) -> pa.Schema:
    about = {
        "codec": codec.model_dump(),
        "dataset": dataset.description.name,
        "dataset_key": dataset.description.key,
    }
    metadata = {
        "huggingface": json.dumps({"info": {"features": features_of(_columns_of(form), None)}}),
        "unanimous": json.dumps(about, sort_keys=True),
    }
    return pa.schema(_columns_of(form).items(), metadata=metadata)


def _write_card(
    dataset: Dataset, codec: CodecFacts, files: Mapping[Split, SplitFiles], form: TokenForm
) -> str:
    said = dataset.description
    front = Front(
        name=f"{said.name} as tokens",
        content=f"Unanimous, key {said.key}, codec {codec.sha256}, {codec.num_codebooks} codebooks",
        languages=said.languages,
        licence=said.licence,
        corpora=[source.name for source in said.sources if source.part == "speech"],
        tables={"tokens": files},
        features={"tokens": features_of(_columns_of(form), None)},
    )
    sides = "`degraded`, `chosen`,\n`rejected` and `clean`"
    shape = f"{codec.num_codebooks} lists of `num_frames` codes under {codec.codebook_size}"
    if form == "text":
        sides = "`prompt` (the degraded\nside), `chosen` and `rejected`"
        shape = f"text: `num_frames` times {codec.num_codebooks} tokens of vocabulary.txt"
    return f"""---
{str(front).strip()}
---

# {said.name} as tokens

The pairs of the dataset {said.name} (key {said.key}) as codes of {codec.codes_of}: {sides} are {shape},
one frame for {codec.hop_samples} samples at {codec.sample_rate} Hz. Scores, recipes and audio are in that
dataset, in the row with the same `pair_id`. Each row is under its `row_licence`.

Weights of the codec: SHA-256 {codec.sha256}.
{_NEEDS_INPUT if codec.codes_of == OWN_CODEC else ""}"""
