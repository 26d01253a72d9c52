"""What groups of degradations promise: one of several, some of several, chains within chains, conditions."""

from collections import Counter
from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from schemas import AudioRef, ConfigError, OperatorSpec
from stages.operators.distributions import FromPool, Pools
from stages.plan.chain import Branch, Chain, OneOfParts, Part, SomeOfParts, Step, steps_in
from stages.plan.conditions import Utterance, When
from stages.plan.drawing import Occasion, draw_steps

NOISE = Step(kind="noise")
CLIPPING = Step(kind="clipping")
BANDWIDTH = Step(kind="bandwidth")
CODEC = Step(kind="codec")
HISS = Step(kind="coloured_noise")
NOTHING = Chain(parts=())
MANY = 3_000


def voice(name: str, speaker: str | None) -> AudioRef:
    """Return a recording of somebody."""
    return AudioRef(
        pool="noise", id=name, digest="0" * 64, sample_rate=16_000, num_samples=16_000, speaker=speaker
    )


POOLS = {"noise": (voice("c/a", "ann"), voice("c/b", "ben"), voice("c/c", "cleo"))}


def drawn(
    chain: Sequence[Part], utterance: str | Utterance = "a", pools: Pools = POOLS
) -> tuple[OperatorSpec, ...]:
    """Return the recipe of an utterance."""
    subject = Utterance(utterance) if isinstance(utterance, str) else utterance
    return draw_steps(chain, Occasion(subject, 0, 0, pools))


def kinds(chain: Sequence[Part], times: int = MANY) -> Counter[tuple[str, ...]]:
    """Return how often each row of kinds is drawn."""
    return Counter(tuple(step.kind for step in drawn(chain, str(number))) for number in range(times))


def test_one_of_several_branches_is_chosen_by_weight() -> None:
    """An empty branch is nothing at all."""
    group = OneOfParts(
        branches=(
            Branch(weight=2, part=NOTHING),
            Branch(weight=1, part=CLIPPING),
            Branch(weight=1, part=Chain(parts=(BANDWIDTH, CODEC))),
        )
    )

    counts = kinds([group])

    assert counts.keys() == {(), ("clipping",), ("bandwidth", "codec")}
    assert counts[()] == pytest.approx(MANY / 2, abs=100)
    assert counts["clipping",] == pytest.approx(MANY / 4, abs=90)


def test_some_of_several_members_are_chosen_as_often_as_asked() -> None:
    """In as many orders as there are, and none of them twice."""
    members = (Branch(part=CLIPPING), Branch(part=BANDWIDTH), Branch(part=CODEC))
    group = SomeOfParts(counts=(0.25, 0.4, 0.2, 0.15), members=members, order="random")

    counts = kinds([group])

    sizes: Counter[int] = Counter()
    for row, number in counts.items():
        sizes[len(row)] += number
    assert sizes == pytest.approx({0: 750, 1: 1_200, 2: 600, 3: 450}, abs=110)
    assert len([row for row in counts if len(row) == 3]) == 6
    assert all(len(set(row)) == len(row) for row in counts)


def test_members_keep_the_given_order_and_their_weights() -> None:
    """A member with no weight never applies."""
    members = (
        Branch(weight=3, part=CLIPPING),
        Branch(weight=1, part=BANDWIDTH),
        Branch(weight=0, part=CODEC),
    )

    one = kinds([SomeOfParts(counts=(0, 1), members=members)])
    both = kinds([SomeOfParts(counts=(0, 0, 1), members=members)], 100)

    assert one["clipping",] == pytest.approx(0.75 * MANY, abs=100)
    assert both.keys() == {("clipping", "bandwidth")}


def test_a_chain_within_a_chain_has_a_probability_of_its_own() -> None:
    """Its members apply together or not at all; in a random order where that is asked for."""
    counts = kinds([Chain(parts=(CLIPPING, CODEC), probability=0.5, order="random")])

    assert counts[()] == pytest.approx(MANY / 2, abs=110)
    assert counts["clipping", "codec"] == pytest.approx(MANY / 4, abs=100)
    assert counts["codec", "clipping"] == pytest.approx(MANY / 4, abs=100)


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        (When(min_bandwidth_hz=12_000), True),
        (When(min_bandwidth_hz=12_001), False),
        (When(max_bandwidth_hz=11_999), False),
        (When(min_sample_rate=44_100, max_bandwidth_hz=12_000), True),
        (When(min_sample_rate=48_000), False),
        (When(min_duration_s=2.5), False),
    ],
)
def test_a_condition_looks_at_the_utterance(condition: When, *, applies: bool) -> None:
    """At its bandwidth, its rate and its length."""
    utterance = Utterance("a", sample_rate=44_100, duration_s=2.0, bandwidth_hz=12_000)

    steps = drawn([Step(kind="clipping", when=condition), Chain(parts=(CODEC,), when=condition)], utterance)

    assert [step.kind for step in steps] == (["clipping", "codec"] if applies else [])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (When(after=("bandwidth", "codec")), {("bandwidth", "clipping"), ("coloured_noise",)}),
        (When(not_after=("bandwidth",)), {("bandwidth",), ("coloured_noise", "clipping")}),
        (
            When(after=("bandwidth",), not_after=("coloured_noise",)),
            {("bandwidth", "clipping"), ("coloured_noise",)},
        ),
        (When(after=("bandwidth",), not_after=("bandwidth",)), {("bandwidth",), ("coloured_noise",)}),
        (When(after=("bandwidth",), min_sample_rate=96_000), {("bandwidth",), ("coloured_noise",)}),
    ],
)
def test_a_condition_looks_at_what_was_drawn_before(condition: When, expected: set[tuple[str, ...]]) -> None:
    """Within groups too, and at what was drawn rather than at what might have been."""
    either = OneOfParts(branches=(Branch(part=Chain(parts=(BANDWIDTH,))), Branch(part=HISS)))
    last = Chain(parts=(Step(kind="clipping", when=condition),))

    assert kinds([either, last], 60).keys() == expected


