"""The recipe of a pair: that it is one, and that the list of degradations says the same."""

import json
from collections.abc import Iterator

from pipeline.dataset.published import DatasetRow
from pipeline.verify.findings import Finding
from schemas import Recipe


def recipe_of(row: DatasetRow) -> Recipe:
    """Return what was drawn for a pair. Raises ``ValueError`` or ``TypeError`` if that cannot be told."""
    known = {name: row[name] for name in Recipe.model_fields if name in row}
    num_samples = round(row["duration_s"] * row["sample_rate"])
    return Recipe.model_validate(
        {**known, **json.loads(row["recipe"]), "id": row["degraded_id"], "num_samples": num_samples}
    )


def recipe_findings(row: DatasetRow) -> Iterator[Finding]:
    """Walk what is wrong with the recipe of one pair."""
    try:
        drawn = [(step.kind, step.version, step.params) for step in recipe_of(row).steps]
        listed = [(s["kind"], s["version"], json.loads(s["params"])) for s in row["degradation_steps"]]
    except (ValueError, TypeError) as error:
        said, _, _ = str(error).partition("\n")
        yield Finding(row["pair_id"], "recipe", "one that can be read", f"{type(error).__name__}: {said}")
        return
    if listed != drawn:
        yield Finding(row["pair_id"], "degradation_steps", listed, f"{drawn} in the recipe")
