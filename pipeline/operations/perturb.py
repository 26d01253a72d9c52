"""Perturbed negatives: pairs whose rejected side is the chosen one, damaged (INTP, arXiv 2505.04113).

They are a dataset of their own, marked by ``origin``: nothing mixes them among pairs of restorations.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.config.damage import ResolvedDamage
from pipeline.dataset.background import Background
from pipeline.dataset.card import licence_text_of
from pipeline.dataset.card_front_matter import Front
from pipeline.dataset.card_tables import describe_chain
from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.dataset.writer import FileLimits, SplitFiles, TableWriter
from pipeline.operations.perturbing import Damaged, Perturber, objection_to
from pipeline.panel.panel import Panel
from pipeline.store.dataset_columns import (
    AUDIO,
    MARGIN,
    MISSING,
    NUMBER,
    PAIR_SIDES,
    STEPS,
    TERMS,
    TEXT,
    UTTERANCE,
    Columns,
    columns_of_side,
    features_of,
)
from pipeline.store.dataset_files import LICENCE_FILE, DatasetFiles
from schemas import Score, Split, UserError
from stages.audio.flac import decode_flac_bytes, encode_flac, round_to_bits
from stages.operators.metric import Better
from stages.runtime.attempt import attempt

PERTURBED = "perturbed"
"""The ``origin`` of such pairs."""
_OF_INPUT = (
    *("degraded_id", "utterance_id", "source_id", "corpus", "repeat", "split", "speaker", "transcript"),
    *("language", "sample_rate", "duration_s", "bandwidth_hz"),
)
_AUDIO_SIDES = ("degraded", "chosen", "rejected", "clean")
_OF_CHOSEN: Columns = {"chosen_model": TEXT, "chosen_take": UTTERANCE["repeat"], "chosen_digest": TEXT}
_READ = (*("pair_id", "degraded", "chosen", "clean", *_OF_INPUT, *TERMS, *_OF_CHOSEN),)
_CUT = FileLimits(file_mb=500, row_group_mb=32)
_SCORED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class PerturbedFiles:
    """What was written."""

    files: Mapping[Split, SplitFiles]
    left_out: Mapping[str, int]
    """Chosen sides that gave no pair, by the reason."""

    @property
    def num_pairs(self) -> int:
        """How many pairs were written."""
        return sum(each.rows for each in self.files.values())


def write_perturbed(
    dataset: Dataset, damage: ResolvedDamage, out: Path, seed: int = 0, panel: Panel | None = None
) -> PerturbedFiles:
    """Write a pair for each chosen side of ``dataset`` to the folder ``out``, whole or not at all.

    With a panel both sides are scored, and only those pairs are kept in which every vote of it prefers the
    undamaged side beyond its margin. Raises ``UserError`` if ``out`` is there already.
    """
    written = DatasetFiles(out.absolute())
    if written.is_taken:
        raise UserError(f"{out} is there already; choose another --out, or remove it")
    written.make_parent()
    left_out: Counter[str] = Counter()
    columns = _columns_of(panel)
    with written.replaced() as draft:
        with Background() as background:
            schema = _schema_of(columns, _describe_origin(dataset, damage, seed, panel))
            writer = TableWriter(draft.folder / "pairs", schema, _CUT, background)
            for row in _PerturbedRows(dataset, Perturber(damage.chain, seed), panel, left_out).walk():
                writer.add(row)
            writer.finish()
            files = writer.close()
        draft.write("README.md", _card_of(dataset, damage, files, columns, seed))
        if (terms := licence_text_of(dataset.description)) is not None:
            draft.write(LICENCE_FILE, terms)
    return PerturbedFiles(files, dict(left_out))


class _PerturbedRows:
    """Turns pairs of a dataset into pairs with a damaged side, and counts what gives none."""

    def __init__(
        self, dataset: Dataset, perturber: Perturber, panel: Panel | None, left_out: Counter[str]
    ) -> None:
        self._dataset, self._perturber, self._panel = dataset, perturber, panel
        self._left_out = left_out

    def walk(self) -> Iterator[dict[str, Any]]:
        """Walk the rows, in the order of the dataset's pairs; a recording that was chosen twice gives one."""
        held: list[tuple[DatasetRow, Damaged]] = []
        for row in self._chosen_once():
            tried = attempt(f"perturbing {row['pair_id']}", partial(self._perturber.damage, row))
            if tried.value is None:
                self._left_out[f"{tried.outcome.reason}: {tried.outcome.detail}"] += 1
                continue
            held.append((row, tried.value))
            if len(held) == _SCORED_AT_ONCE:
                yield from self._scored(held)
                held = []
        yield from self._scored(held)

    def _chosen_once(self) -> Iterator[DatasetRow]:
        seen: set[tuple[str, str]] = set()
        for row in self._dataset.pairs(range(self._dataset.num_pairs), columns=list(_READ)):
            name = row["degraded_id"], row["chosen_digest"]
            if name not in seen:
                seen.add(name)
                yield row

    def _scored(self, held: Sequence[tuple[DatasetRow, Damaged]]) -> Iterator[dict[str, Any]]:
        bits = self._dataset.description.audio_bits
        encoded = [round_to_bits(encode_flac(damaged.rejected), bits=bits) for _, damaged in held]
        rows = [
            _row_of(row, damaged, audio.flac, audio.digest)
            for (row, damaged), audio in zip(held, encoded, strict=True)
        ]
        if self._panel is None or not held:
            yield from rows
            return
        scores = _scores_of(self._panel, rows)
        outputs = {name: output.better for name, output in self._panel.resolved.outputs().items()}
        for row, (chosen, rejected) in zip(rows, scores, strict=True):
            objection = objection_to(self._panel.resolved.criteria, chosen, rejected)
            if objection is not None:
                self._left_out[objection] += 1
                continue
            yield row | _score_columns_of(self._panel, outputs, chosen, rejected)


