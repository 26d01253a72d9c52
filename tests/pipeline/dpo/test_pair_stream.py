"""Pairs as a training loop gets them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pipeline.dpo import PairExample, PairStream, Selection, collate
from schemas import IntegrityError, UserError
from tests.support.pair_datasets import SIDES, pair_row, write_dataset

NAMES = [f"pair-{number}" for number in range(12)]
RATE = 16_000


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of twelve pairs of 0.3 s in six row groups."""
    return write_dataset(tmp_path_factory.mktemp("pairs") / "dataset", [pair_row(name) for name in NAMES])


def stream(dataset: Path, **settings: Any) -> PairStream:
    """Return the pairs at 16 kHz unless said."""
    return PairStream(dataset, **{"sample_rate": RATE, **settings})


def ids(examples: Any) -> list[str]:
    """Return the names of the pairs, in their order."""
    return [example.pair_id for example in examples]


def test_without_a_seed_pairs_come_as_they_are(dataset: Path) -> None:
    """In the order of the dataset, whole, exactly as stored."""
    examples = list(stream(dataset))

    assert ids(examples) == NAMES
    assert examples[0].degraded.dtype == np.float32
    np.testing.assert_allclose(examples[0].clean, np.linspace(-0.5, 0.5, 4800), atol=2**-23)


def test_a_folder_with_brackets_is_itself(tmp_path: Path) -> None:
    """The library would take its name for a pattern, and open the other one."""
    here = write_dataset(tmp_path / "[v1] run" / "dataset", [pair_row("here")])
    write_dataset(tmp_path / "v run" / "dataset", [pair_row("elsewhere")])

    assert ids(stream(here)) == ["here"]


def test_the_same_seed_gives_the_same_stream(dataset: Path) -> None:
    """Order and stretches; another seed or epoch gives another one of the same pairs."""
    first, again, other, later = (
        stream(dataset, seed=seed, crop_s=0.1, buffer_rows=4) for seed in (1, 1, 2, 1)
    )
    later.set_epoch(1)

    streams = [list(each) for each in (first, again, other, later)]

    assert ids(streams[0]) == ids(streams[1]) != NAMES
    assert all(equal(a, b) for a, b in zip(streams[0], streams[1], strict=True))
    for another in streams[2:]:
        assert sorted(ids(another)) == sorted(NAMES)
        assert ids(another) != ids(streams[0])


def equal(a: PairExample, b: PairExample) -> bool:
    """Whether all sides are the same, sample by sample."""
    return all(np.array_equal(getattr(a, side), getattr(b, side)) for side in SIDES)


def test_crops_are_the_same_stretch_on_all_sides(dataset: Path) -> None:
    """Every side is the clean ramp plus at most its noise, so a side cut elsewhere would be off by more."""
    for example in stream(dataset, crop_s=0.1, seed=0):
        assert example.clean is not None
        assert example.degraded.size == example.clean.size == 1600
        for side, level in (("degraded", 0.1), ("chosen", 0.01), ("rejected", 0.05)):
            assert np.abs(getattr(example, side) - example.clean).max() <= level + 1e-6


def test_crops_do_not_depend_on_order_or_workers(dataset: Path) -> None:
    """A pair's stretch belongs to seed, epoch and name: another order or share of the work moves nothing."""
    alone = {e.pair_id: e for e in stream(dataset, crop_s=0.1, seed=3)}
    pairs = stream(dataset, crop_s=0.1, seed=3)
    loader = DataLoader(pairs, batch_size=None, num_workers=2)

    shared = {example.pair_id: example for example in loader}

    assert shared.keys() == alone.keys()
    assert all(equal(alone[name], shared[name]) for name in alone)
    assert len({float(example.clean[0]) for example in alone.values()}) > 6, "they start all over the ramp"


def test_each_rank_has_a_share_of_its_own(dataset: Path) -> None:
    """Together the ranks see every pair once, however many they are."""
    for world_size in (2, 5):
        shares = [ids(stream(dataset, rank=rank, world_size=world_size)) for rank in range(world_size)]
        assert sorted(name for share in shares for name in share) == sorted(NAMES)
        assert all(shares)


def test_everything_comes_at_one_rate(tmp_path: Path) -> None:
    """Recordings of several rates are resampled; lengths agree on all sides."""
    rows = [pair_row("a"), pair_row("b", sample_rate=44_100)]
    examples = list(stream(write_dataset(tmp_path / "dataset", rows), sample_rate=24_000))

    assert [example.degraded.size for example in examples] == [7200, 7200]
    assert all(example.sample_rate == 24_000 for example in examples)
    middle = slice(1000, 6000)
    np.testing.assert_allclose(examples[0].clean[middle], examples[1].clean[middle], atol=1e-3)


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(min_strength=2.0), ["strong"]),
        (Selection(min_margins={"estoi": 0.2}), ["wide"]),
        (Selection(degradations=frozenset({"reverb", "clipping"})), ["reverberant"]),
        (Selection(models=frozenset({"wiener"})), ["in paradigm"]),
        (Selection(pair_ids=frozenset({"wide", "unscored", "elsewhere"})), ["wide", "unscored"]),
        (Selection(min_strength=1.0, degradations=frozenset({"noise"})), ["strong", "wide", "in paradigm"]),
    ],
)
def test_selects_by_strength_margin_degradation_and_model(
    selection: Selection, kept: list[str], tmp_path: Path
) -> None:
    """All conditions must be met; a margin that is not there meets none."""
    rows = [
        pair_row("strong", strength=3.0),
        pair_row("wide", margin_estoi=0.3),
        pair_row("reverberant", degradations=["noise", "reverb"], strength=0.5),
        pair_row("in paradigm", rejected_model="wiener"),
        pair_row("unscored", margin_estoi=None, strength=0.5),
    ]

    assert ids(stream(write_dataset(tmp_path / "dataset", rows), selection=selection)) == kept


