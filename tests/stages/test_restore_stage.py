"""What restoring promises: the model's sound at the input's time, length and level, or a reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest

from schemas import Degraded, EncodedAudio, Outcome, Reason, Restored, RunError, Status
from stages.active_level import active_level_db
from stages.audio_memory import AudioMemory
from stages.distributions import Constant, Distribution, Uniform
from stages.flac import decode, encode
from stages.restore import RestoreStage
from stages.restorers import RESTORERS, Restorer
from stages.rng import rng_for
from stages.waveform import Waveform


class Changed(Restorer):
    """A model that does one thing to the samples, named by the test."""

    kind: ClassVar[str] = "test_changed"
    change: str
    rate: int | None = None
    amount: float = 1.0

    @property
    def sample_rate(self) -> int | None:
        """As the test says."""
        return self.rate

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the changed inputs."""
        pairs = zip(batch, streams, strict=True)
        return [w.with_samples(CHANGES[self.change](w.samples, self.amount, rng)) for w, rng in pairs]


class Sampling(Changed):
    """The same, as a model that draws."""

    sampling: ClassVar[bool] = True


class Drawing(Changed):
    """The same, as a model that says how its settings differ."""

    draws: ClassVar[Mapping[str, Distribution]] = {"amount": Uniform(low=0.1, high=0.9)}


class Loud(Changed):
    """The same, as a model whose level is meant."""

    restores_level: ClassVar[bool] = True


def _raising(error: Exception) -> Callable[..., np.ndarray]:
    def change(*_: object) -> np.ndarray:
        raise error

    return change


CHANGES: dict[str, Callable[..., np.ndarray]] = {
    "late": lambda x, *_: np.pad(x, (137, 0)),
    "late_and_cut": lambda x, *_: np.pad(x, (137, 0))[: x.size],
    "quiet": lambda x, *_: 0.1 * x,
    "a_frame_longer": lambda x, *_: np.pad(x, (0, 512)),
    "a_frame_shorter": lambda x, *_: x[:-512],
    "half": lambda x, *_: x[: x.size // 2],
    "much_longer": lambda x, *_: np.pad(x, (0, x.size)),
    "nothing_left": lambda x, *_: x[:0],
    "nan": lambda x, *_: np.where(np.arange(x.size) == 7, np.nan, x),
    "infinite": lambda x, *_: np.where(np.arange(x.size) == 7, np.inf, x),
    "silent": lambda x, *_: 0.0 * x,
    "two_channels": lambda x, *_: np.stack([x, x]),
    "raise": _raising(ValueError("weights of /home/someone disagree")),
    "memory": _raising(MemoryError()),
    "disk": _raising(OSError(28, "No space left on device")),
    "hiss": lambda x, a, rng: x + 0.01 * a * rng.standard_normal(x.size),
    "bend": lambda x, a, _: np.tanh(x / a),
    "sometimes": lambda x, _, rng: x if rng.random() < 0.5 else CHANGES["raise"](),
}


def _speech(seconds: float = 2.0, sample_rate: int = 16_000) -> Waveform:
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    voice = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 12)) * (np.sin(9 * t) > -0.5)
    hiss = rng_for(0, "hiss").standard_normal(t.size)
    return Waveform((0.1 * voice + 0.003 * hiss).astype(np.float32), sample_rate)


def _degraded(waveform: Waveform | None = None, name: str = "corpus/a") -> Degraded:
    audio = encode(waveform or _speech())
    return Degraded(id=name, degraded=audio, clean=audio)


def _stage(
    restorer: Restorer, num_takes: int = 1, draws: Mapping[str, Distribution] | None = None
) -> RestoreStage:
    stage = RestoreStage(
        "model", restorer, num_takes=num_takes, draws=draws or {}, seed=0, memory=AudioMemory()
    )
    stage.load("cpu")
    return stage


def _restored(stage: RestoreStage, record: Degraded | None = None) -> Restored:
    return stage.process([record or _degraded()])[0]


