"""Checkpoints: the whole state of a training in one file, which is there whole or as it was before."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.store.local_files import LocalFiles
from schemas import MissingWeightsError, UserError
from stages.networks.loading import read_checkpoint

Curve = list[dict[str, float]]
"""Errors and scores, a row for each time that something was saved."""
KEPT_CHECKPOINT = "the last checkpoint is whole, and the same command goes on from it"


class SavedTraining:
    """What a training of one part leaves in its folder, beside the weights."""

    def __init__(self, folder: Path, part: str, made_with: Mapping[str, Any]) -> None:
        """``made_with`` is all that a training goes on under, or not at all."""
        self._files = LocalFiles(folder)
        self._name, self._curve_name = f"{part}.checkpoint.pt", f"{part}.losses.json"
        self._path = folder / self._name
        self._made_with = dict(made_with)

    def read(self) -> Mapping[str, Any] | None:
        """Return what was saved last, None if nothing was.

        Raises ``UserError`` if it is of another training, or damaged.
        """
        if self._name not in set(self._files.list()):
            return None
        try:
            found = read_checkpoint(self._path)
        except MissingWeightsError as error:
            raise UserError(f"{error}; remove it to begin again") from error
        if not isinstance(found, Mapping) or not {"trainer", "curve", "hours", "made_with"} <= found.keys():
            raise UserError(f"{self._path} is a checkpoint of something else; give another --out")
        for what, value in self._made_with.items():
            if (before := found["made_with"].get(what)) != value:
                raise UserError(
                    f"{self._path} was made with another {what}: {before}, not {value}; "
                    "give that, or another --out, or remove it to begin again"
                )
        return found

    def save(self, trainer: Mapping[str, Any], curve: Sequence[Mapping[str, float]], hours: float) -> None:
        """Write the state of the trainer and the curve; whoever is killed here finds the last ones whole."""
        content = io.BytesIO()
        state = {"trainer": trainer, "curve": list(curve), "hours": hours, "made_with": self._made_with}
        torch.save(state, content)
        self._files.put(self._name, content.getvalue())
        lines = ",\n".join(json.dumps(row) for row in curve)
        self._files.put(self._curve_name, f"[\n{lines}\n]\n".encode())