def test_batches_are_padded_and_masked(tmp_path: Path) -> None:
    """Masks are true where there is audio, padding is zero, and both agree with the lengths."""
    rows = [pair_row("short", seconds=0.1), pair_row("long", seconds=0.25)]
    (batch,) = DataLoader(stream(write_dataset(tmp_path / "dataset", rows)), batch_size=2, collate_fn=collate)

    assert batch.pair_ids == ("short", "long")
    assert batch.lengths.tolist() == [1600, 4000] == batch.mask.sum(1).tolist()
    for side in SIDES:
        waveforms = getattr(batch, side)
        assert waveforms.shape == batch.mask.shape == (2, 4000)
        assert waveforms.dtype == torch.float32
        assert not waveforms[~batch.mask].any()
        assert waveforms[0, 1599] != 0
    assert batch.to("cpu").pair_ids == batch.pair_ids


def test_the_clean_side_can_be_left_on_disk(dataset: Path) -> None:
    """Those who need it least save a fourth of what is read."""
    batch = collate(list(stream(dataset, with_clean=False)))

    assert batch.clean is None
    assert batch.chosen.shape == (12, 4800)


def test_batches_refuse_what_does_not_fit_together(dataset: Path) -> None:
    """Two rates, or a clean side for some only."""
    first, second = list(stream(dataset))[:2]
    slower = PairExample(second.pair_id, 8_000, second.degraded, second.chosen, second.rejected)

    with pytest.raises(ValueError, match=r"one sample rate.*8000, 16000"):
        collate([first, slower])
    with pytest.raises(ValueError, match="some have none"):
        collate([first, PairExample("b", RATE, second.degraded, second.chosen, second.rejected)])


def test_says_what_a_dataset_lacks(dataset: Path, tmp_path: Path) -> None:
    """A folder, a column, audio, or sides of one length."""
    with pytest.raises(UserError, match="there is no folder"):
        stream(tmp_path / "nowhere")
    with pytest.raises(UserError, match="there is no folder"):
        PairStream("~nobody-at-all/pairs/mine", sample_rate=RATE)
    with pytest.raises(UserError, match="cannot be opened as a dataset with 'pairs'"):
        stream(tmp_path)
    with pytest.raises(UserError, match="crop_s is 0: not one sample"):
        stream(dataset, crop_s=0.0)
    with pytest.raises(UserError, match="has no split 'test', only train"):
        stream(dataset, split="test")
    with pytest.raises(UserError, match="has no column margin_pesq"):
        stream(dataset, selection=Selection(min_margins={"pesq": 0.1}))
    bad = write_dataset(tmp_path / "bad", [pair_row("a", clean=None)])
    with pytest.raises(IntegrityError, match="no audio for clean of a"):
        list(stream(bad))
    uneven = {**pair_row("a"), "chosen": pair_row("b", seconds=0.2)["chosen"]}
    with pytest.raises(IntegrityError, match="the sides of a differ in length"):
        list(stream(write_dataset(tmp_path / "uneven", [uneven])))


def test_goes_on_inside_an_epoch(dataset: Path) -> None:
    """After any pair, with what was to come, sample by sample; the next epoch is whole again."""
    settings = {"seed": 1, "crop_s": 0.1, "buffer_rows": 4}
    whole = stream(dataset, **settings)
    whole.set_epoch(2)
    expected = list(whole)

    for cut in (0, 1, 5, len(NAMES)):
        resumed = stream(dataset, **settings)
        resumed.resume(2, ids(expected[:cut]))
        rest = list(resumed)
        assert ids(rest) == ids(expected[cut:])
        assert all(equal(a, b) for a, b in zip(rest, expected[cut:], strict=True))

    whole.set_epoch(3)
    resumed.set_epoch(3)
    assert ids(resumed) == ids(whole)
    assert len(ids(resumed)) == len(NAMES)


def test_goes_on_with_workers(dataset: Path) -> None:
    """The same batches after a multiple of the workers; the same pairs with another number of them."""

    def loader(pairs: PairStream, workers: int) -> DataLoader:
        return DataLoader(pairs, batch_size=2, num_workers=workers, collate_fn=collate)

    batches = [batch.pair_ids for batch in loader(stream(dataset, seed=1), 2)]
    seen = [name for batch in batches[:2] for name in batch]
    same, other = stream(dataset, seed=1), stream(dataset, seed=1)
    for pairs in (same, other):
        pairs.resume(0, seen)

    assert [batch.pair_ids for batch in loader(same, 2)] == batches[2:]
    rest = [name for batch in loader(other, 0) for name in batch.pair_ids]
    assert sorted([*seen, *rest]) == sorted(NAMES)