def _audio(row: Restored, take: int = 0) -> EncodedAudio:
    audio = row.takes[take].audio
    assert audio is not None, row.takes[take]
    return audio


@pytest.mark.parametrize("change", ["late", "late_and_cut"])
def test_a_delay_is_found_removed_and_recorded(change: str) -> None:
    """A model that is 137 samples late ends up where its input was, and the row says so."""
    record = _degraded()

    row = _restored(_stage(Changed(change=change)), record)

    assert row.takes[0].lag_samples == 137
    given = decode(record.degraded).samples if record.degraded else None
    assert np.array_equal(decode(_audio(row)).samples[:-137], given[:-137])


def test_a_delay_at_another_rate_is_recorded_at_the_inputs() -> None:
    """137 samples at 16 kHz are 411 at 48 kHz."""
    row = _restored(_stage(Changed(change="late", rate=16_000)), _degraded(_speech(sample_rate=48_000)))

    assert row.takes[0].lag_samples == 411
    assert _audio(row).sample_rate == 48_000


@pytest.mark.parametrize("change", ["late", "a_frame_longer", "a_frame_shorter"])
@pytest.mark.parametrize("rate", [None, 8_000, 44_100])
def test_the_length_is_the_inputs(change: str, rate: int | None) -> None:
    """A frame more or less, at whatever rate, does not show."""
    row = _restored(_stage(Changed(change=change, rate=rate)), _degraded(_speech(1.7)))

    assert (_audio(row).num_samples, _audio(row).sample_rate) == (27_200, 16_000)


def test_the_level_is_the_inputs_and_the_gain_is_recorded() -> None:
    """A model that is 20 dB too quiet is brought back, within a hundredth of a decibel."""
    speech = _speech()

    row = _restored(_stage(Changed(change="quiet")), _degraded(speech))

    assert row.takes[0].level_gain_db == pytest.approx(20.0, abs=0.01)
    level_db = active_level_db(decode(_audio(row)).samples, 16_000)
    assert level_db == pytest.approx(active_level_db(speech.samples, 16_000), abs=0.02)


def test_a_level_that_is_meant_stays() -> None:
    """A model that restores levels keeps its own."""
    row = _restored(_stage(Loud(change="quiet")))

    assert row.takes[0].level_gain_db == 0.0
    assert np.abs(decode(_audio(row)).samples).max() < 0.1


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100])
def test_identity_is_the_input_bit_for_bit(sample_rate: int) -> None:
    """The control has the very digest of the degraded audio."""
    record = _degraded(_speech(sample_rate=sample_rate))

    row = _restored(_stage(RESTORERS["identity"]()), record)

    assert record.degraded is not None
    assert _audio(row).digest == record.degraded.digest


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
    row = _restored(_stage(Changed(change=change, rate=rate)))

    assert (row.status, row.reason) == (Status.FAILED, reason)
    assert (row.takes[0].status, row.takes[0].reason) == (Status.FAILED, reason)
    assert row.takes[0].audio is None
    assert "someone" not in row.model_dump_json()


def test_what_the_next_record_would_meet_too_stops_the_run() -> None:
    """A full disk is no property of a record."""
    with pytest.raises(RunError, match="No space left"):
        _restored(_stage(Changed(change="disk")))


def test_silence_is_unfit() -> None:
    """There is nothing to restore in silence, whatever the model would make of it."""
    row = _restored(_stage(Sampling(change="hiss"), num_takes=2), _degraded(_silence()))

    assert (row.status, row.reason) == (Status.UNFIT, Reason.SILENT)
    assert [take.status for take in row.takes] == [Status.UNFIT, Status.UNFIT]


def _silence() -> Waveform:
    return Waveform(np.zeros(16_000, dtype=np.float32), 16_000)


