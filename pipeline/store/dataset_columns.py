"""The columns of a dataset's three tables, and what ``datasets`` has to know of them.

``pairs`` is what one trains on. ``candidates`` holds each recording once, with all scores, so that others can
decide anew: of every degraded utterance the degraded side, the clean side, and all takes of all models.
``scores`` is ``candidates`` without audio and recipes. Rows of the three meet in ``degraded_id``, ``model``
and ``take``.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import pyarrow as pa

from schemas import ConfigError

DatasetTable = Literal["pairs", "candidates", "scores"]
TABLES: tuple[DatasetTable, ...] = ("pairs", "candidates", "scores")
PAIR_SIDES = ("chosen", "rejected")
MARGIN = "margin"
TEXT, INTEGER, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
CODE = pa.int16()
AUDIO = pa.struct([("bytes", pa.binary()), ("path", TEXT)])
"""FLAC, as the ``Audio`` feature of ``datasets`` keeps it."""
STEPS = pa.list_(
    pa.struct([("kind", TEXT), ("version", INTEGER), ("params", TEXT), ("facts", TEXT), ("is_applied", FLAG)])
)
"""The steps of a recipe: parameters and what was measured as JSON, and whether the speech changed."""
LICENCES = pa.list_(pa.struct([("part", TEXT), ("name", TEXT), ("licence", TEXT)]))
"""What went into a row, each part under its licence: speech, recordings of pools, networks."""
MISSING = pa.list_(pa.struct([("score", TEXT), ("status", TEXT), ("reason", TEXT), ("detail", TEXT)]))
"""Scores that are not there, and why."""

T = TypeVar("T")
Columns = Mapping[str, pa.DataType]
UTTERANCE: Columns = {
    "degraded_id": TEXT,
    "utterance_id": TEXT,
    "source_id": TEXT,
    "corpus": TEXT,
    "repeat": INTEGER,
    "split": TEXT,
    "speaker": TEXT,
    "transcript": TEXT,
    "language": TEXT,
    "sample_rate": INTEGER,
    "duration_s": NUMBER,
    "bandwidth_hz": NUMBER,
    "degradations": pa.list_(TEXT),
    "degradation_steps": STEPS,
    "recipe": TEXT,
    "joint_gain_db": NUMBER,
    "residual_lag_samples": INTEGER,
}
"""What is said of a degraded utterance. ``degradations`` are the kinds of those steps that changed it."""
TERMS: Columns = {"licence": TEXT, "licences": LICENCES, "row_licence": TEXT}
"""Of the speech, of all that went into the row, and the most restrictive of them."""
TAKE: Columns = {
    "model": TEXT,
    "take": INTEGER,
    "settings": TEXT,
    "lag_samples": INTEGER,
    "length_change_s": NUMBER,
    "level_gain_db": NUMBER,
    "peak_gain_db": NUMBER,
    "confidence": NUMBER,
    "digest": TEXT,
    "same_audio_as": pa.list_(TEXT),
}
"""What is said of one take. ``lag_samples`` was measured and removed; ``length_change_s`` is by how much
longer its model made it, before it was fitted; ``level_gain_db`` brought it to the level of its input,
``peak_gain_db`` under full scale. ``confidence`` is what its model says of it. ``digest`` is the SHA-256 of
rate and samples;
``same_audio_as`` names the candidates of other models that came out the same, as ``model/take``: together
they are one candidate, the first of them."""
ROUND: Columns = {"round": INTEGER, "round_parent": TEXT}
"""What a dataset that is one of several rounds says of each row: its number, and which one was before."""
MODEL_OF_ROUND: Columns = {"model_fingerprint": TEXT, "model_round": INTEGER, "is_stale": FLAG}
"""What it says of one take: its model, the round in which that came in, and whether it is an old policy's."""
OUTCOME: Columns = {"status": TEXT, "reason": TEXT, "detail": TEXT}
_WHY_MISSING: Columns = {"missing_scores": MISSING}
MEANINGS: Mapping[str, str] = {
    "degraded_id": "one damaged version, number `repeat`, of the stretch of speech `utterance_id`, which is "
    "from the recording `source_id` of `corpus`",
    "split": "the split of the speaker, or of the recording where nobody says who speaks",
    "speaker transcript language licence": "of the speech, as its corpus states them, or null",
    "sample_rate duration_s": "of all sides",
    "bandwidth_hz": "the highest frequency that carries signal in the speech",
    "degradations": "what changed the speech, by kind: the steps that changed the signal by more than −90 dB",
    "degradation_steps": "parameters and measured facts of each step, as JSON",
    "recipe": "all that was drawn, as JSON; not in `scores`",
    "joint_gain_db": "the gain that was applied to degraded and clean alike",
    "residual_lag_samples": "by how much the degraded side is later than the clean one",
    "licences": "what went into the row, each part under its licence",
    "row_licence": "the most restrictive of them",
    "…_model …_take …_settings": "who restored, which of several outputs it is, and what was drawn for it, "
    "as JSON",
    "…_lag_samples": "the delay of the model, which was measured and removed",
    "…_length_change_s": "by how much longer (under 0: shorter) the model's output was than its input, "
    "before it was fitted",
    "…_level_gain_db …_peak_gain_db": "the gains that were applied to the side",
    "…_confidence": "how sure the model is of it, on a scale of its own on which more is surer; null where "
    "it does not say",
    "…_digest": "the SHA-256 of rate and samples, whatever wrote the FLAC",
    "…_same_audio_as": "other candidates that came out the same, sample for sample, as `model/take`: "
    "together they are one candidate, the first of them",
    "…_missing_scores": "why scores are not there",
}
"""What columns hold, by their names; of one side of a pair, ``…_`` is ``chosen_`` or ``rejected_``."""
MEANINGS_OF_ROUNDS: Mapping[str, str] = {
    "round round_parent": "which round it is, the first being 0, and the `key` in `unanimous.json` of the "
    "dataset of the round before",
    "…_model_fingerprint": "sixteen hex digits of the model: kind, version, settings and weights",
    "…_model_round": "the first of the rounds that had this very model",
    "…_is_stale": "whether the model is a policy, which is trained between rounds, as it was two rounds ago "
    "or earlier",
}
"""What the columns hold that only a dataset of several rounds has."""
MEANINGS_IN_PAIRS: Mapping[str, str] = {
    "pair_id": "the name of the pair; it begins with the `degraded_id`",
    "degraded chosen rejected clean": "mono FLAC; the chosen and the rejected one are restorations of the "
    "degraded one",
    "chosen_X rejected_X margin_X": "for every score X: what each side got, and by how much the chosen one "
    "is better, whichever way X improves; null where there is no score",
    "strength": "the narrowest vote, in units of each criterion's scale",
}
MEANINGS_IN_CANDIDATES: Mapping[str, str] = {
    "candidate_id": "the name of the recording",
    "kind": "`degraded`, `clean` or `restored`",
    "audio": "mono FLAC; each take is there once; not in `scores`",
    "status reason detail": "why a take came to nothing; such takes are there too",
    "X": "every score, by its name",
}
HEAVY_COLUMNS = ("audio", "recipe")
"""Columns of ``candidates`` that ``scores`` does without."""


