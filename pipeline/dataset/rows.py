"""What the rows of a dataset say: pairs with both sides, and each recording by itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.dataset.candidates import DegradedUtterance, Restoration
from pipeline.dataset.licences import Licences, LicensedPart, strictest_of
from pipeline.dataset.rounds import RoundColumns
from pipeline.store.dataset_columns import (
    HEAVY_COLUMNS,
    MARGIN,
    PAIR_SIDES,
    UTTERANCE,
    DatasetTable,
    columns_of_side,
)
from schemas import EncodedAudio, OperatorSpec, Outcome, Pair, Recipe, Score
from schemas.rows import CLEAN
from stages.operators.metric import Better

_Row = dict[str, Any]


class Rows:
    """Turns one degraded utterance and all that was made of it into rows."""

    def __init__(
        self, better: Mapping[str, Better], licences: Licences, rounds: RoundColumns | None = None
    ) -> None:
        self._better = better
        self._licences = licences
        self._rounds = rounds

    def of(self, table: DatasetTable, of: DegradedUtterance) -> Iterator[_Row]:
        """Walk the rows of a table that are about one degraded utterance."""
        yield from {"pairs": self._pairs, "candidates": self._candidates, "scores": self._candidate_scores}[
            table
        ](of)

    def _pairs(self, of: DegradedUtterance) -> Iterator[_Row]:
        """Walk the pairs that were kept, the clearest first."""
        if not of.preference.pairs:
            return
        common = self._common(of) | _both_sides(of)
        sources = self._licences.of_recipe(of.recipe)
        for number, pair in enumerate(of.preference.pairs):
            models = self._licences.of_models(dict.fromkeys((pair.chosen_model, pair.rejected_model)))
            row = common | _terms(of.recipe, [*sources, *models]) | self._sides(of, pair)
            yield row | {"pair_id": f"{of.recipe.id}/{number}"}

    def _candidates(self, of: DegradedUtterance) -> Iterator[_Row]:
        """Walk the recordings: degraded, clean, then the takes of each model, also those without audio."""
        common = self._common(of)
        sources = self._licences.of_recipe(of.recipe)
        bare = common | _terms(of.recipe, sources) | outcome_cells_of(of.damage)
        clean = of.restorations.get((CLEAN, 0))
        yield bare | _recording(of, "degraded", of.damage.degraded)
        yield (
            bare | _recording(of, "clean", of.damage.clean) | (self._take_cells_of(clean) if clean else {})
        )
        for restoration in of.restorations.values():
            if restoration is not clean:
                models = self._licences.of_models([restoration.model])
                row = common | _terms(of.recipe, [*sources, *models]) | outcome_cells_of(restoration.take)
                name = f"{restoration.model}/{restoration.take.take}"
                row |= _recording(of, name, restoration.take.audio) | self._take_cells_of(restoration)
                yield row | {"kind": "restored"}

    def _candidate_scores(self, of: DegradedUtterance) -> Iterator[_Row]:
        """Walk the candidates without their audio; the clean reference is one where it was scored."""
        for row in self._candidates(of):
            if "model" in row:
                yield {name: value for name, value in row.items() if name not in HEAVY_COLUMNS}

    def _common(self, of: DegradedUtterance) -> _Row:
        """Return what all rows of a degraded utterance say of it."""
        recipe, damage = of.recipe, of.damage
        steps = [] if not damage.is_ok else list(zip(recipe.steps, damage.applied, strict=True))
        return {
            **recipe.model_dump(include=set(UTTERANCE) - {"recipe"}, mode="json"),
            "degraded_id": recipe.id,
            "duration_s": recipe.duration_s,
            "degradations": [step.kind for _, step in steps if step.is_applied],
            "degradation_steps": [
                _step(spec) | {"facts": _json(step.facts), "is_applied": step.is_applied}
                for spec, step in steps
            ],
            "recipe": recipe.model_dump_json(include={"steps", "sources", "utterance_id", "repeat"}),
            "joint_gain_db": damage.joint_gain_db,
            "residual_lag_samples": damage.residual_lag_samples,
            **({} if self._rounds is None else self._rounds.of_row),
        }

    def _take_cells_of(self, restoration: Restoration) -> _Row:
        """Return what is said of a take, its scores, and the round of its model."""
        of_round = {} if self._rounds is None else self._rounds.of_take(restoration.model)
        return {**take_cells_of(restoration), **of_round}

    def _sides(self, of: DegradedUtterance, pair: Pair) -> _Row:
        chosen = of.restorations[pair.chosen_model, pair.chosen_take]
        rejected = of.restorations[pair.rejected_model, pair.rejected_take]
        row: _Row = {"strength": pair.strength}
        for side, restoration in zip(PAIR_SIDES, (chosen, rejected), strict=True):
            name = f"{of.recipe.id}/{restoration.model}/{restoration.take.take}"
            row[side] = audio_cell_of(restoration.take.audio, name)
            row |= columns_of_side(side, self._take_cells_of(restoration))
        margins = {score: self._margin(score, chosen, rejected) for score in self._better}
        return row | columns_of_side(MARGIN, margins)

    def _margin(self, score: str, chosen: Restoration, rejected: Restoration) -> float | None:
        a, b = (side.scores[score].value for side in (chosen, rejected))
        if a is None or b is None:
            return None
        return a - b if self._better[score] is Better.HIGHER else b - a


def _both_sides(of: DegradedUtterance) -> _Row:
    """Return the two sides that all pairs of a degraded utterance share."""
    row: _Row = {}
    for side, audio in (("degraded", of.damage.degraded), ("clean", of.damage.clean)):
        row[side] = audio_cell_of(audio, f"{of.recipe.id}/{side}")
        row[f"{side}_digest"] = None if audio is None else audio.digest
    return row


def _recording(of: DegradedUtterance, name: str, audio: EncodedAudio | None) -> _Row:
    """Return what a row of ``candidates`` says of its recording."""
    return {
        "candidate_id": f"{of.recipe.id}/{name}",
        "kind": name,
        "audio": audio_cell_of(audio, f"{of.recipe.id}/{name}"),
        "digest": None if audio is None else audio.digest,
    }


def take_cells_of(restoration: Restoration) -> _Row:
    """Return what is said of a take, and its scores."""
    take, scores = restoration.take, restoration.scores.values()
    return {
        "model": restoration.model,
        "take": take.take,
        "settings": _json(take.settings),
        "lag_samples": take.lag_samples,
        "length_change_s": take.length_change_s,
        "level_gain_db": take.level_gain_db,
        "peak_gain_db": None if take.audio is None else take.audio.gain_db,
        "confidence": take.confidence,
        "digest": None if take.audio is None else take.audio.digest,
        "same_audio_as": list(restoration.same_audio_as),
        **{score.name: score.value for score in scores},
        "missing_scores": [_missing(score) for score in scores if score.value is None],
    }


def _terms(recipe: Recipe, parts: Sequence[LicensedPart]) -> _Row:
    listed = [part._asdict() for part in parts]
    return {"licence": recipe.licence, "licences": listed, "row_licence": strictest_of(parts)}


def _missing(score: Score) -> _Row:
    return {"score": score.name, **outcome_cells_of(score)}


def outcome_cells_of(outcome: Outcome) -> _Row:
    """Return the status, reason and detail of a row."""
    return {name: value if value is None else str(value) for name, value in outcome.fields.items()}


def _step(spec: OperatorSpec) -> _Row:
    return {"kind": spec.kind, "version": spec.version, "params": _json(spec.params)}


def audio_cell_of(audio: EncodedAudio | None, name: str) -> _Row | None:
    """Return stored audio as a cell, under a file's name made of ``name``."""
    return None if audio is None else {"bytes": audio.flac, "path": f"{name.replace('/', '_')}.flac"}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
