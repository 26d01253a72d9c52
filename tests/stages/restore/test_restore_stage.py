"""What restoring promises: the model's sound at the input's time, length and level, or a reason."""

from typing import ClassVar

import numpy as np
import pytest

from schemas import Degraded, Reason, RunError, Status
from stages.audio.flac import decode_flac
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers import RESTORERS
from tests.support.changed_models import (
    CHANGES,
    Changed,
    Loud,
    Sampling,
    audio_of,
    degraded,
    restored,
    stage_of,
    voiced,
)


@pytest.mark.parametrize("change", ["late", "late_and_cut"])
def test_a_delay_is_found_removed_and_recorded(change: str) -> None:
    """A model that is 137 samples late ends up where its input was, and the row says so."""
    record = degraded()

    row = restored(stage_of(Changed(change=change)), record)

    assert row.takes[0].lag_samples == 137
    given = decode_flac(record.degraded).samples if record.degraded else None
    assert np.array_equal(decode_flac(audio_of(row)).samples[:-137], given[:-137])


def test_a_delay_at_another_rate_is_recorded_at_the_inputs() -> None:
    """137 samples at 16 kHz are 411 at 48 kHz."""
    row = restored(stage_of(Changed(change="late", rate=16_000)), degraded(voiced(sample_rate=48_000)))

    assert row.takes[0].lag_samples == 411
    assert audio_of(row).sample_rate == 48_000


@pytest.mark.parametrize("change", ["late", "a_frame_longer", "a_frame_shorter"])
@pytest.mark.parametrize("rate", [None, 8_000, 44_100])
def test_the_length_is_the_inputs(change: str, rate: int | None) -> None:
    """A frame more or less, at whatever rate, does not show."""
    row = restored(stage_of(Changed(change=change, rate=rate)), degraded(voiced(1.7)))

    assert (audio_of(row).num_samples, audio_of(row).sample_rate) == (27_200, 16_000)


@pytest.mark.parametrize(
    ("change", "samples"),
    [("late_and_cut", 0), ("late", 137), ("a_frame_longer", 512), ("a_frame_shorter", -512)],
)
@pytest.mark.parametrize("rate", [None, 8_000, 44_100])
def test_how_much_longer_the_model_made_it_is_recorded(change: str, samples: int, rate: int | None) -> None:
    """In seconds, whatever the model's rate; 0 is 0, though lengths at two rates are rounded."""
    row = restored(stage_of(Changed(change=change, rate=rate)), degraded(voiced(1.70006)))

    assert row.takes[0].length_change_s == pytest.approx(samples / (rate or 16_000), rel=1e-12)
    assert audio_of(row).num_samples == 27_200


class InPart(UnbatchedRestorer):
    """A model whose restorations may be taken in part, and have another length."""

    kind: ClassVar[str] = "test_in_part"
    change: str

    def restore_one(self, waveform: Waveform) -> np.ndarray:
        """Return the changed input."""
        return CHANGES[self.change](waveform.samples, 1.0, rng_for(0, "unused"))


@pytest.mark.parametrize(("change", "samples"), [("a_frame_longer", 512), ("a_frame_shorter", -512)])
def test_the_length_of_a_restoration_that_is_taken_in_part_is_no_secret(change: str, samples: int) -> None:
    """What is mixed with the input is not fitted to it before."""
    whole, half = (restored(stage_of(InPart(change=change, strength=part))) for part in (1.0, 0.5))

    assert whole.takes[0].length_change_s == half.takes[0].length_change_s == samples / 16_000
    assert audio_of(half).num_samples == 32_000


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_half_a_restoration_is_none_however_little_of_it_is_taken(strength: float) -> None:
    """A strength under 1 does not make up for what is missing."""
    row = restored(stage_of(InPart(change="half", strength=strength)))

    assert row.reason is Reason.WRONG_SHAPE


