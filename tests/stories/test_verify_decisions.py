"""A dataset holds what its own criteria, vetoes and pair rule make of its scores; else a row is named."""

import json
import math
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.audit.audit import read_audit
from pipeline.dataset.description import MARK
from pipeline.progress.funnel import SAME_AUDIO
from pipeline.store.workspace import Workspace
from pipeline.verify.verify import verify_dataset
from tests.support.tampering import Rows, found, pairs_of, retold, tamper
from tests.support.tiny import Finished


@pytest.fixture
def dataset(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny run's dataset, to tamper with."""
    return Path(shutil.copytree(undisturbed / "workspace" / "dataset", tmp_path / "dataset"))


@pytest.fixture
def bare(dataset: Path) -> Path:
    """Return the dataset as one has it who has downloaded the pairs alone."""
    return without_candidates(dataset)


def without_candidates(dataset: Path) -> Path:
    """Take the tables of candidates away, and return the dataset."""
    for table in ("candidates", "scores"):
        shutil.rmtree(dataset / table)
        retold(dataset, lambda said, table=table: said["tables"].pop(table))
    return dataset


def with_rule(dataset: Path, **changes: Any) -> list[str]:
    """Return what is wrong once the dataset says that it was made by another pair rule."""
    retold(dataset, lambda said: said["pair_rule"].update(changes))
    return found(dataset, rows=0)


def first_of_several(rows: Rows) -> str:
    """Return a degraded utterance with more than one pair."""
    names = [row["degraded_id"] for row in rows]
    return str(next(name for name in names if names.count(name) > 1))


def bound_that_leaves_two_of_the_same_models(dataset: Path) -> float:
    """Return the highest ESTOI that all chosen sides of some utterance reach who won over the same model."""
    reached = defaultdict(list)
    for row in pairs_of(dataset):
        reached[row["degraded_id"], row["chosen_model"], row["rejected_model"]].append(row["chosen_estoi"])
    return math.floor(1e3 * max(min(scores) for scores in reached.values() if len(scores) > 1)) / 1e3


def test_nothing_is_wrong_with_vetoes_caps_and_a_scored_clean_reference(finished: Finished) -> None:
    """What a run decided comes out again, row for row and count for count."""
    votes = ["multi_resolution_stft", "estoi", "spectral_envelope"]
    bound = bound_that_leaves_two_of_the_same_models(finished.workspace / "dataset")
    finished.run_again(
        score_clean=True,
        preference={
            "criteria": [{"metric": vote, "margin": 0} for vote in votes],
            "uncovered": ["perceptual_quality"],
            "vetoes": [{"score": "estoi", "at_least": bound}],
            "pairs": {"keep": "top_k", "k": 2, "max_per_model_pair": 1},
        },
    )
    dataset = finished.workspace / "dataset"
    lost = json.loads((dataset / MARK).read_text())["funnel"]["steps"][-1]["lost"]

    verified = verify_dataset(dataset, rows=0)

    assert verified.is_sound, verified.findings
    assert verified.has_candidates
    assert set(lost) == {"clean chosen", f"chosen estoi under {bound:g}", "beyond the rule"}


def test_a_pair_within_a_margin_is_found(dataset: Path) -> None:
    """By its row: the criteria that are written in the dataset do not all favour the chosen side."""
    margins = sorted(row["margin_estoi"] for row in pairs_of(dataset))
    weakest = min(pairs_of(dataset), key=lambda row: row["margin_estoi"])
    between = (margins[0] + margins[1]) / 2

    retold(dataset, lambda said: said["criteria"][1].update(margin=between))
    wrong = found(dataset, rows=0)

    (vote,) = [line for line in wrong if "vote of estoi" in line]
    assert vote.startswith(f"{weakest['pair_id']}: vote of estoi: published more than {between:g}")
    assert any(line.startswith(f"{weakest['pair_id']}: pair: ") for line in wrong)
    assert any(line.startswith("funnel: unanimous: published") for line in wrong)


@pytest.mark.parametrize("has_candidates", [True, False])
def test_a_pair_against_a_veto_is_found(dataset: Path, *, has_candidates: bool) -> None:
    """With the table of candidates, which says how many there are of them, and without."""
    if not has_candidates:
        without_candidates(dataset)
    rows = sorted(pairs_of(dataset), key=lambda row: row["chosen_estoi"])
    bound = (rows[0]["chosen_estoi"] + rows[-1]["chosen_estoi"]) / 2
    vetoed = [row["pair_id"] for row in rows if row["chosen_estoi"] < bound]

    retold(dataset, lambda said: said["vetoes"].append({"score": "estoi", "at_least": bound}))
    wrong = found(dataset, rows=0)

    named = [line.partition(": veto")[0] for line in wrong if ": veto 'chosen estoi under" in line]
    assert sorted(named) == sorted(vetoed)
    assert any("pairs lost to 'chosen estoi under" in line for line in wrong) is has_candidates


def test_more_pairs_than_there_is_room_for_are_found(bare: Path) -> None:
    """Per degraded utterance, in all and of the same two models."""
    rows = pairs_of(bare)
    several = first_of_several(rows)
    number = sum(row["degraded_id"] == several for row in rows)

    wrong = with_rule(bare, max_per_utterance=1)
    assert f"{several}: pairs: published {number}, found room for 1" in wrong

    wrong = with_rule(bare, max_per_utterance=None, max_per_model_pair=1)
    assert any("pairs of identity and spectral_gate: published 2, found room for 1" in line for line in wrong)


def test_models_that_may_not_win_or_meet_are_found(bare: Path) -> None:
    """The pair rule names who may not be chosen, and whose takes are compared."""
    rows = pairs_of(bare)
    winner = rows[0]["chosen_model"]
    mixed = [row["pair_id"] for row in rows if row["chosen_model"] != row["rejected_model"]]

    wrong = with_rule(bare, never_chosen=[winner])
    assert (
        f"{rows[0]['pair_id']}: chosen_model: published {winner}, found one that may not be chosen" in wrong
    )

    wrong = with_rule(bare, never_chosen=[], between="same_model")
    told = [line.partition(": models: ") for line in wrong]
    assert [name for name, found, _ in told if found] == mixed


def test_a_pair_that_the_rule_would_not_keep_is_found(dataset: Path) -> None:
    """Only the clearest one of each degraded utterance is, by this rule; the others are named."""
    others = [row["pair_id"] for row in pairs_of(dataset) if not row["pair_id"].endswith("/0")]

    wrong = with_rule(dataset, keep="best")

    assert others
    named = [line.partition(": pair: ")[0] for line in wrong if "one that the rule does not keep" in line]
    assert named == others


def test_a_pair_that_is_lacking_is_found(dataset: Path) -> None:
    """Even where every count was made to fit: the candidates tell."""
    rows = pairs_of(dataset)
    gone = next(row for row in rows if row["degraded_id"] == first_of_several(rows))

    def tell(said: dict[str, Any]) -> None:
        said["funnel"]["steps"][-1]["count"] -= 1
        said["licences"] = {name: number - 1 for name, number in said["licences"].items()}
        train = said["tables"]["pairs"]["train"]
        train["files"][0]["rows"] -= 1

    tamper(dataset, lambda rows: rows.remove(next(r for r in rows if r["pair_id"] == gone["pair_id"])))
    retold(dataset, tell)
    wrong = found(dataset, rows=0)

    sides = " over ".join(
        f"{gone[f'{side}_model']} {gone[f'{side}_take']}" for side in ("chosen", "rejected")
    )
    assert f"{gone['degraded_id']}: pair: published none, found {sides}, which the rule keeps" in wrong


def test_pairs_in_another_order_are_found(dataset: Path) -> None:
    """The clearest comes first, and its number says so."""
    first = first_of_several(pairs_of(dataset))

    def swap(rows: Rows) -> None:
        a, b = (row for row in rows if row["pair_id"] in {f"{first}/0", f"{first}/1"})
        a["pair_id"], b["pair_id"] = b["pair_id"], a["pair_id"]

    tamper(dataset, swap)

    assert f"{first}/1: pair_id: published {first}/1, found {first}/0" in found(dataset, rows=0)


def test_a_candidate_that_is_lacking_is_found(dataset: Path) -> None:
    """What became of comparisons with it is in the funnel."""
    paired = {
        (row["degraded_id"], row[f"{side}_model"], row[f"{side}_take"])
        for row in pairs_of(dataset)
        for side in ("chosen", "rejected")
    }

    def remove(rows: Rows) -> None:
        alone = [row for row in rows if (row["degraded_id"], row["model"], row["take"]) not in paired]
        rows.remove((alone or rows)[0])

    tamper(dataset, remove, "scores")
    wrong = found(dataset, rows=0)

    assert any(line.startswith("funnel: compared: published 12, found 10") for line in wrong)
    assert any(line.startswith("candidates: rows: published 12, found 11") for line in wrong)


@pytest.fixture
def twins(finished: Finished) -> Path:
    """Return the dataset of a run in which two models change nothing."""
    models = [{"kind": "identity"}, {"kind": "spectral_gate"}, {"kind": "identity", "name": "asleep"}]
    finished.run_again(restorers=models, score_clean=True)
    return finished.workspace / "dataset"


def test_what_two_models_made_the_same_is_one_candidate(twins: Path) -> None:
    """The first in the config stands; rows name the other, the funnel and the audit count it once."""
    said = json.loads((twins / MARK).read_text())
    (scored,) = (step for step in said["funnel"]["steps"] if step["name"] == "scored")
    rows = [row for row in scores_of(twins) if row["model"] != "clean"]
    pairs = pairs_of(twins)

    verified = verify_dataset(twins, rows=0)
    audit = read_audit(Workspace(twins.parent).audit)

    assert verified.is_sound, verified.findings
    assert scored["lost"] == {SAME_AUDIO: 4}
    assert {row["model"]: row["same_audio_as"] for row in rows} == {
        "identity": ["asleep/0"],
        "spectral_gate": [],
        "asleep": ["identity/0"],
    }
    assert pairs
    assert "asleep" not in {row[f"{side}_model"] for row in pairs for side in ("chosen", "rejected")}
    assert all(row["chosen_digest"] != row["rejected_digest"] for row in pairs)
    assert audit is not None
    assert (audit.candidates, audit.pairs) == (12, len(pairs)), "four are the clean reference"


@pytest.mark.parametrize("untrue", [[], ["spectral_gate/0"], ["asleep/0", "spectral_gate/0"]])
def test_recordings_that_are_not_said_as_they_are_are_found(twins: Path, untrue: list[str]) -> None:
    """By their digests: what is the same and not named, and what is named and not the same."""
    name = next(row["candidate_id"] for row in scores_of(twins) if row["model"] == "identity")
    for table in ("scores", "candidates"):
        tamper(twins, lambda rows: _named(rows, name).update(same_audio_as=untrue), table)

    assert f"{name}: same_audio_as: published {untrue}, found ['asleep/0']" in found(twins, rows=0)


def scores_of(dataset: Path) -> Rows:
    """Return the rows of all candidates."""
    (file,) = (dataset / "scores").glob("*.parquet")
    rows: Rows = pq.read_table(file).to_pylist()
    return rows


def _named(rows: Rows, name: str) -> dict[str, Any]:
    return next(row for row in rows if row["candidate_id"] == name)
