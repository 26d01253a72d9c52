"""The published recipes that ship: they resolve, and their drawings are as frequent as the sources say."""

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from pipeline.config.recipes import SHIPPED_RECIPES
from pipeline.config.schema import PoolRooms
from schemas import OperatorSpec, Recipe, Split
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput, DegradeStage
from stages.dsp.rooms import simulate_room
from stages.operators.rng import rng_for
from stages.plan.chain import Part
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps, references_in
from tests.support.residual_lag import residual_lag
from tests.support.small_config import SMALL, resolved

NAMES = sorted(path.stem for path in SHIPPED_RECIPES.glob("*.yaml"))
DRAWS = 600
STATED: Mapping[str, Mapping[str, float]] = {
    "aatc": {"reverb": 0.5, "clipping": 0.25, "bandwidth": 0.5, "noise": 0.9},
    "dns_challenge": {"reverb": 0.5, "noise": 1.0},
    "masksr": {"reverb": 0.5, "clipping": 0.25, "bandwidth": 0.5, "noise": 0.9},
    "resemble_enhance": {
        "noise": 1.0,
        "coloured_noise": 0.4,
        "reverb": 2 * 0.4,
        "low_pass": 0.4 / 2,
        "band_pass": 0.4 / 2,
        "soft_clipping": 0.4,
        "equalizer": 0.4,
    },
    "sidon": dict.fromkeys(("reverb", "noise", "bandwidth", "clipping", "codec", "dropouts"), 0.5),
    "sonicmaster": {},
    "urgent2024": {"reverb": 0.5, "noise": 1.0, "bandwidth": 1 / 3, "clipping": 1 / 3},
    "urgent2025": {
        "reverb": 0.5,
        "noise": 0.95,
        "wind": 0.05,
        # 0, 1, 2 or 3 of four, 1.25 on average; beside wind of three, without clipping
        **dict.fromkeys(("bandwidth", "codec", "packet_loss"), 1.25 * (0.95 / 4 + 0.05 / 3)),
        "clipping": 1.25 * 0.95 / 4,
    },
    "voicefixer": {
        "low_pass": 0.3 + 5 / 6,
        "bandwidth": 1 / 6,
        "clipping": 0.2,
        "reverb": 0.3,
        "noise": 1.0,
    },
}
"""How often each kind applies to full-band speech at 48 kHz, on average."""
POOLS = {"noise": [{"synthesise": ["white"]}], "rir": [{"rooms": 1}]}
SPEECH = Path(__file__).parents[3] / "configs" / "speech"


@pytest.fixture
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Part, ...]:
    """Return a recipe as it is in a small config that includes it."""
    run = resolved(
        tmp_path,
        pools=POOLS,
        ingest={"sample_rate": 48_000},
        preference={**SMALL["preference"], "band_limited": True},
        degradations={"chain": [{"recipe": request.param}]},
    )
    return run.chain


@cache
def sources() -> MemoryAudioSource:
    """Return a noise and a room."""
    held = MemoryAudioSource()
    rng = rng_for(0, "recipes")
    held.add("noise", "hiss", Waveform((0.1 * rng.standard_normal(96_000)).astype(np.float32), 48_000))
    tail = 0.02 * rng.standard_normal(12_000) * np.exp(-np.arange(12_000) / 2_500)
    held.add("rir", "room", Waveform(np.r_[np.zeros(100), 1.0, tail].astype(np.float32), 48_000))
    return held


def drawn(chain: tuple[Part, ...], name: str, sample_rate: int = 48_000) -> tuple[OperatorSpec, ...]:
    """Return one recipe."""
    pools = {pool: sources().refs(pool) for pool in POOLS}
    utterance = Utterance(name, sample_rate=sample_rate, bandwidth_hz=sample_rate / 2)
    return draw_steps(chain, Occasion(utterance, 0, 0, pools))


def test_every_recipe_is_tested() -> None:
    """One that is added shows up here."""
    assert set(STATED) == set(NAMES)


@pytest.mark.parametrize(("chain", "stated"), STATED.items(), indirect=["chain"])
def test_steps_are_as_frequent_as_the_source_says(
    chain: tuple[Part, ...], stated: Mapping[str, float]
) -> None:
    """Within four standard deviations; and nothing else is drawn."""
    recipes = [drawn(chain, str(number)) for number in range(DRAWS)]

    counts = Counter(step.kind for recipe in recipes for step in recipe)
    if stated:
        assert counts.keys() == stated.keys()
    for kind, probability in stated.items():
        spread = math.sqrt(DRAWS * probability * max(1 - probability, 0.5))
        assert abs(counts[kind] - DRAWS * probability) <= 4 * spread, kind


@pytest.mark.parametrize("chain", ["sonicmaster"], indirect=True)
def test_sonicmaster_takes_one_to_three_groups_in_its_order(chain: tuple[Part, ...]) -> None:
    """Four times one, twice two, once three; dynamics, equalisation, reverberation, amplitude."""
    order = {"compression": 0, "punch": 0, "reverb": 2, "clipping": 3, "volume": 3}

    recipes = [
        [order.get(step.kind, 1) for step in drawn(chain, str(number)) if not is_hidden(step)]
        for number in range(DRAWS)
    ]

    sizes = Counter(map(len, recipes))
    for size, share in {1: 4 / 7, 2: 2 / 7, 3: 1 / 7}.items():
        assert sizes[size] == pytest.approx(DRAWS * share, abs=4 * math.sqrt(DRAWS * share))
    assert all(recipe == sorted(set(recipe)) for recipe in recipes)
    singles = Counter(recipe[0] for recipe in recipes if len(recipe) == 1)
    total = sum(singles.values())
    for group, weight in {0: 0.125, 1: 0.4, 2: 0.225, 3: 0.125}.items():
        share = weight / 0.875
        assert singles[group] == pytest.approx(total * share, abs=4 * math.sqrt(total * share))


