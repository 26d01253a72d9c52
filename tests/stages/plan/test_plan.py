"""What the plan of a degraded utterance promises."""

from collections.abc import Mapping

import pytest

from schemas import AudioRef, ConfigError, Ingested, Outcome, Probe, Reason, Recipe, Segment, Split, Status
from stages.audio.flac import encode_flac
from stages.operators.distributions import Pools, Uniform
from stages.plan.chain import Step
from stages.plan.stage import Planned, PlanStage
from tests.conftest import tone

CHAIN = (Step(kind="clipping", probability=0.5), Step(kind="noise", draws={"snr_db": Uniform(low=0, high=9)}))
PROBE = Probe(
    sample_rate=16_000,
    duration_s=1.0,
    channels=1,
    dc_offset=0.0,
    peak=0.5,
    clipped_fraction=0.0,
    active_level_db=-26.0,
    bandwidth_hz=7_000.0,
)


def noise(name: str) -> AudioRef:
    """Return a recording of the pool of noise."""
    return AudioRef(pool="noise", id=name, digest="0" * 64, sample_rate=16_000, num_samples=16_000)


POOLS: Mapping[Split, Pools] = {
    Split.TRAIN: {"noise": (noise("street"), noise("cafe"))},
    Split.TEST: {"noise": (noise("beach"),)},
}


def planned(name: str = "c/a", repeat: int = 0, split: Split = Split.TRAIN) -> Planned:
    """Return an utterance that is to be damaged."""
    segment = Segment(id=name, offset_s=0.0, audio=encode_flac(tone()), probe=PROBE)
    source = Ingested(
        id=name,
        corpus="c",
        name="a.wav",
        content="0",
        speaker="s",
        transcript="words",
        language="en",
        licence="CC0-1.0",
        split=split,
        segments=(segment,),
    )
    return Planned(source, segment, repeat)


def recipe(record: Planned, seed: int = 0) -> Recipe:
    """Return the recipe of one utterance."""
    (made,) = PlanStage(CHAIN, seed, POOLS).process([record])
    return made


def test_a_recipe_says_all_there_is_to_say_of_an_utterance() -> None:
    """What is known of the source goes with it, under the name of utterance and repeat."""
    made = recipe(planned(repeat=2))

    assert made.is_ok
    assert (made.id, made.utterance_id, made.repeat) == ("c/a:2", "c/a", 2)
    assert (made.speaker, made.transcript, made.language, made.licence) == ("s", "words", "en", "CC0-1.0")
    assert (made.sample_rate, made.num_samples, made.bandwidth_hz) == (16_000, 16_000, 7_000.0)


def test_the_same_utterance_is_planned_the_same_way() -> None:
    """Alone, first, last and after any other."""
    names = ["c/a", "c/b", "c/c"]
    alone = [recipe(planned(name)) for name in names]

    together = PlanStage(CHAIN, 0, POOLS).process([planned(name) for name in reversed(names)])

    assert list(reversed(together)) == alone


def test_repeats_and_seeds_are_planned_differently() -> None:
    """Each is another degraded version."""
    made = [recipe(planned(repeat=repeat), seed) for repeat in range(3) for seed in range(3)]

    drawn = {tuple(step.fingerprint for step in each.steps) for each in made}
    assert len(drawn) == len(made)


@pytest.mark.parametrize(
    ("split", "names"),
    [(Split.TRAIN, {"street", "cafe"}), (Split.TEST, {"beach"})],
    ids=["train", "test"],
)
def test_noise_comes_from_the_utterances_side_of_the_split(split: Split, names: set[str]) -> None:
    """So that no recording is on both sides."""
    made = [recipe(planned(f"c/{number}", split=split)) for number in range(30)]

    assert {source.id for each in made for source in each.sources} == names


def test_a_side_without_noise_is_a_mistake_in_the_config() -> None:
    """It is said once, and not recipe by recipe."""
    with pytest.raises(ConfigError, match="pool 'noise' has no usable recording"):
        recipe(planned(split=Split.VALIDATION))


def test_a_row_without_a_value_keeps_what_is_known() -> None:
    """But has no steps, and says why."""
    why = Outcome(status=Status.FAILED, reason=Reason.ERROR)

    row = PlanStage(CHAIN, 0, POOLS).without_value(planned(), why)

    assert (row.id, row.status, row.reason, row.steps) == ("c/a:0", Status.FAILED, Reason.ERROR, ())
    assert row.speaker == "s"
