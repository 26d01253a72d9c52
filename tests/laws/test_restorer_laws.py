"""What every restoration model obeys, found by being in the family.

Models with published weights are met with the small ones of ``tests/support/tiny_restorers.py``; those that
cannot be loaded here have to say so.
"""

import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from schemas import Degraded, MissingWeightsError, Reason, Restored, Status
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.lag import clear_lag_samples
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.operators.distributions import bounds_of
from stages.operators.rng import rng_for
from stages.restore.stage import RestoreStage
from stages.restorers import RESTORERS, Restorer
from stages.weights.has_weights import HasWeights
from tests.support.speech_like import noisy, speech_like
from tests.support.tiny_restorers import MADE_ANEW, lawful_restorer

RATE = 16_000
SHAPES = [(1.0, 16_000), (0.1, 16_000), (0.1, 48_000), (4.0, 16_000), (1.0, 8_000), (1.3, 44_100)]
BYTES_PER_SAMPLE = 80
"""What a model that streams may need for each sample more: some ten copies in double precision."""


@pytest.fixture(scope="module", params=sorted(RESTORERS))
def restorer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restorer]:
    """Yield each registered model, loaded, with its default settings or small weights."""
    restorer = lawful_restorer(request.param, tmp_path_factory.mktemp(request.param))
    try:
        restorer.load("cpu")
    except MissingWeightsError as missing:
        if not restorer.unverified:  # it can be run: give it small weights in tests/support/tiny_restorers.py
            raise
        pytest.skip(f"{restorer.kind} is {restorer.unverified}: {missing}")
    yield restorer
    if hasattr(restorer, "close"):
        restorer.close()


def stage_of(restorer: Restorer, num_takes: int = 2) -> RestoreStage:
    """Return the stage around a loaded model."""
    return RestoreStage("model", restorer, num_takes=num_takes, draws={}, seed=0, cache=AudioCache())


def degraded(waveform: Waveform, name: str = "corpus/a") -> Degraded:
    """Return a record of ``waveform``."""
    return Degraded(id=name, degraded=encode_flac(waveform), clean=encode_flac(waveform.scale(0.9)))


def speech(seconds: float = 1.0, sample_rate: int = RATE) -> Waveform:
    """Return noisy speech."""
    return noisy(speech_like(seconds, sample_rate=sample_rate), 15.0)


def given_to(restorer: Restorer, seconds: float = 1.0) -> Waveform:
    """Return noisy speech at the rate of the model."""
    return speech(seconds, restorer.sample_rate or RATE)


def samples_of(row: Restored, take: int = 0) -> np.ndarray:
    """Return what was stored."""
    audio = row.takes[take].audio
    assert audio is not None, row
    return decode_flac(audio).samples


def check(row: Restored, given: Waveform) -> None:
    """Each take holds finite audio of the input's length, rate and level, or a reason."""
    for take in row.takes:
        if take.audio is None:
            assert take.reason is not None
            continue
        samples = decode_flac(take.audio).samples
        assert (samples.size, take.audio.sample_rate) == (given.samples.size, given.sample_rate)
        assert np.isfinite(samples).all()
        levels_db = [active_level_db(each, given.sample_rate) for each in (given.samples, samples)]
        assert levels_db[1] - take.audio.gain_db == pytest.approx(levels_db[0], abs=3.0)


@pytest.mark.parametrize(("seconds", "sample_rate"), SHAPES)
def test_gives_audio_like_its_input_or_a_reason(restorer: Restorer, seconds: float, sample_rate: int) -> None:
    """From 0.1 to 4 s and from 8 to 48 kHz, length, rate and level are the input's."""
    given = speech(seconds, sample_rate)

    row = stage_of(restorer).process([degraded(given)])[0]

    check(row, given)
    assert row.is_ok or seconds < 1.0, row