def test_what_comes_later_does_not_count() -> None:
    """A chain is drawn from its beginning to its end."""
    early = Step(kind="clipping", when=When(after=("codec",)))

    assert kinds([early, CODEC], 20).keys() == {("codec",)}


def test_a_member_chosen_before_counts_for_the_next() -> None:
    """In the order in which the members stand."""
    members = (Branch(part=BANDWIDTH), Branch(part=Step(kind="clipping", when=When(after=("bandwidth",)))))

    assert kinds([Chain(parts=tuple(branch.part for branch in members))], 5).keys() == {
        ("bandwidth", "clipping")
    }
    # What a group may choose from is decided before it is drawn.
    assert kinds([SomeOfParts(counts=(0, 0, 1), members=members)], 5).keys() == {("bandwidth",)}


def test_a_group_chooses_only_what_is_for_the_utterance() -> None:
    """So a probability is not lost on branches that do not apply."""
    wide = When(min_sample_rate=44_100)
    branches = (
        Branch(weight=9, part=Step(kind="codec", when=wide)),
        Branch(weight=1, part=CLIPPING),
    )
    narrow = Utterance("a", sample_rate=16_000)

    one = drawn([OneOfParts(branches=branches)], narrow)
    some = drawn([SomeOfParts(counts=(0, 0, 1), members=branches)], narrow)
    none = drawn([OneOfParts(branches=branches[:1])], narrow)

    assert [step.kind for step in (*one, *some)] == ["clipping", "clipping"]
    assert none == ()


def test_what_stands_beside_a_part_does_not_change_what_it_draws() -> None:
    """A stream belongs to a place in the tree, however deep."""
    inner = Chain(parts=(CLIPPING, NOISE))
    for number in range(50):
        before = drawn([inner], str(number))

        deeper = drawn([Chain(parts=(CLIPPING, NOISE, CODEC)), BANDWIDTH], str(number))

        assert deeper[:2] == before


def test_a_voice_is_never_the_speakers_own() -> None:
    """Nor the recording itself, where nobody knows who speaks."""
    step = Step(kind="noise", draws={"noise": FromPool(pool="noise", other_speaker=True)})

    def heard(utterance: Utterance) -> set[str]:
        names = (f"{utterance.id}{number}" for number in range(60))
        subjects = [
            Utterance(name, utterance.source_id, utterance.speaker, utterance.digest) for name in names
        ]
        return {str(drawn([step], subject)[0].params["noise"]["id"]) for subject in subjects}  # type: ignore[index,call-overload]

    assert heard(Utterance("u", "c/x", "ann")) == {"c/b", "c/c"}
    assert heard(Utterance("u", "c/b", None)) == {"c/a", "c/c"}


def test_a_pool_with_nobody_else_is_a_mistake() -> None:
    """It is said, and not mended by drawing the speaker."""
    step = Step(kind="noise", draws={"noise": FromPool(pool="noise", other_speaker=True)})

    with pytest.raises(ConfigError, match="pool 'noise' has nobody else than the speaker of 'a'"):
        drawn([step], Utterance("a", speaker="ann"), {"noise": (voice("c/a", "ann"),)})


def test_impossible_groups_are_refused() -> None:
    """More members than there are, and weights of which none counts."""
    with pytest.raises(ValidationError, match="2 of 1 members cannot be chosen"):
        SomeOfParts(counts=(0, 0, 1), members=(Branch(part=CODEC),))
    with pytest.raises(ValidationError, match="at least one weight must be above 0"):
        OneOfParts(branches=(Branch(weight=0, part=CODEC),))


def test_shares_say_how_often_each_step_applies() -> None:
    """About; for forecasts."""
    group = OneOfParts(
        branches=(Branch(weight=3, part=CLIPPING), Branch(weight=1, part=NOTHING)), probability=0.5
    )
    some = SomeOfParts(counts=(0, 1, 1), members=(Branch(part=CODEC), Branch(part=BANDWIDTH)))

    shares = {step.kind: share for part in (group, some) for step, share in part.shares}

    assert shares == pytest.approx({"clipping": 0.375, "codec": 0.75, "bandwidth": 0.75})
    assert [step.kind for step in steps_in((group, some))] == ["clipping", "codec", "bandwidth"]


@pytest.mark.parametrize(
    "other",
    [
        OneOfParts(branches=(Branch(weight=2, part=CODEC), Branch(part=CLIPPING))),
        OneOfParts(branches=(Branch(part=CODEC), Branch(part=NOISE))),
        OneOfParts(branches=(Branch(part=CODEC), Branch(part=CLIPPING)), when=When(min_duration_s=1)),
        SomeOfParts(counts=(0, 1), members=(Branch(part=CODEC), Branch(part=CLIPPING))),
        Chain(parts=(CODEC, CLIPPING)),
        Chain(parts=(CODEC, CLIPPING), order="random"),
    ],
)
def test_groups_are_described_by_all_that_they_depend_on(other: Part) -> None:
    """Whatever is drawn differently has another name."""
    group = OneOfParts(branches=(Branch(part=CODEC), Branch(part=CLIPPING)))

    assert group.described != other.described