def test_same_audio_is_one_candidate() -> None:
    """Of takes with the same samples only the first is a candidate; the row stays ok."""
    row = _restored(_stage(Changed(change="bend"), num_takes=3))

    assert row.is_ok
    assert [take.status for take in row.takes] == [Status.OK, Status.SKIPPED, Status.SKIPPED]
    assert {take.reason for take in row.takes[1:]} == {Reason.DUPLICATE_TAKE}
    assert row.takes[2].detail == "same audio as take 0"
    assert row.takes[2].audio is None


def test_a_model_that_samples_draws_a_stream_per_take() -> None:
    """Takes of a sampling model differ without any settings."""
    row = _restored(_stage(Sampling(change="hiss"), num_takes=3))

    assert len({_audio(row, take).digest for take in range(3)}) == 3
    assert [take.settings for take in row.takes] == [{}, {}, {}]


def test_the_first_take_is_the_model_as_it_is_set() -> None:
    """Without draws in the config, the model's own draws begin with the second take."""
    row = _restored(_stage(Drawing(change="bend"), num_takes=3))

    assert row.takes[0].settings == {}
    assert {*row.takes[1].settings, *row.takes[2].settings} == {"amount"}
    assert len({_audio(row, take).digest for take in range(3)}) == 3


def test_draws_of_the_config_hold_for_every_take() -> None:
    """Asked for on purpose, settings are drawn from the first take on, and only those asked for."""
    row = _restored(_stage(Drawing(change="bend"), 2, {"amount": Constant(value=0.25)}))

    assert row.takes[0].settings == {"amount": 0.25}
    assert row.takes[1].reason is Reason.DUPLICATE_TAKE


def test_impossible_settings_are_a_reason() -> None:
    """A drawn value that the model refuses fails its take alone."""
    row = _restored(_stage(RESTORERS["wiener"](), 1, {"iterations": Constant(value=-1)}))

    assert (row.takes[0].reason, row.takes[0].detail) == (Reason.ERROR, "ValidationError")


def test_one_good_take_makes_a_good_row() -> None:
    """A row is as good as its best take; the others keep their reasons."""
    row = _restored(_stage(Sampling(change="sometimes"), num_takes=8))

    assert row.is_ok
    assert {take.status for take in row.takes} == {Status.OK, Status.FAILED, Status.SKIPPED}


def test_no_value_upstream_means_no_takes() -> None:
    """What could not be degraded cannot be restored."""
    record = Degraded(id="corpus/a", status=Status.FAILED, reason=Reason.ERROR)

    row = _restored(_stage(Changed(change="late"), num_takes=2), record)

    assert (row.status, row.reason, row.takes) == (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM, ())


def test_a_row_without_value_still_has_all_its_takes() -> None:
    """A record that killed its worker says so once per take, with the settings it would have had."""
    stage = _stage(Drawing(change="bend"), num_takes=2)
    crashed = Outcome(status=Status.FAILED, reason=Reason.CRASHED)

    row = stage.without_value(_degraded(), crashed)

    assert (row.id, row.status, row.reason) == ("corpus/a", Status.FAILED, Reason.CRASHED)
    assert [take.reason for take in row.takes] == [Reason.CRASHED, Reason.CRASHED]
    assert [take.settings for take in row.takes] == [take.settings for take in _restored(stage).takes]


def test_a_result_does_not_depend_on_its_neighbours() -> None:
    """The same record gives the same row alone, first, last and on another worker."""
    a, b = _degraded(name="corpus/a"), _degraded(_speech(1.0), name="corpus/b")
    alone = _restored(_stage(Sampling(change="hiss"), num_takes=2), a)
    stage = _stage(Sampling(change="hiss"), num_takes=2)

    first, _, last = stage.process([a, b, a])

    assert alone == first == last


def test_a_minute_is_restored_whole() -> None:
    """Sixty seconds come back as sixty seconds."""
    minute = Waveform(np.tile(_speech(2.0).samples, 30), 16_000)

    row = _restored(_stage(Changed(change="late")), _degraded(minute))

    assert _audio(row).num_samples == 960_000
    assert row.takes[0].lag_samples == 137
