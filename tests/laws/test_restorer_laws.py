"""What every restoration model obeys, found by being in the family."""

import pickle

import numpy as np
import pytest

from schemas import Degraded, Restored
from stages.active_level import active_level_db
from stages.audio_memory import AudioMemory
from stages.distributions import bounds_of
from stages.flac import decode, encode
from stages.restore import RestoreStage
from stages.restorers import RESTORERS, Restorer
from stages.rng import rng_for
from stages.waveform import Waveform

KINDS = sorted(kind for kind, member in RESTORERS.items() if member.weights == "none needed")
SHAPES = [
    (1.0, 16_000),
    (0.1, 16_000),
    (0.1, 48_000),
    (10.0, 16_000),
    (1.0, 8_000),
    (1.3, 44_100),
    (1.0, 48_000),
]

every_kind = pytest.mark.parametrize("kind", KINDS)


def _noisy(seconds: float = 1.0, sample_rate: int = 16_000, seed: int = 0) -> Waveform:
    """Return speech-like bursts in noise, some 15 dB under them."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(4 * t)) / sample_rate
    voiced = sum(np.sin(k * pitch) / k for k in range(1, 15)) * (np.sin(11 * t + seed) > -0.3)
    hiss = rng_for(seed, "hiss").standard_normal(t.size)
    return Waveform((0.1 * voiced + 0.015 * hiss).astype(np.float32), sample_rate)


def _stage(restorer: Restorer, num_takes: int = 2) -> RestoreStage:
    stage = RestoreStage("model", restorer, num_takes=num_takes, draws={}, seed=0, memory=AudioMemory())
    stage.load("cpu")
    return stage


def _degraded(waveform: Waveform, name: str = "corpus/a") -> Degraded:
    audio = encode(waveform)
    return Degraded(id=name, degraded=audio, clean=audio)


def _check(row: Restored, given: Waveform) -> None:
    """Each take holds finite audio of the input's length, rate and level, or a reason."""
    for take in row.takes:
        if take.audio is None:
            assert take.reason is not None
            continue
        samples = decode(take.audio).samples
        assert (samples.size, take.audio.sample_rate) == (given.samples.size, given.sample_rate)
        assert np.isfinite(samples).all()
        before_db, after_db = (active_level_db(each, given.sample_rate) for each in (given.samples, samples))
        assert after_db == pytest.approx(before_db, abs=3.0)


@every_kind
@pytest.mark.parametrize(("seconds", "sample_rate"), SHAPES)
def test_gives_audio_like_its_input_or_a_reason(kind: str, seconds: float, sample_rate: int) -> None:
    """From 0.1 to 10 s and from 8 to 48 kHz, length, rate and level are the input's."""
    given = _noisy(seconds, sample_rate)

    row = _stage(RESTORERS[kind]()).process([_degraded(given)])[0]

    _check(row, given)
    assert row.is_ok or seconds < 1.0, row


@every_kind
@pytest.mark.parametrize(
    "samples",
    [np.zeros(16_000), np.full(16_000, 0.5), np.eye(1, 16_000, 8_000)[0], np.ones(1)],
    ids=["silence", "dc", "click", "one sample"],
)
def test_oddities_give_audio_or_a_reason(kind: str, samples: np.ndarray) -> None:
    """Nothing escapes, whatever comes in."""
    given = Waveform(samples.astype(np.float32), 16_000)

    row = _stage(RESTORERS[kind]()).process([_degraded(given)])[0]

    assert len(row.takes) == 2
    assert all(take.is_ok == (take.audio is not None) for take in row.takes)


@every_kind
def test_digital_silence_between_words_does_no_harm(kind: str) -> None:
    """A recording that was gated before still gives finite audio."""
    noisy = _noisy(2.0)
    gated = noisy.with_samples(np.where(np.arange(32_000) % 12_000 < 8_000, noisy.samples, 0.0))

    row = _stage(RESTORERS[kind]()).process([_degraded(gated)])[0]

    assert row.is_ok
    _check(row, gated)


@every_kind
def test_replays_from_its_spec(kind: str) -> None:
    """An operator built again from its spec gives the same samples from the same stream."""
    given, restorer = _noisy(sample_rate=RESTORERS[kind]().sample_rate or 16_000), RESTORERS[kind]()
    restorer.load("cpu")
    again = RESTORERS.build(restorer.spec)
    again.load("cpu")

    first, second = (each.restore([given], [rng_for(0, "take")])[0] for each in (restorer, again))

    assert np.array_equal(first.samples, second.samples)


@every_kind
def test_survives_the_way_to_a_worker(kind: str) -> None:
    """Before it is loaded, a model can be pickled, and is the same afterwards."""
    restorer = RESTORERS[kind]()

    sent = pickle.loads(pickle.dumps(restorer))

    assert sent == restorer
    assert sent.spec == restorer.spec


@every_kind
def test_leaves_its_input_alone(kind: str) -> None:
    """The degraded audio is the same after restoring as before."""
    restorer = RESTORERS[kind]()
    given = _noisy(sample_rate=restorer.sample_rate or 16_000)
    before = given.samples.copy()
    restorer.load("cpu")

    restorer.restore([given], [rng_for(0, "take")])

    assert np.array_equal(given.samples, before)


@every_kind
def test_a_result_does_not_depend_on_its_neighbours(kind: str) -> None:
    """The same record gives the same row alone, first and last."""
    a, b = _degraded(_noisy(), "corpus/a"), _degraded(_noisy(1.5, seed=1), "corpus/b")
    alone = _stage(RESTORERS[kind]()).process([a])[0]

    first, _, last = _stage(RESTORERS[kind]()).process([a, b, a])

    assert alone == first == last


@every_kind
def test_can_be_set_to_whatever_it_may_draw(kind: str) -> None:
    """The edges of the default draws are settings that the model accepts."""
    restorer = RESTORERS[kind]()

    for field, distribution in restorer.draws.items():
        for value in bounds_of(distribution):
            assert getattr(restorer.with_settings({field: value}), field) == value


@every_kind
def test_says_what_it_is(kind: str) -> None:
    """Licence, paradigm and a description are there for the data card."""
    member = RESTORERS[kind]

    assert member.licence
    assert member.paradigm
    assert member.__doc__