def test_the_level_is_the_inputs_and_the_gain_is_recorded() -> None:
    """A model that is 20 dB too quiet is brought back, within a hundredth of a decibel."""
    speech = voiced()

    row = restored(stage_of(Changed(change="quiet")), degraded(speech))

    assert row.takes[0].level_gain_db == pytest.approx(20.0, abs=0.01)
    level_db = active_level_db(decode_flac(audio_of(row)).samples, 16_000)
    assert level_db == pytest.approx(active_level_db(speech.samples, 16_000), abs=0.02)


def test_a_level_that_is_meant_stays() -> None:
    """A model that restores levels keeps its own."""
    row = restored(stage_of(Loud(change="quiet")))

    assert row.takes[0].level_gain_db == 0.0
    assert np.abs(decode_flac(audio_of(row)).samples).max() < 0.1


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100])
def test_identity_is_the_input_bit_for_bit(sample_rate: int) -> None:
    """The control has the very digest of the degraded audio."""
    record = degraded(voiced(sample_rate=sample_rate))

    row = restored(stage_of(RESTORERS["identity"]()), record)

    assert record.degraded is not None
    assert audio_of(row).digest == record.degraded.digest


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("half", Reason.WRONG_SHAPE),
        ("much_longer", Reason.WRONG_SHAPE),
        ("nothing_left", Reason.WRONG_SHAPE),
        ("nan", Reason.NOT_FINITE),
        ("infinite", Reason.NOT_FINITE),
        ("silent", Reason.SILENT),
        ("two_channels", Reason.ERROR),
        ("raise", Reason.ERROR),
        ("memory", Reason.OUT_OF_MEMORY),
    ],
)
@pytest.mark.parametrize("rate", [None, 8_000])
def test_what_is_no_restoration_is_a_reason(change: str, reason: Reason, rate: int | None) -> None:
    """Broken output is a failed take and, as the only one, a failed row; no foreign words in it."""
    row = restored(stage_of(Changed(change=change, rate=rate)))

    assert (row.status, row.reason) == (Status.FAILED, reason)
    assert (row.takes[0].status, row.takes[0].reason) == (Status.FAILED, reason)
    assert row.takes[0].audio is None
    assert "someone" not in row.model_dump_json()


def test_what_the_next_record_would_meet_too_stops_the_run() -> None:
    """A full disk is no property of a record."""
    with pytest.raises(RunError, match="No space left"):
        restored(stage_of(Changed(change="disk")))


def test_silence_is_unfit() -> None:
    """There is nothing to restore in silence, whatever the model would make of it."""
    row = restored(stage_of(Sampling(change="hiss"), num_takes=2), degraded(_silence()))

    assert (row.status, row.reason) == (Status.UNFIT, Reason.SILENT)
    assert [take.status for take in row.takes] == [Status.UNFIT, Status.UNFIT]


def _silence() -> Waveform:
    return Waveform(np.zeros(16_000, dtype=np.float32), 16_000)


def test_no_value_upstream_means_no_takes() -> None:
    """What could not be degraded cannot be restored."""
    record = Degraded(id="corpus/a", status=Status.FAILED, reason=Reason.ERROR)

    row = restored(stage_of(Changed(change="late"), num_takes=2), record)

    assert (row.status, row.reason, row.takes) == (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM, ())


def test_a_result_does_not_depend_on_its_neighbours() -> None:
    """The same record gives the same row alone, first, last and on another worker."""
    a, b = degraded(name="corpus/a"), degraded(voiced(1.0), name="corpus/b")
    alone = restored(stage_of(Sampling(change="hiss"), num_takes=2), a)
    stage = stage_of(Sampling(change="hiss"), num_takes=2)

    first, _, last = stage.process([a, b, a])

    assert alone == first == last


def test_a_minute_is_restored_whole() -> None:
    """Sixty seconds come back as sixty seconds."""
    minute = Waveform(np.tile(voiced(2.0).samples, 30), 16_000)

    row = restored(stage_of(Changed(change="late")), degraded(minute))

    assert audio_of(row).num_samples == 960_000
    assert row.takes[0].lag_samples == 137
