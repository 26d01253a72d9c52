"""Restoring in pieces and in company: long recordings, batches, and a memory that is too small."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import pytest

from schemas import Degraded, EncodedAudio, Reason, Restored, Status
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.waveform import Waveform
from stages.restore.stage import RestoreStage
from stages.restorers import Restorer
from tests.support.speech_like import speech_like

HEARD: list[list[Waveform]] = []
"""The inputs of each call."""


@pytest.fixture(autouse=True)
def _nothing_heard() -> Iterator[None]:
    HEARD.clear()
    yield
    HEARD.clear()


class Piecewise(Restorer):
    """A model that takes three seconds at most, is late, and adds noise as it is told."""

    kind: ClassVar[str] = "piecewise_for_tests"
    sampling: ClassVar[bool] = True
    chunk_s: ClassVar[float | None] = 3.0
    rate: int | None = None
    late_samples: int = 0
    jitter_samples: int = 0
    """By how much more a call may be late, drawn from its stream."""
    noise: float = 0.0
    refuses_loud: bool = False

    @property
    def sample_rate(self) -> int | None:
        """As the test says."""
        return self.rate

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the inputs, late and with noise."""
        HEARD.append(list(batch))
        return [self._late(each, stream) for each, stream in zip(batch, streams, strict=True)]

    def _late(self, waveform: Waveform, stream: np.random.Generator) -> Waveform:
        if self.refuses_loud and np.abs(waveform.samples).max() > 0.9:
            raise ValueError("too loud")
        late = self.late_samples + int(stream.integers(self.jitter_samples + 1))
        padded = np.pad(waveform.samples, (late, 0))[: waveform.samples.size]
        return waveform.with_samples(padded + self.noise * stream.standard_normal(padded.size))


class Streaming(Piecewise):
    """The same, for recordings of any length."""

    chunk_s: ClassVar[float | None] = None


class Growing(Piecewise):
    """The same, with 100 samples more at every call."""

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the inputs, followed by nothing."""
        made = super().restore(batch, streams)
        return [each.with_samples(np.pad(each.samples, (0, 100 * len(HEARD)))) for each in made]


class Batched(Piecewise):
    """The same, for several inputs at once."""

    batch_s: ClassVar[float] = 12.0


class Cramped(Batched):
    """The same, with room for two."""

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the inputs, unless they are too many."""
        if len(batch) > 2:
            raise MemoryError
        return super().restore(batch, streams)


def degraded(waveform: Waveform, name: str = "corpus/a") -> Degraded:
    """Return a record of ``waveform``."""
    return Degraded(id=name, degraded=encode_flac(waveform), clean=encode_flac(waveform.scale(0.9)))


def stage_of(restorer: Restorer, num_takes: int = 1) -> RestoreStage:
    """Return the stage around a model."""
    return RestoreStage("model", restorer, num_takes=num_takes, draws={}, seed=0, cache=AudioCache())


def restored(restorer: Restorer, waveform: Waveform) -> Restored:
    """Return the row of one recording."""
    return stage_of(restorer).process([degraded(waveform)])[0]


def samples_of(row: Restored) -> np.ndarray:
    """Return the samples of the first take."""
    audio = row.takes[0].audio
    assert isinstance(audio, EncodedAudio), row
    return decode_flac(audio).samples


@pytest.mark.parametrize(("sample_rate", "rate"), [(16_000, None), (16_000, 8_000), (44_100, 16_000)])
def test_a_long_recording_comes_back_whole(sample_rate: int, rate: int | None) -> None:
    """Ten seconds through a model of three, late by 137 samples of its own: the same place and length."""
    speech = speech_like(10.0, sample_rate=sample_rate)

    row = restored(Piecewise(late_samples=137, rate=rate), speech)

    expected_lag = 137 * sample_rate / (rate or sample_rate)
    assert len(HEARD) == 5
    assert max(given.duration_s for (given,) in HEARD) <= 3.0
    assert row.takes[0].lag_samples == pytest.approx(expected_lag, abs=1.0)
    out = samples_of(row)
    assert out.size == speech.samples.size
    if rate is None:
        np.testing.assert_allclose(out[:-137], speech.samples[:-137], atol=2e-7)


def test_chunks_are_aligned_one_by_one() -> None:
    """A model that is late by another amount each time leaves no trace of it."""
    speech = speech_like(10.0)

    row = restored(Piecewise(late_samples=100, jitter_samples=800), speech)

    inner = slice(0, speech.samples.size - 900)
    np.testing.assert_allclose(samples_of(row)[inner], speech.samples[inner], atol=2e-7)
    assert 100 <= row.takes[0].lag_samples <= 900


def test_the_largest_change_of_length_among_chunks_is_recorded() -> None:
    """The others are no larger, and would hide it in a sum or a mean."""
    row = restored(Growing(), speech_like(10.0))

    assert len(HEARD) == 5
    assert row.takes[0].length_change_s == 500 / 16_000
    assert samples_of(row).size == 160_000


def test_each_chunk_draws_from_a_stream_of_its_own() -> None:
    """What a sampling model adds does not come again every three seconds, and is the same every time."""
    speech = speech_like(10.0)

    once, again = (samples_of(restored(Piecewise(noise=0.01), speech)) for _ in range(2))

    np.testing.assert_array_equal(once, again)
    added = once - speech.samples
    parts = [added[start : start + 16_000] for start in range(16_000, 144_000, 16_000)]
    correlations = np.abs(np.corrcoef(parts) - np.eye(len(parts)))
    assert correlations.max() < 0.1


