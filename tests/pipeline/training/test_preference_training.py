"""``train dpo``: what pairs do to a generator, how it is watched and stopped, and what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.cli.commands.option_groups import PreferenceOptions
from pipeline.cli.commands.train_generative import train_dpo_command
from pipeline.dpo.batch import PairBatch
from pipeline.training.preference import PairSource, Preferences
from schemas import MissingWeightsError, UserError
from stages.networks.generative.parts import load_part
from stages.operators.rng import rng_for
from stages.restorers.fm import FlowMatching
from tests.support.neural_weights import write_generative
from tests.support.pair_datasets import pair_row, write_dataset
from tests.support.speech_like import speech_like

OPTIONS = PreferenceOptions(
    weights=None,
    beta=None,
    anchor=0.0,
    learning_rate=1e-3,
    batch_size=4,
    crop_s=1.0,
    held_out=0.3,
    min_strength=None,
    max_pairs=None,
    random_labels=False,
    keep="best",
    steps=6,
    every=3,
    patience=5,
    seed=0,
    device="cpu",
)
MODELS = ("fm", "mgm", "ar")
HOW = Preferences(beta=1.0, anchor=1.0, learning_rate=1e-3, batch_size=4, crop_s=1.0, held_out=0.3, seed=0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small networks of random weights."""
    return write_generative(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two pairs of each of twelve inputs, for every model."""
    rows = [
        pair_row(f"input-{number}/{pair}", chosen_model=model, rejected_model=model)
        for model in MODELS
        for number in range(12)
        for pair in range(2)
    ]
    return write_dataset(tmp_path_factory.mktemp("dataset") / "dataset", rows)


def curve(out: Path, model: str) -> list[dict[str, float]]:
    """Return what was watched."""
    found: list[dict[str, float]] = json.loads((out / f"{model}.dpo.losses.json").read_text())
    return found


@pytest.mark.parametrize("model", MODELS)
def test_pairs_teach_which_side_was_chosen(
    model: str, weights: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On inputs that it has not learnt from, the model comes to prefer the chosen side; all else is kept."""
    train_dpo_command(model, str(dataset), tmp_path, replace(OPTIONS, weights=weights, steps=12))

    watched = curve(tmp_path, model)
    assert [row["step"] for row in watched] == [0, 3, 6, 9, 12]
    assert watched[0]["margin"] == pytest.approx(0.0, abs=1e-4)
    assert watched[-1]["margin"] > 0.0
    assert watched[-1]["accuracy"] > 0.6
    assert watched[-1]["loss"] < watched[0]["loss"]
    assert (
        f"name it in a config as {{kind: {model}, path: {tmp_path / 'weights'}}}" in capsys.readouterr().out
    )
    estimate = Path("estimate.safetensors")
    assert (tmp_path / "weights" / estimate).read_bytes() == (weights / estimate).read_bytes()


def test_the_folder_restores(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """What was written is a model like the one before, and not the same."""
    train_dpo_command("fm", str(dataset), tmp_path, replace(OPTIONS, weights=weights))
    given = speech_like(0.5, sample_rate=16_000)

    restored = []
    for folder in (weights, tmp_path / "weights"):
        model = FlowMatching(path=folder)
        model.load("cpu")
        restored.append(model.restore([given], [rng_for(0, "take")])[0].samples)

    assert restored[0].size == restored[1].size
    assert restored[0].tobytes() != restored[1].tobytes()


def test_a_training_goes_on_where_it_was_stopped(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """Three steps, a stop and three more leave the very bytes of six in a row."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_dpo_command("fm", str(dataset), whole, replace(OPTIONS, weights=weights))
    train_dpo_command("fm", str(dataset), parts, replace(OPTIONS, weights=weights, steps=3))
    train_dpo_command("fm", str(dataset), parts, replace(OPTIONS, weights=weights))

    name = Path("weights") / "fm.safetensors"
    assert (whole / name).read_bytes() == (parts / name).read_bytes()
    assert curve(whole, "fm") == curve(parts, "fm")


def test_it_stops_when_nothing_is_gained_and_keeps_the_best(
    weights: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Steps that are far too long make the watched pairs worse: the weights are those from before them."""
    wild = replace(OPTIONS, weights=weights, learning_rate=3.0, anchor=1.0, every=1, patience=2, steps=50)

    train_dpo_command("fm", str(dataset), tmp_path, wild)

    printed = capsys.readouterr().out
    assert len(curve(tmp_path, "fm")) == 3
    assert "best after step 0" in printed
    assert "the chosen side's own loss has risen" in printed
    kept, given = (load_part(folder, "fm", "cpu").state_dict() for folder in (tmp_path / "weights", weights))
    assert all(torch.equal(kept[name], given[name]) for name in given)


def test_the_last_weights_can_be_kept_instead(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """Whatever the watched pairs say: what a comparison of as many steps of several models needs."""
    options = replace(
        OPTIONS, weights=weights, learning_rate=3.0, anchor=1.0, every=1, patience=2, keep="last"
    )

    train_dpo_command("fm", str(dataset), tmp_path, options)

    name = "fm.safetensors"
    assert (tmp_path / "weights" / name).read_bytes() != (weights / name).read_bytes()


def test_other_pairs_under_the_same_name_are_not_gone_on_with(
    weights: Path, dataset: Path, tmp_path: Path
) -> None:
    """A dataset that was made again with other inputs is another one."""
    train_dpo_command("fm", str(dataset), tmp_path / "out", replace(OPTIONS, weights=weights, steps=1))
    rows = [pair_row(f"other-{number}/0", chosen_model="fm", rejected_model="fm") for number in range(12)]
    other = write_dataset(tmp_path / "other", rows)

    with pytest.raises(UserError, match="was made with another pairs"):
        train_dpo_command("fm", str(other), tmp_path / "out", replace(OPTIONS, weights=weights))


def test_weights_that_are_gone_are_written_again(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """The same command after the end: nothing is trained, and the folder is whole."""
    options = replace(OPTIONS, weights=weights, steps=3)
    train_dpo_command("fm", str(dataset), tmp_path, options)
    name = tmp_path / "weights" / "fm.safetensors"
    before = name.read_bytes()
    name.unlink()

    train_dpo_command("fm", str(dataset), tmp_path, options)

    assert name.read_bytes() == before


def test_the_model_that_it_begins_with_is_not_written_over(dataset: Path, tmp_path: Path) -> None:
    """The folder of the weights cannot be the one that is written to."""
    place = write_generative(tmp_path / "weights")

    with pytest.raises(UserError, match="is the model that the training begins with: give another --out"):
        train_dpo_command("fm", str(dataset), tmp_path, replace(OPTIONS, weights=place))


def test_an_anchor_holds_the_chosen_side(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """With it the chosen side's own loss ends lower than without."""
    for anchor in (0.0, 20.0):
        options = replace(OPTIONS, weights=weights, anchor=anchor, steps=12)
        train_dpo_command("fm", str(dataset), tmp_path / str(anchor), options)

    free, held = (curve(tmp_path / str(anchor), "fm")[-1]["chosen_loss"] for anchor in (0.0, 20.0))
    assert held < free


def test_a_dataset_without_pairs_of_the_model_is_refused(weights: Path, tmp_path: Path) -> None:
    """Pairs between models, or of others, are not learnt from; the message says how to make some."""
    rows = [pair_row(f"input-{number}/0", chosen_model="fm", rejected_model="ar") for number in range(12)]
    dataset = write_dataset(tmp_path / "dataset", rows)

    with pytest.raises(UserError, match=r"has no pairs within the model 'fm': a run makes them with"):
        train_dpo_command("fm", str(dataset), tmp_path / "out", replace(OPTIONS, weights=weights))


def test_another_model_or_other_weights_are_refused(weights: Path, dataset: Path, tmp_path: Path) -> None:
    """A model that draws nothing, a folder without the model, a checkpoint of another training."""
    with pytest.raises(UserError, match="no generator 'wiener' to train; choose one of: fm, mgm, ar"):
        train_dpo_command("wiener", str(dataset), tmp_path, OPTIONS)
    with pytest.raises(MissingWeightsError, match=r"estimate\.safetensors"):
        train_dpo_command("fm", str(dataset), tmp_path, replace(OPTIONS, weights=tmp_path))
    train_dpo_command("fm", str(dataset), tmp_path, replace(OPTIONS, weights=weights, steps=1))
    with pytest.raises(UserError, match=r"was made with another beta: 1000\.0, not 5\.0"):
        train_dpo_command("fm", str(dataset), tmp_path, replace(OPTIONS, weights=weights, beta=5.0))


def test_what_is_watched_is_never_learnt_from(dataset: Path) -> None:
    """All pairs of an input are on one side."""
    source = PairSource(dataset, "fm", HOW)
    watched = {name.rpartition("/")[0] for batch in source.watched() for name in batch.pair_ids}

    learnt = {name.rpartition("/")[0] for name in names_learnt(source)}

    assert watched
    assert not watched & learnt
    assert len(watched | learnt) == 12


def test_fewer_pairs_are_always_the_same(dataset: Path) -> None:
    """At most so many, whatever the seed; more of them include fewer."""
    found = [names_learnt(PairSource(dataset, "fm", replace(HOW, max_pairs=most))) for most in (3, 6)]
    again = names_learnt(PairSource(dataset, "fm", replace(HOW, max_pairs=3, seed=1)))

    assert [len(names) for names in found] == [3, 6]
    assert found[0] == again
    assert found[0] < found[1]


def test_random_labels_turn_half_of_the_pairs_around(dataset: Path) -> None:
    """The sides of a pair are those of the dataset or the other way round, by its name."""
    drawn, given = (
        {name: row for batch in PairSource(dataset, "fm", how).watched() for name, row in rows_of(batch)}
        for how in (replace(HOW, random_labels=True), HOW)
    )

    turned = [name for name, (chosen, _) in drawn.items() if not torch.equal(chosen, given[name][0])]
    assert all(torch.equal(drawn[name][0], given[name][1]) for name in turned)
    assert 0 < len(turned) < len(given)


def rows_of(batch: PairBatch) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Walk the pairs of a batch: their names and sides."""
    return zip(batch.pair_ids, zip(batch.chosen, batch.rejected, strict=True), strict=True)


def names_learnt(source: PairSource) -> set[str]:
    """Return the names of an epoch's pairs and some more."""
    return {name for _, batch in zip(range(8), source.learn(), strict=False) for name in batch.pair_ids}