def columns_of(table: DatasetTable, scores: Sequence[str], *, has_round: bool = False) -> Columns:
    """Return the columns of a table over the named scores. Raises ``ConfigError`` if two have one name.

    ``has_round`` says that the dataset is one of several rounds.
    """
    columns = {"pairs": _pairs, "candidates": _candidates, "scores": _scores}[table](scores)
    if has_round:
        sides = [columns_of_side(side, MODEL_OF_ROUND) for side in PAIR_SIDES]
        columns += [*ROUND.items()]
        columns += [
            item for side in (sides if table == "pairs" else [MODEL_OF_ROUND]) for item in side.items()
        ]
    taken = [name for name, number in Counter(name for name, _ in columns).items() if number > 1]
    if taken:
        raise ConfigError(
            f"a score would take the place of the column {', '.join(taken)} of {table!r}; give its metric "
            "another 'name'"
        )
    return dict(columns)


def columns_of_side(side: str, columns: Mapping[str, T]) -> dict[str, T]:
    """Return what there is of one side of a pair, or of its ``MARGIN``, by the columns of ``pairs``."""
    return {f"{side}_{name}": value for name, value in columns.items()}


def is_column(name: str) -> bool:
    """Whether datasets have a column of this name, whatever their scores are called."""
    return name in columns_of("candidates", (), has_round=True)