def test_the_level_of_noise_does_not_show_where_chunks_meet() -> None:
    """Neither a dip nor a bump where chunks have nothing in common."""
    quiet = speech_like(12.0).scale(0.001)

    heard = samples_of(restored(Piecewise(noise=0.01), quiet))

    levels = [np.std(part) for part in np.array_split(heard, 48)]
    assert max(levels) / min(levels) < 1.15


def test_a_model_that_streams_hears_it_all_at_once() -> None:
    """Nothing is cut that need not be."""
    restored(Streaming(), speech_like(10.0))

    assert [[given.duration_s for given in call] for call in HEARD] == [[10.0]]


def test_a_silent_stretch_stays_as_it_is() -> None:
    """The model never hears it; the rest is restored, and its delay known."""
    speech = speech_like(12.0)
    quiet = speech.with_samples(np.where(np.arange(192_000) // 16_000 // 5 == 1, 0.0, speech.samples))

    row = restored(Piecewise(late_samples=50), quiet)

    assert row.takes[0].lag_samples == 50
    assert all(np.any(given.samples) for (given,) in HEARD)
    np.testing.assert_allclose(samples_of(row)[:-50], quiet.samples[:-50], atol=2e-7)


def test_a_chunk_that_fails_fails_the_take() -> None:
    """With the reason; half a recording is none."""
    speech = speech_like(10.0).samples.copy()
    speech[80_000] = 1.0

    row = restored(Piecewise(refuses_loud=True), Waveform(speech, 16_000))

    assert (row.takes[0].reason, row.takes[0].detail) == (Reason.ERROR, "ValueError")
    assert row.takes[0].audio is None


def recordings() -> list[Degraded]:
    """Return recordings of several lengths, one of them in chunks."""
    lengths_s = (1.0, 2.5, 0.7, 7.0, 1.2, 2.4)
    return [degraded(speech_like(length_s), f"corpus/{n}") for n, length_s in enumerate(lengths_s)]


def test_batches_are_of_about_one_length() -> None:
    """Two takes each, twelve seconds at once; the long one counts by its chunks."""
    batches = list(stage_of(Batched(), num_takes=2).batches(recordings()))

    names = [[record.id[-1] for record in batch] for batch in batches]
    assert names == [["3"], ["1", "5"], ["4", "0", "2"]]


def test_grouping_does_not_depend_on_the_order_of_records() -> None:
    """The same records make the same batches however they come."""
    records = recordings()

    forward, backward = (list(stage_of(Batched()).batches(each)) for each in (records, records[::-1]))

    assert [[r.id for r in batch] for batch in forward] == [[r.id for r in batch] for batch in backward]


def test_without_company_one_by_one() -> None:
    """The default keeps the order."""
    assert [len(batch) for batch in stage_of(Piecewise()).batches(recordings())] == [1] * 6


def test_rows_are_the_same_alone_and_in_company() -> None:
    """Bit for bit, in the order of the records."""
    records = recordings()
    model = Batched(noise=0.01, late_samples=20)
    alone = [stage_of(model, 2).process([record])[0] for record in records]
    HEARD.clear()

    together = stage_of(model, 2).process(records)

    assert max(len(call) for call in HEARD) > 2
    assert together == alone


def test_rows_say_that_memory_did_not_suffice() -> None:
    """The takes are candidates all the same; what fitted the first time says nothing."""
    records = recordings()
    unharmed = stage_of(Batched(noise=0.01)).process(records)

    rows = stage_of(Cramped(noise=0.01)).process(records)

    assert {row.status for row in rows} == {Status.OK}
    assert [row.takes[0].audio for row in rows] == [row.takes[0].audio for row in unharmed]
    details = {row.id[-1]: row.takes[0].detail for row in rows}
    assert "out of memory with" in details["3"]
    assert all(detail == "" or detail.startswith("out of memory with") for detail in details.values())


def test_records_without_value_do_not_stop_a_batch() -> None:
    """Silence is unfit, what has no value upstream is skipped, and the others are restored."""
    silence = degraded(Waveform(np.zeros(16_000, np.float32), 16_000), "corpus/b")
    missing = Degraded(id="corpus/c", status=Status.FAILED, reason=Reason.ERROR)
    records = [degraded(speech_like(1.0)), silence, missing, degraded(speech_like(1.2), "corpus/d")]
    stage = stage_of(Batched())

    rows = [row for batch in stage.batches(records) for row in stage.process(batch)]

    statuses = {row.id[-1]: (row.status, row.reason) for row in rows}
    assert statuses == {
        "a": (Status.OK, None),
        "b": (Status.UNFIT, Reason.SILENT),
        "c": (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM),
        "d": (Status.OK, None),
    }


def test_what_the_model_took_is_known() -> None:
    """Chunks count as long as they are: what they share is heard twice."""
    stage = stage_of(Piecewise())

    stage.process([degraded(speech_like(5.0))])

    assert stage.model_time.audio_s == pytest.approx(6.0, abs=0.01)
    assert stage.model_time.inside_s > 0.0


@pytest.mark.parametrize(("seconds", "is_whole"), [(2.0, True), (4.0, False)])
def test_only_what_is_given_whole_is_resampled_ahead(seconds: float, is_whole: bool) -> None:  # noqa: FBT001
    """Chunks are resampled one by one, so that a long recording is not resampled a second time."""
    stage = stage_of(Piecewise(rate=8_000))
    first, second = degraded(speech_like(1.0)), degraded(speech_like(seconds), "corpus/b")
    made_anew: list[bool] = []

    for _ in stage.batches([first, second]):
        pass

    assert second.degraded is not None
    stage.cache.get((second.degraded.digest, "8000"), lambda: made_anew.append(True) or speech_like(1.0))
    assert bool(made_anew) is not is_whole
