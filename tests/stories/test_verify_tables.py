"""Tables of a dataset, its rows and its description say the same of what is in several of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.tampering import Rows, found, pairs_of, retold, tamper


@pytest.fixture
def dataset(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny run's dataset, to tamper with."""
    return Path(shutil.copytree(undisturbed / "workspace" / "dataset", tmp_path / "dataset"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("transcript", "other words"), ("speaker", "somebody"), ("degradations", []), ("duration_s", 9.5)),
        *(("residual_lag_samples", 99), ("licence", "MIT"), ("sample_rate", 8_000)),
    ],
)
def test_what_a_pair_says_of_its_speech_is_what_its_candidates_say(
    column: str, value: Any, dataset: Path
) -> None:
    """Once for a pair, by the name of the column, with both values."""
    tamper(dataset, lambda rows: rows[0].update({column: value}))

    wrong = [line for line in found(dataset, rows=0) if line.startswith(pairs_of(dataset)[0]["pair_id"])]

    assert [line for line in wrong if f": {column}: published {value}, found" in line] == wrong[:1]
    assert wrong


def test_a_licence_that_a_pair_does_not_list_is_found(dataset: Path) -> None:
    """Its sides are made of what their candidates are made of, and of nothing else."""
    part = pairs_of(dataset)[0]["licences"][-1]

    tamper(dataset, lambda rows: rows[0]["licences"].pop())

    assert any(
        f"licence {part['part']} {part['name']}" in line and "published not listed" in line
        for line in found(dataset, rows=0)
    )


@pytest.mark.parametrize("table", ["scores", "candidates"])
def test_candidates_and_scores_say_the_same(table: str, dataset: Path) -> None:
    """Also of what is in no pair, and of scores that did not vote."""

    def change(rows: Rows) -> None:
        next(row for row in rows if row["model"] is not None).update(level_gain_db=3.0)

    tamper(dataset, change, table)
    assert any(": level_gain_db: published" in line for line in found(dataset, rows=0))


def test_a_recording_of_candidates_is_held_to_its_digest(dataset: Path) -> None:
    """One that is in no pair too."""

    def swap(rows: Rows) -> None:
        rows[0]["audio"], rows[1]["audio"] = rows[1]["audio"], rows[0]["audio"]

    tamper(dataset, swap, "candidates")

    wrong = found(dataset)
    assert sum(": SHA-256 of audio: published" in line for line in wrong) == len(wrong) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"degradation_steps": []}, "degradation_steps: published []"),
        ({"recipe": "{}"}, "recipe: published one that can be read, found ValidationError"),
        ({"recipe": "gone"}, "recipe: published one that can be read, found JSONDecodeError"),
    ],
)
def test_a_recipe_that_is_none_or_another_is_found(change: dict[str, Any], said: str, dataset: Path) -> None:
    """The list of steps is the recipe's; of what cannot be read that is said, and the rest is looked at."""
    tamper(dataset, lambda rows: rows[0].update(change))

    (line,) = found(dataset)

    assert said in line


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda said: said.update(licence="MIT"), "unanimous.json: licence:"),
        (lambda said: said.update(licences={"MIT": 6}), "unanimous.json: licences:"),
        (lambda said: said.update(languages=["xx"]), "unanimous.json: languages:"),
        (lambda said: said["scores"][0].update(chosen=9.0), "unanimous.json: chosen of"),
        (lambda said: said["scores"].pop(), "unanimous.json: means of"),
        (lambda said: said["sources"][0].update(uses=99), "unanimous.json: sources:"),
        (lambda said: said["tables"]["pairs"]["train"].update(rows=99), "pairs/train: rows:"),
    ],
)
def test_a_description_that_its_rows_do_not_come_to_is_found(
    change: Callable[[dict[str, Any]], Any], place: str, dataset: Path
) -> None:
    """Means, licences, languages, sources and counts are made of the rows again."""
    retold(dataset, change)

    assert any(line.startswith(place) for line in found(dataset, rows=0))


def test_a_dataset_without_a_card_or_with_other_files_is_found(dataset: Path) -> None:
    """Whatever the files are called."""
    (dataset / "README.md").unlink()
    (dataset / "pairs" / "more.bin").write_text(json.dumps("more"))

    wrong = found(dataset, rows=0)

    assert wrong == [
        "README.md: file: published a card, found none",
        "pairs/more.bin: file: published none, found one that is not of this dataset",
    ]
