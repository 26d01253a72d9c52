"""A pair as lhotse has it: a cut of the degraded recording, with the other sides and all numbers in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SIDES_BESIDE = ("chosen", "rejected", "clean")


def lhotse_cut_of(
    row: Mapping[str, Any], paths: Mapping[str, str | None], weight: float, folder: Path
) -> dict[str, Any]:
    """Return a ``MonoCut`` as lhotse writes it into ``cuts.jsonl``.

    ``paths`` are those of the sides below ``folder``; lhotse looks paths up from wherever it runs, so they
    are absolute. Chosen, rejected and clean are recordings among the custom fields, which
    ``cut.load_chosen()`` and the like read; scores, margins, models, ``strength`` and ``weight`` are others.
    """
    name, duration_s = row["pair_id"], row["duration_s"]
    recordings = {
        side: _recording_of(f"{name}/{side}", folder / path, row)
        for side, path in paths.items()
        if path is not None
    }
    said = {"text": row["transcript"], "language": row["language"], "speaker": row["speaker"]}
    of_speech = {"id": name, "recording_id": f"{name}/degraded", "start": 0.0, "duration": duration_s}
    return {
        "id": name,
        "start": 0.0,
        "duration": duration_s,
        "channel": 0,
        "supervisions": [{**of_speech, "channel": 0, **_without_nothing(said)}],
        "recording": recordings["degraded"],
        "custom": {
            **{side: recordings[side] for side in _SIDES_BESIDE if side in recordings},
            **_without_nothing({key: value for key, value in row.items() if _is_told(key, value)}),
            "weight": weight,
        },
        "type": "MonoCut",
    }


def _recording_of(name: str, path: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    rate = row["sample_rate"]
    return {
        "id": name,
        "sources": [{"type": "file", "channels": [0], "source": str(path)}],
        "sampling_rate": rate,
        "num_samples": round(row["duration_s"] * rate),
        "duration": row["duration_s"],
        "channel_ids": [0],
    }


def _is_told(column: str, value: Any) -> bool:
    """Whether a column is a custom field: names and numbers, but for what the cut says itself."""
    return isinstance(value, str | int | float) and column not in {
        "recipe",
        "pair_id",
        "sample_rate",
        "duration_s",
        "transcript",
        "language",
        "speaker",
    }


def _without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
