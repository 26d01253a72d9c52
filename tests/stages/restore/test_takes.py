"""What the takes of one model promise: each its own audio and settings, or a reason."""

from schemas import Degraded, Outcome, Reason, Status
from stages.audio.flac import encode_flac
from stages.operators.distributions import Constant
from stages.restorers import RESTORERS
from tests.support.changed_models import (
    Changed,
    Drawing,
    Sampling,
    audio_of,
    degraded,
    restored,
    stage_of,
    voiced,
)


def test_same_audio_is_one_candidate() -> None:
    """Of takes with the same samples only the first is a candidate; the row stays ok."""
    row = restored(stage_of(Changed(change="bend"), num_takes=3))

    assert row.is_ok
    assert [take.status for take in row.takes] == [Status.OK, Status.SKIPPED, Status.SKIPPED]
    assert {take.reason for take in row.takes[1:]} == {Reason.DUPLICATE_TAKE}
    assert row.takes[2].detail == "same audio as take 0"
    assert row.takes[2].audio is None


def test_the_clean_reference_is_no_restoration() -> None:
    """A take that has every sample of it is unfit, with that reason: it would win under a model's name."""
    speech = encode_flac(voiced())
    record = Degraded(id="corpus/a", degraded=speech, clean=speech)

    (row,) = stage_of(RESTORERS["identity"](), num_takes=2).process([record])

    assert [(take.status, take.reason) for take in row.takes] == 2 * [(Status.UNFIT, Reason.SAME_AS_CLEAN)]
    assert (row.status, row.takes[0].audio) == (Status.UNFIT, None)


def test_a_model_that_samples_draws_a_stream_per_take() -> None:
    """Takes of a sampling model differ without any settings."""
    row = restored(stage_of(Sampling(change="hiss"), num_takes=3))

    assert len({audio_of(row, take).digest for take in range(3)}) == 3
    assert [take.settings for take in row.takes] == [{}, {}, {}]


def test_the_first_take_is_the_model_as_it_is_set() -> None:
    """Without draws in the config, the model's own draws begin with the second take."""
    row = restored(stage_of(Drawing(change="bend"), num_takes=3))

    assert row.takes[0].settings == {}
    assert {*row.takes[1].settings, *row.takes[2].settings} == {"amount"}
    assert len({audio_of(row, take).digest for take in range(3)}) == 3


def test_draws_of_the_config_hold_for_every_take() -> None:
    """Asked for on purpose, settings are drawn from the first take on, and only those asked for."""
    row = restored(stage_of(Drawing(change="bend"), 2, {"amount": Constant(value=0.25)}))

    assert row.takes[0].settings == {"amount": 0.25}
    assert row.takes[1].reason is Reason.DUPLICATE_TAKE


def test_impossible_settings_are_a_reason() -> None:
    """A drawn value that the model refuses fails its take alone."""
    row = restored(stage_of(RESTORERS["wiener"](), 1, {"iterations": Constant(value=-1)}))

    assert (row.takes[0].reason, row.takes[0].detail) == (Reason.ERROR, "ValidationError")


def test_one_good_take_makes_a_good_row() -> None:
    """A row is as good as its best take; the others keep their reasons."""
    row = restored(stage_of(Sampling(change="sometimes"), num_takes=8))

    assert row.is_ok
    assert {take.status for take in row.takes} == {Status.OK, Status.FAILED, Status.SKIPPED}


def test_a_row_without_value_still_has_all_its_takes() -> None:
    """A record that killed its worker says so once per take, with the settings it would have had."""
    stage = stage_of(Drawing(change="bend"), num_takes=2)
    crashed = Outcome(status=Status.FAILED, reason=Reason.CRASHED)

    row = stage.without_value(degraded(), crashed)

    assert (row.id, row.status, row.reason) == ("corpus/a", Status.FAILED, Reason.CRASHED)
    assert [take.reason for take in row.takes] == [Reason.CRASHED, Reason.CRASHED]
    assert [take.settings for take in row.takes] == [take.settings for take in restored(stage).takes]