@pytest.mark.parametrize("sound", ["speech", "clicks"])
def test_is_where_its_input_is(restorer: Restorer, sound: str) -> None:
    """On speech and on a train of clicks, what comes back is neither late nor early by two samples.

    Of speech that was made anew, as random weights do, nobody can say; then no lag stands out.
    """
    given = {"speech": speech(3.0), "clicks": clicks()}[sound]

    heard = samples_of(stage_of(restorer, 1).process([degraded(given)])[0])

    lag = clear_lag_samples(heard, given.samples, RATE // 4)
    assert lag in {None, -1, 0, 1}
    assert lag is not None or restorer.kind in MADE_ANEW


def clicks() -> Waveform:
    """Return clicks at odd times in a little noise: a train in step would fit to itself in many places."""
    samples = 1e-3 * rng_for(0, "hiss").standard_normal(3 * RATE)
    places = np.cumsum(rng_for(0, "clicks").integers(400, 2_000, size=40))
    samples[places[places < samples.size - 16]] += 0.5
    return Waveform(samples.astype(np.float32), RATE)


@pytest.mark.parametrize(
    "samples",
    [np.full(RATE, 0.5), np.eye(1, RATE, RATE // 2)[0], np.ones(1), np.full(RATE, 2e-6)],
    ids=["dc", "click", "one sample", "almost nothing"],
)
def test_oddities_give_audio_or_a_reason(restorer: Restorer, samples: np.ndarray) -> None:
    """Nothing escapes, whatever comes in."""
    given = Waveform(samples.astype(np.float32), RATE)

    row = stage_of(restorer).process([degraded(given)])[0]

    assert len(row.takes) == 2
    assert all(take.is_ok == (take.audio is not None) for take in row.takes)


def test_silence_is_a_reason(restorer: Restorer) -> None:
    """There is nothing to restore in it."""
    row = stage_of(restorer).process([degraded(Waveform(np.zeros(RATE, np.float32), RATE))])[0]

    assert (row.status, row.reason) == (Status.UNFIT, Reason.SILENT)


def test_digital_silence_between_words_does_no_harm(restorer: Restorer) -> None:
    """A recording that was gated before still gives finite audio."""
    given = speech(2.0)
    gated = given.with_samples(np.where(np.arange(32_000) % 12_000 < 8_000, given.samples, 0.0))

    row = stage_of(restorer).process([degraded(gated)])[0]

    assert row.is_ok
    check(row, gated)


def test_replays_from_its_spec(restorer: Restorer) -> None:
    """An operator built again from its spec gives the same samples from the same stream."""
    given, again = given_to(restorer), RESTORERS.build(restorer.spec)
    again.load("cpu")

    first, second = (each.restore([given], [rng_for(0, "take")])[0] for each in (restorer, again))

    assert np.array_equal(first.samples, second.samples)


def test_draws_from_its_stream_alone(restorer: Restorer) -> None:
    """The same stream gives the same take, after whatever else; another one another, if it samples."""
    given = degraded(speech())
    first, second = stage_of(restorer).process([given])[0].takes
    if not restorer.sampling and not restorer.draws:
        assert second.reason is Reason.DUPLICATE_TAKE
    elif restorer.sampling:
        assert first.settings == second.settings == {}
        assert second.is_ok, "another stream gave the same audio"

    assert tuple(stage_of(restorer).process([given])[0].takes) == (first, second)


def test_survives_the_way_to_a_worker(restorer: Restorer) -> None:
    """Loaded or not, a model can be pickled; its settings arrive, and it restores once it is loaded there."""
    sent: Restorer = pickle.loads(pickle.dumps(restorer))

    assert sent == type(restorer).model_validate(restorer.model_dump())
    assert sent.spec == restorer.spec
    sent.load("cpu")
    given = given_to(restorer)
    ours, theirs = (each.restore([given], [rng_for(0, "take")])[0] for each in (restorer, sent))
    assert np.array_equal(ours.samples, theirs.samples)


def test_leaves_its_input_alone(restorer: Restorer) -> None:
    """The degraded audio is the same after restoring as before."""
    given = given_to(restorer)
    before = given.samples.copy()

    restorer.restore([given], [rng_for(0, "take")])

    assert np.array_equal(given.samples, before)


def test_a_result_does_not_depend_on_its_neighbours(restorer: Restorer) -> None:
    """The same record gives the same row alone, first and last."""
    a, b = degraded(speech()), degraded(speech(1.5), "corpus/b")
    alone = stage_of(restorer).process([a])[0]
    stage = stage_of(restorer)

    rows = [row for batch in stage.batches([a, b]) for row in stage.process(batch)]

    again = stage.process([a])[0]
    assert alone == again == next(row for row in rows if row.id == a.id)


def test_company_in_a_call_is_not_heard(restorer: Restorer) -> None:
    """Given with others at once, of other lengths, outputs are as they are alone, within the tolerance."""
    inputs = [given_to(restorer, seconds) for seconds in (1.0, 0.6, 1.3)]
    alone = [restorer.restore([each], [rng_for(0, n)])[0] for n, each in enumerate(inputs)]

    together = restorer.restore(inputs, [rng_for(0, n) for n in range(len(inputs))])

    for one, other in zip(alone, together, strict=True):
        difference = np.abs(one.samples - other.samples).max()
        assert difference <= restorer.tolerance * np.abs(one.samples).max()


def test_chunks_leave_room_for_what_they_share(restorer: Restorer) -> None:
    """At most two chunks meet anywhere, and the cross-fade is wider than the latest output is late."""
    if restorer.chunk_s is not None:
        assert 0.5 <= restorer.overlap_s <= restorer.chunk_s / 3


def test_memory_of_a_model_that_streams_is_that_of_its_audio(restorer: Restorer) -> None:
    """What has no chunks needs some copies of its input at most, and nothing that grows faster."""
    if restorer.chunk_s is not None or restorer.kind == "chain":
        pytest.skip("it, or each of its links, is given chunks")
    peaks, inputs = [], [given_to(restorer, seconds) for seconds in (2.0, 6.0)]
    for given in inputs:
        tracemalloc.start()
        restorer.restore([given], [rng_for(0, "take")])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    more_samples = inputs[1].samples.size - inputs[0].samples.size
    assert peaks[1] - peaks[0] < BYTES_PER_SAMPLE * more_samples


def test_can_be_set_to_whatever_it_may_draw(restorer: Restorer) -> None:
    """The edges of the default draws are settings that the model accepts."""
    for field, distribution in restorer.draws.items():
        for value in bounds_of(distribution):
            assert getattr(restorer.with_settings({field: value}), field) == value


@pytest.mark.parametrize("kind", sorted(RESTORERS))
def test_takes_share_what_is_loaded(kind: str, tmp_path: Path) -> None:
    """No setting that a take may have of its own stands for other weights, or for other calls."""
    restorer, member = lawful_restorer(kind, tmp_path), RESTORERS[kind]
    assert not member.undrawable() & member.draws.keys()
    assert member.undrawable() <= member.model_fields.keys()

    for name, field in member.model_fields.items():
        if get_origin(field.annotation) is Literal and name not in member.undrawable():
            for choice in get_args(field.annotation):
                assert loaded(restorer.with_settings({name: choice})) == loaded(restorer)


def loaded(restorer: Restorer) -> tuple[object, ...]:
    """Return what is brought in for a model, and how it is called."""
    published = restorer.published if isinstance(restorer, HasWeights) else None
    return published, restorer.sample_rate, restorer.chunk_s, restorer.batch_s, restorer.environment


def test_says_what_it_is(restorer: Restorer) -> None:
    """Licence, paradigm and a description are there for the data card."""
    assert restorer.licence
    assert restorer.paradigm
    assert type(restorer).__doc__