def is_hidden(step: OperatorSpec) -> bool:
    """Whether a step is SonicMaster's hidden clipping, not the clipping of its amplitude group."""
    return step.params.get("gains_db") is not None


@pytest.mark.parametrize("chain", ["sonicmaster"], indirect=True)
def test_sonicmaster_clips_compression_and_reverberation_now_and_then(chain: tuple[Part, ...]) -> None:
    """Last of all, in 0.15 of cases, never beside its amplitude group, and beside nothing else."""
    loud, others = [], []
    for number in range(4 * DRAWS):
        steps = drawn(chain, str(number))
        group = {step.kind for step in steps if not is_hidden(step)}
        may = bool(group & {"compression", "reverb"}) and not group & {"clipping", "volume"}
        (loud if may else others).append([is_hidden(step) for step in steps])

    assert not any(any(hidden) for hidden in others)
    assert not any(any(hidden[:-1]) for hidden in loud)
    hidden = sum(steps[-1] for steps in loud)
    assert hidden == pytest.approx(0.15 * len(loud), abs=4 * math.sqrt(0.15 * 0.85 * len(loud)))


def test_sonicmasters_rooms_are_such_as_a_pool_takes() -> None:
    """The pool in its comment can be simulated: small rooms, large ones, and ones of unequal walls."""
    text = (SHIPPED_RECIPES / "sonicmaster.yaml").read_text()
    said = "\n".join(line[4:] for line in text.splitlines() if line.startswith("#   "))

    parts = yaml.safe_load(said)["rir"]

    small, large, unequal = (PoolRooms.model_validate(part) for part in parts if "rooms" in part)
    assert (small.rooms, large.rooms, unequal.rooms) == (15, 15, 30)
    assert large.height_m == (4, 14)
    for rooms in (small, large, unequal):
        response, facts = simulate_room(rng_for(0, "sonicmaster"), 16_000, rooms.ranges)
        assert response.duration_s < 1.5, "ten reflections are soon over"
        assert 0.05 < facts["absorption"] < 0.6


@pytest.mark.parametrize("chain", ["resemble_enhance"], indirect=True)
def test_resemble_enhance_mixes_in_the_background_last(chain: tuple[Part, ...]) -> None:
    """A fifth of the speech is not distorted, n of 6 distortions are of the rest, and all gets noise."""
    recipes = [[step.kind for step in drawn(chain, str(number))] for number in range(DRAWS)]

    assert all(recipe[-1] == "noise" and recipe.count("noise") == 1 for recipe in recipes)
    sizes = Counter(len(recipe) - 1 for recipe in recipes)
    for size in range(7):
        share = 0.8 * math.comb(6, size) / 64 + 0.2 * (size == 0)
        assert sizes[size] == pytest.approx(DRAWS * share, abs=4 * math.sqrt(DRAWS * share))


@pytest.mark.parametrize("chain", ["urgent2025"], indirect=True)
def test_urgents_wind_is_not_clipped_once_more(chain: tuple[Part, ...]) -> None:
    """Clipping is drawn beside recorded noise alone, and whatever is drawn comes after it."""
    recipes = [[step.kind for step in drawn(chain, str(number))] for number in range(4 * DRAWS)]

    windy = [recipe for recipe in recipes if "wind" in recipe]
    assert len(windy) > DRAWS / 10
    assert not any("clipping" in recipe for recipe in windy)
    assert all(recipe[0] in {"reverb", "wind", "noise"} for recipe in recipes)


@pytest.mark.parametrize("chain", ["urgent2024", "urgent2025"], indirect=True)
def test_urgents_new_rate_is_lower_than_the_speechs(chain: tuple[Part, ...]) -> None:
    """So a drawn bandwidth is one that limits; speech at 8 kHz has none."""
    for rate, lower in ((48_000, 6), (24_000, 3), (8_000, 0)):
        steps = [step for number in range(DRAWS) for step in drawn(chain, str(number), rate)]
        rates = Counter(step.params["sample_rate_hz"] for step in steps if step.kind == "bandwidth")

        assert len(rates) == lower
        assert all(float(str(each)) < rate for each in rates)


@pytest.mark.parametrize("chain", NAMES, indirect=True)
def test_recipes_can_be_carried_out(chain: tuple[Part, ...]) -> None:
    """On a bundled sentence, without a lag; what is recorded of one second of it may be a sample off."""
    samples, rate = soundfile.read(SPEECH / "speech-21.flac", dtype="float32")
    audio = encode_flac(Waveform(np.asarray(samples, dtype=np.float32)[: 2 * rate], rate))
    stage = DegradeStage(sources(), AudioCache())
    for number in range(4):
        steps = drawn(chain, str(number), rate)
        recipe = Recipe(
            id=str(number),
            utterance_id="u",
            source_id="u",
            corpus="c",
            repeat=0,
            split=Split.TRAIN,
            sample_rate=rate,
            num_samples=audio.num_samples,
            bandwidth_hz=rate / 2,
            steps=steps,
            sources=references_in(steps),
        )

        (row,) = stage.process([DegradeInput(recipe, audio)])

        assert row.is_ok
        assert [step.kind for step in row.applied] == [step.kind for step in steps]
        assert abs(row.residual_lag_samples) <= 1
        assert row.degraded is not None
        assert row.clean is not None
        sides = (AudioCache().waveform(side, rate) for side in (row.degraded, row.clean))
        lag, polarity = residual_lag(*sides)
        assert abs(lag) <= 0.5
        assert polarity == 1