def table_schema_of(
    table: DatasetTable,
    scores: Sequence[str],
    sample_rate: int | None,
    about: Mapping[str, Any],
    *,
    has_round: bool = False,
) -> pa.Schema:
    """Return the Arrow schema of a table, with its features and what ``about`` says of scores and models.

    ``sample_rate`` is that of all audio in Hz, None if recordings keep their own; ``has_round`` as in
    ``columns_of``.
    """
    return columns_schema_of(columns_of(table, scores, has_round=has_round), sample_rate, about)


def columns_schema_of(columns: Columns, sample_rate: int | None, about: Mapping[str, Any]) -> pa.Schema:
    """Return the Arrow schema of columns, with their features and what ``about`` says."""
    metadata = {
        "huggingface": json.dumps({"info": {"features": features_of(columns, sample_rate)}}),
        "unanimous": json.dumps(about, sort_keys=True),
    }
    return pa.schema(columns.items(), metadata=metadata)


def features_of(columns: Columns, sample_rate: int | None) -> dict[str, Any]:
    """Return the columns as ``datasets.Features.from_dict`` reads them."""
    return {name: _feature(kind, sample_rate) for name, kind in columns.items()}


_NamedTypes = list[tuple[str, pa.DataType]]


def _pairs(scores: Sequence[str]) -> _NamedTypes:
    numbers = dict.fromkeys(scores, NUMBER)
    return [
        ("pair_id", TEXT),
        *((name, AUDIO) for name in ("degraded", *PAIR_SIDES, "clean")),
        *UTTERANCE.items(),
        *TERMS.items(),
        ("degraded_digest", TEXT),
        ("clean_digest", TEXT),
        *(column for side in PAIR_SIDES for column in columns_of_side(side, TAKE).items()),
        ("strength", NUMBER),
        *(column for side in (*PAIR_SIDES, MARGIN) for column in columns_of_side(side, numbers).items()),
        *(column for side in PAIR_SIDES for column in columns_of_side(side, _WHY_MISSING).items()),
    ]


def _candidates(scores: Sequence[str]) -> _NamedTypes:
    return [
        ("candidate_id", TEXT),
        ("kind", TEXT),
        ("audio", AUDIO),
        *OUTCOME.items(),
        *UTTERANCE.items(),
        *TERMS.items(),
        *TAKE.items(),
        *((score, NUMBER) for score in scores),
        *_WHY_MISSING.items(),
    ]


def _scores(scores: Sequence[str]) -> _NamedTypes:
    return [(name, kind) for name, kind in _candidates(scores) if name not in HEAVY_COLUMNS]


def _feature(kind: pa.DataType, sample_rate: int | None) -> Any:
    if kind == AUDIO:
        rate = {} if sample_rate is None else {"sampling_rate": sample_rate}
        return {**rate, "_type": "Audio"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type, sample_rate), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type, sample_rate) for field in kind}
    dtype = {TEXT: "string", INTEGER: "int64", NUMBER: "float64", FLAG: "bool", CODE: "int16"}[kind]
    return {"dtype": dtype, "_type": "Value"}
