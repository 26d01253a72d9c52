"""What drawing a recipe from a chain promises."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import AudioRef, ConfigError, OperatorSpec
from stages.degradations import DEGRADATIONS
from stages.operators.distributions import Constant, Integer, OneOf, Pools, Uniform
from stages.plan.chain import Part, Step
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps, references_in

NOISE = Step(kind="noise", probability=0.9, draws={"snr_db": Uniform(low=-5, high=20)})
CLIPPING = Step(kind="clipping", probability=0.25)
BANDWIDTH = Step(kind="bandwidth", probability=0.5, draws={"sample_rate_hz": OneOf(values=(4_000, 8_000))})
CHAIN = (CLIPPING, BANDWIDTH, NOISE)


def ref(name: str, pool: str = "noise") -> AudioRef:
    """Return a recording of a pool."""
    return AudioRef(pool=pool, id=name, digest="0" * 64, sample_rate=16_000, num_samples=16_000)


POOLS = {"noise": (ref("street"), ref("cafe"), ref("fan")), "rir": (ref("hall", "rir"),)}


def drawn(
    chain: Sequence[Part], utterance: str = "a", repeat: int = 0, seed: int = 0, pools: Pools = POOLS
) -> tuple[OperatorSpec, ...]:
    """Return the recipe of an utterance."""
    return draw_steps(chain, Occasion(Utterance(utterance), repeat, seed, pools))


def test_each_step_applies_as_often_as_it_should() -> None:
    """Over many utterances the probabilities of the config are met."""
    counts = Counter(step.kind for number in range(4_000) for step in drawn(CHAIN, str(number)))

    assert counts["clipping"] == pytest.approx(1_000, abs=100)
    assert counts["bandwidth"] == pytest.approx(2_000, abs=120)
    assert counts["noise"] == pytest.approx(3_600, abs=80)


def test_steps_apply_independently_of_one_another() -> None:
    """Clipping is as frequent with limited bandwidth as without."""
    together = Counter(
        frozenset(step.kind for step in drawn(CHAIN, str(number))) & {"clipping", "bandwidth"}
        for number in range(4_000)
    )

    assert together[frozenset({"clipping", "bandwidth"})] == pytest.approx(500, abs=80)


def test_parameters_are_spread_over_their_range() -> None:
    """The signal-to-noise ratios of many utterances have the mean and the reach of what was asked for."""
    snrs = [step.params["snr_db"] for number in range(2_000) for step in drawn((NOISE,), str(number))]

    numbers = [snr for snr in snrs if isinstance(snr, float)]
    assert sum(numbers) / len(numbers) == pytest.approx(7.5, abs=0.6)
    assert -5 <= min(numbers) < -4.5
    assert 19.5 < max(numbers) <= 20


def test_every_recording_of_a_pool_is_drawn() -> None:
    """About as often as the others."""
    counts = Counter(ref.id for n in range(3_000) for ref in references_in(drawn((NOISE,), str(n))))

    assert counts == pytest.approx({"street": 900, "cafe": 900, "fan": 900}, abs=90)


@given(utterance=st.text(), repeat=st.integers(0, 10), seed=st.integers(0, 2**31))
def test_the_same_place_draws_the_same(utterance: str, repeat: int, seed: int) -> None:
    """Again and again, whatever was drawn in between."""
    first = drawn(CHAIN, utterance, repeat, seed)
    drawn(CHAIN, "another")

    assert drawn(CHAIN, utterance, repeat, seed) == first


def test_utterances_repeats_and_seeds_draw_differently() -> None:
    """Each has streams of its own."""
    chain = (Step(kind="noise"),)
    recipes = [
        drawn(chain, utterance, repeat, seed)
        for seed in (0, 1)
        for utterance in ("a", "b")
        for repeat in (0, 1)
    ]

    assert len({recipe[0].fingerprint for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize("added", [CLIPPING, BANDWIDTH, NOISE, Step(kind="codec")])
def test_a_step_at_the_end_changes_no_earlier_draw(added: Step) -> None:
    """A chain that grows keeps what it was, utterance by utterance."""
    for number in range(50):
        before = drawn(CHAIN, str(number))

        after = drawn((*CHAIN, added), str(number))

        assert after[: len(before)] == before


def test_what_a_step_draws_does_not_move_its_neighbours() -> None:
    """More or fewer draws in one place leave the streams of the others alone."""
    for number in range(50):
        usual = drawn((Step(kind="codec"), NOISE), str(number))
        fixed = drawn((Step(kind="clipping", draws={"threshold": Constant(value=0.5)}), NOISE), str(number))

        assert usual[1:] == fixed[1:]


def test_the_config_overrides_how_an_operator_draws_by_default() -> None:
    """Parameter by parameter; the others keep the operator's way."""
    step = Step(kind="noise", draws={"snr_db": Integer(low=3, high=3)})

    (spec,) = drawn((step,))

    assert spec.params["snr_db"] == 3
    assert 0.0 <= float(str(spec.params["offset_fraction"])) < 1.0
    assert step.pools == {"noise"}


def test_a_recipe_builds_the_operators_that_it_names() -> None:
    """Its parameters are values, not ways to draw them."""
    for number in range(20):
        for spec in drawn(CHAIN, str(number)):
            assert DEGRADATIONS.build(spec).spec == spec


def test_a_recipe_names_the_recordings_that_it_needs() -> None:
    """In the order of its steps."""
    steps = drawn((Step(kind="reverb"), CLIPPING, Step(kind="noise")))

    assert [ref.pool for ref in references_in(steps)] == ["rir", "noise"]


def test_says_which_side_of_a_pool_is_empty() -> None:
    """A step that needs a recording where there is none cannot be drawn."""
    with pytest.raises(
        ConfigError, match="pool 'noise' has no usable recording on the train side of the split"
    ):
        drawn((Step(kind="noise"),), pools={"rir": POOLS["rir"]})


def test_a_pool_is_not_asked_for_by_a_step_that_does_not_apply() -> None:
    """Nor by a chain that never uses it."""
    assert drawn((Step(kind="noise", probability=0.0),), pools={}) == ()


def test_a_step_is_described_by_all_that_it_depends_on() -> None:
    """What is said of it changes with the operator's defaults, its version and the config."""
    described = NOISE.described

    assert described["version"] == DEGRADATIONS["noise"].version
    assert described["draws"].keys() == {"noise", "offset_fraction", "snr_db"}
    assert described != NOISE.model_copy(update={"probability": 0.8}).described