def _scores_of(
    panel: Panel, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Score], Mapping[str, Score]]]:
    """Walk what the panel says of the chosen and of the rejected side of each row, as they are published."""
    clean = [decode_flac_bytes(row["clean"]["bytes"]) for row in rows]
    texts, tongues = ([row[name] for row in rows] for name in ("transcript", "language"))
    found = [
        panel.score([decode_flac_bytes(row[side]["bytes"]) for row in rows], clean, texts, languages=tongues)
        for side in PAIR_SIDES
    ]
    return zip(found[0].items, found[1].items, strict=True)


def _row_of(row: DatasetRow, damaged: Damaged, flac: bytes, digest: str) -> dict[str, Any]:
    return {
        **{name: cell for name, cell in row.items() if name != "pair_id"},
        "pair_id": f"{row['pair_id']}/{PERTURBED}",
        "origin": PERTURBED,
        "of_pair": row["pair_id"],
        "rejected": {"bytes": flac, "path": f"{row['pair_id'].replace('/', '_')}_{PERTURBED}.flac"},
        "rejected_digest": digest,
        "rejected_level_gain_db": damaged.gain_db,
        "perturbation": [
            {
                "kind": spec.kind,
                "version": spec.version,
                "params": json.dumps(spec.params, sort_keys=True),
                "facts": json.dumps(applied.facts, sort_keys=True),
                "is_applied": applied.is_applied,
            }
            for spec, applied in damaged.steps
        ],
    }


def _score_columns_of(
    panel: Panel, better: Mapping[str, Better], chosen: Mapping[str, Score], rejected: Mapping[str, Score]
) -> dict[str, Any]:
    sides = {
        side: {n: s.value for n, s in of.items()}
        for side, of in zip(PAIR_SIDES, (chosen, rejected), strict=True)
    }
    margins = {
        name: _margin(sides["chosen"][name], sides["rejected"][name], way) for name, way in better.items()
    }
    votes = ((margins[criterion.metric], criterion.scale) for criterion in panel.resolved.criteria)
    strengths = [margin / scale for margin, scale in votes if margin is not None]
    missing = [
        {"score": s.name, "status": s.status.value, "reason": str(s.reason), "detail": s.detail}
        for s in rejected.values()
        if s.value is None
    ]
    return {
        **columns_of_side("chosen", sides["chosen"]),
        **columns_of_side("rejected", sides["rejected"]),
        **columns_of_side(MARGIN, margins),
        "strength": min(strengths, default=None),
        "rejected_missing_scores": missing,
    }


def _margin(chosen: float | None, rejected: float | None, better: Better) -> float | None:
    if chosen is None or rejected is None:
        return None
    return chosen - rejected if better is Better.HIGHER else rejected - chosen


def _columns_of(panel: Panel | None) -> Columns:
    """Return the columns: those of pairs that such ones have too, what was done, and the panel's scores."""
    names = () if panel is None else panel.names
    scores: dict[str, pa.DataType] = {
        name: kind
        for side in (*PAIR_SIDES, MARGIN)
        for name, kind in columns_of_side(side, dict.fromkeys(names, NUMBER)).items()
    }
    return {
        "pair_id": TEXT,
        "origin": TEXT,
        "of_pair": TEXT,
        **dict.fromkeys(_AUDIO_SIDES, AUDIO),
        **{name: UTTERANCE[name] for name in _OF_INPUT},
        **TERMS,
        **_OF_CHOSEN,
        "rejected_digest": TEXT,
        "rejected_level_gain_db": NUMBER,
        "perturbation": STEPS,
        **({} if panel is None else {**scores, "strength": NUMBER, "rejected_missing_scores": MISSING}),
    }


def _describe_origin(
    dataset: Dataset, damage: ResolvedDamage, seed: int, panel: Panel | None
) -> Mapping[str, Any]:
    return {
        "dataset": dataset.description.name,
        "dataset_key": dataset.description.key,
        "chain": [part.described for part in damage.chain],
        "seed": seed,
        "panel": None if panel is None else panel.resolved.config_hash,
    }


def _schema_of(columns: Columns, about: Mapping[str, Any]) -> pa.Schema:
    metadata = {
        "huggingface": json.dumps({"info": {"features": features_of(columns, None)}}),
        "unanimous": json.dumps(about, sort_keys=True),
    }
    return pa.schema(columns.items(), metadata=metadata)


def _card_of(
    dataset: Dataset, damage: ResolvedDamage, files: Mapping[Split, SplitFiles], columns: Columns, seed: int
) -> str:
    said = dataset.description
    digests = [file.sha256 for split in files.values() for file in split.files]
    front = Front(
        name=f"{said.name}, perturbed",
        content=f"Unanimous, key {said.key}, {damage.config.fingerprint}, {' '.join(digests)}",
        languages=said.languages,
        licence=said.licence,
        corpora=[source.name for source in said.sources if source.part == "speech"],
        tables={"pairs": files},
        features={"pairs": features_of(columns, None)},
    )
    chain = describe_chain(part.described for part in damage.chain)
    return f"""---
{str(front).strip()}
---

# {said.name}, perturbed

Pairs whose rejected side no model made: it is the chosen side of a pair of the dataset {said.name} (key
{said.key}), named in `of_pair`, damaged on purpose and brought back to its level. `origin` is
`{PERTURBED}` in every row; `perturbation` has the steps. Whoever mixes them among pairs of restorations
teaches a model to avoid damage that it may never do. Each row is under its `row_licence`.

Drawn with seed {seed} from:

```yaml
{chain}
```
"""
