"""What ingest makes of sources, good and bad."""

import io
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pydantic import ValidationError

from schemas import Ingested, PoolRecording, Reason, Source, Split, UnfitError
from stages.audio.flac import decode_flac
from stages.audio.level import peak, ratio_db
from stages.ingest.pools import PoolSettings, PoolStage
from stages.ingest.stage import IngestSettings, IngestStage
from stages.operators.rng import rng_for
from stages.runtime.attempt import attempt

SOURCE = Source(id="c/a", corpus="c", path="a.wav", name="a.wav", content="0" * 64, transcript="Hello.")


def _speech(seconds: float, sample_rate: int = 16_000) -> NDArray[np.float64]:
    """Return noise in syllables with a pause of half a second every four seconds."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    loudness = np.where(t % 4.0 < 3.5, 0.1 * (1.1 + np.sin(2 * np.pi * 4 * t)), 1e-4)
    return loudness * rng_for(0, "speech").standard_normal(t.size)


def _opener(
    samples: NDArray[np.float64], sample_rate: int = 16_000, subtype: str = "FLOAT"
) -> Callable[[Source], BinaryIO]:
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format="WAV", subtype=subtype)
    return lambda _: io.BytesIO(file.getvalue())


def _ingest(
    samples: NDArray[np.float64],
    settings: IngestSettings | None = None,
    sample_rate: int = 16_000,
    source: Source = SOURCE,
) -> Ingested:
    stage = IngestStage(settings or IngestSettings(), _opener(samples, sample_rate))
    (row,) = stage.process([source])
    return row


def _refusal(
    samples: NDArray[np.float64], settings: IngestSettings | None = None, source: Source = SOURCE
) -> Reason:
    with pytest.raises(UnfitError) as refused:
        _ingest(samples, settings, source=source)
    return refused.value.reason


def test_a_recording_becomes_one_utterance() -> None:
    """Under the source's id, with its transcript, as it was."""
    samples = _speech(3.0)

    row = _ingest(samples)

    (segment,) = row.segments
    assert (row.id, segment.id, row.transcript) == ("c/a", "c/a", "Hello.")
    assert decode_flac(segment.audio).samples == pytest.approx(samples, abs=2**-23)
    assert segment.probe.bandwidth_hz == 8_000


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
def test_any_rate_is_brought_to_one(rate: int) -> None:
    """The probe keeps what the file had, so upsampled speech is not taken for full band."""
    row = _ingest(_speech(2.0, rate), IngestSettings(sample_rate=48_000), sample_rate=rate)

    (segment,) = row.segments
    assert (segment.audio.sample_rate, segment.audio.num_samples) == (48_000, 96_000)
    assert segment.probe.sample_rate == rate
    assert segment.probe.bandwidth_hz <= rate / 2


def test_a_long_recording_is_split_at_pauses() -> None:
    """Ten minutes give utterances of at most twenty seconds; a transcript of them all fits none."""
    row = _ingest(_speech(600.0, 8_000), sample_rate=8_000)

    lengths_s = [segment.audio.duration_s for segment in row.segments]
    assert [segment.id for segment in row.segments[:2]] == ["c/a#0", "c/a#1"]
    assert max(lengths_s) <= 20.0
    assert min(lengths_s) >= 5.0
    assert sum(lengths_s) == pytest.approx(600.0, rel=0.1)
    assert row.transcript is None


def test_the_pieces_say_where_they_were() -> None:
    """Offsets count from the start of the file, also if the source is a stretch of it."""
    samples = _speech(32.0)
    stretch = SOURCE.model_copy(update={"offset_s": 4.0, "duration_s": 28.0})

    row = _ingest(samples, IngestSettings(max_duration_s=10.0), source=stretch)

    assert len(row.segments) > 2
    for segment in row.segments:
        start = round(segment.offset_s * 16_000)
        original = samples[start : start + segment.audio.num_samples]
        assert decode_flac(segment.audio).samples == pytest.approx(original, abs=1e-6)


def test_samples_above_one_are_brought_under_it() -> None:
    """Nothing is clipped, the gain is recorded, and the probe says how loud it was."""
    samples = 20 * _speech(1.0)

    (segment,) = _ingest(samples).segments

    stored = decode_flac(segment.audio).samples
    assert segment.probe.peak == pytest.approx(np.abs(samples).max(), rel=1e-6)
    assert peak(stored) <= 1.0
    assert segment.audio.gain_db == pytest.approx(ratio_db(stored, samples), abs=0.01)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_counted(channels: int) -> None:
    """The mean is stored, the number is kept."""
    row = _ingest(np.stack([_speech(1.0)] * channels, axis=1))

    assert row.segments[0].probe.channels == channels


def test_digital_silence_is_unfit() -> None:
    """So is a constant offset."""
    for samples in (np.zeros(16_000), np.full(16_000, 0.25)):
        assert _refusal(samples) is Reason.SILENT


@pytest.mark.parametrize("other", [-1.0, -0.97, -0.6])
def test_channels_that_cancel_are_unfit(other: float) -> None:
    """What is left of a mix of opposite channels is no clean reference, however loud it is."""
    opposite = np.stack([_speech(1.0), other * _speech(1.0) + 0.1], axis=1)

    assert _refusal(opposite) is Reason.CHANNELS_CANCEL
    assert _ingest(opposite, IngestSettings(channels="first")).segments[0].probe.channels == 2
    if other > -1.0:
        assert _ingest(opposite, IngestSettings(max_mix_loss_db=None)).segments


def test_a_channel_that_is_silent_cancels_nothing() -> None:
    """Nor do channels that have nothing in common, or stretches of more than one block."""
    one_of_six = np.zeros((160_000, 6))
    one_of_six[:, 4] = _speech(10.0)
    two = np.stack([_speech(2.0), np.roll(_speech(2.0), 4_000)], axis=1)

    assert _ingest(one_of_six).segments
    assert _ingest(two).segments


def test_recordings_without_speech_are_unfit() -> None:
    """The detail has the figures, and the bound can be set, or taken away."""
    hiss = 0.05 * rng_for(0, "hiss").standard_normal(32_000)

    outcome = attempt("ingest", lambda: _ingest(hiss)).outcome

    assert outcome.reason is Reason.NO_SPEECH
    assert outcome.detail.startswith("as steady as hum or hiss: its level, -26.0 dBFS, moves by 1.0 dB")
    assert outcome.detail.endswith("under the 2.5 dB asked for (ingest.min_modulation_db)")
    assert _ingest(hiss, IngestSettings(min_modulation_db=None)).segments
    assert _refusal(_speech(3.0), IngestSettings(min_modulation_db=20.0)) is Reason.NO_SPEECH


def test_a_level_that_leaves_nothing_to_hear_is_unfit() -> None:
    """Speech that was divided by full scale twice is refused, unless the bound lies lower."""
    faint = 1e-4 * _speech(2.0)

    assert _refusal(faint) is Reason.LOW_LEVEL
    assert _ingest(faint, IngestSettings(min_level_db=-110.0)).segments
    assert _ingest(faint, IngestSettings(min_level_db=None)).segments


def test_a_stretch_without_speech_is_left_out_and_said() -> None:
    """Half a minute of hum inside a long recording gives no utterance; the row says how many are missing."""
    hum = 0.1 * np.sin(2 * np.pi * 100 * np.arange(30 * 16_000) / 16_000)
    pause = np.zeros(16_000)

    row = _ingest(np.concatenate([_speech(20.0), pause, hum, pause, _speech(20.0)]))

    ends = [segment.offset_s + segment.audio.duration_s for segment in row.segments]
    assert all(
        end <= 22.0 or segment.offset_s >= 50.0 for segment, end in zip(row.segments, ends, strict=True)
    )
    assert "stretches left out; the first: no_speech: as steady as hum" in row.detail


def test_a_name_that_is_no_text_is_said() -> None:
    """The file is there and may be read; it is its name that nothing can be called by."""
    source = SOURCE.model_copy(update={"name": "caf\N{REPLACEMENT CHARACTER}.wav", "content": ""})

    with pytest.raises(UnfitError, match="its name is not UTF-8"):
        _ingest(_speech(1.0), source=source)


def test_one_sample_is_too_short() -> None:
    """It is as constant as silence, but that is not what is wrong with it."""
    assert _refusal(np.array([0.5])) is Reason.TOO_SHORT


def test_a_tenth_of_a_second_is_too_short() -> None:
    """The detail says what was asked for."""
    outcome = attempt("ingest", lambda: _ingest(_speech(0.1))).outcome

    assert outcome.reason is Reason.TOO_SHORT
    assert outcome.detail == "0.100 s, under the 0.3 s asked for"


def test_a_long_recording_of_coughs_is_too_short() -> None:
    """What lies between its pauses is no utterance."""
    samples = np.zeros(30 * 16_000)
    samples[160_000:160_400] = 0.5

    assert _refusal(samples, IngestSettings(min_duration_s=1.0)) is Reason.TOO_SHORT


def test_narrow_band_speech_may_be_refused() -> None:
    """A full-band dataset wants no telephone speech in files of 16 kHz."""
    assert _refusal(_speech(1.0), IngestSettings(min_bandwidth_hz=10_000)) is Reason.LOW_BANDWIDTH


def test_what_the_listing_could_not_read_is_unreadable() -> None:
    """It is not opened again."""
    unreadable = SOURCE.model_copy(update={"content": ""})

    assert _refusal(_speech(1.0), source=unreadable) is Reason.UNREADABLE


def test_a_second_source_of_one_id_is_refused_or_kept() -> None:
    """The detail names the id; the settings may let it pass under its own."""
    second = SOURCE.model_copy(update={"id": "c/a~2", "duplicate_of": "c/a"})

    with pytest.raises(UnfitError, match="'c/a'") as refused:
        _ingest(_speech(1.0), source=second)
    kept = _ingest(_speech(1.0), IngestSettings(reject_duplicates=False), source=second)

    assert refused.value.reason is Reason.DUPLICATE_ID
    assert kept.segments[0].id == "c/a~2"


def test_a_row_without_value_keeps_what_is_known() -> None:
    """Corpus, speaker, split and the reason stand in the table."""
    stage = IngestStage(IngestSettings(), _opener(np.zeros(16_000)))
    source = SOURCE.model_copy(update={"speaker": "ann"})

    row = stage.without_value(source, attempt("ingest", lambda: stage.process([source])).outcome)

    assert (row.id, row.reason, row.segments) == (stage.name_of(source), Reason.SILENT, ())
    assert (row.speaker, row.content, row.split) == ("ann", SOURCE.content, Split.TRAIN)


def test_a_speaker_is_on_one_side() -> None:
    """Whatever a recording is called; without a speaker its bytes decide, for all stretches and copies."""
    settings = IngestSettings(splits={Split.TRAIN: 0.5, Split.TEST: 0.5})
    stage = IngestStage(settings, _opener(_speech(1.0)))
    named = [SOURCE.model_copy(update={"name": f"{number}.wav"}) for number in range(30)]
    recordings = [source.model_copy(update={"content": source.name}) for source in named]
    spoken = [source.model_copy(update={"speaker": "ann"}) for source in recordings]
    stretches = [SOURCE.model_copy(update={"id": f"c/a@{number}"}) for number in range(30)]

    def sides(sources: list[Source]) -> set[Split]:
        return {row.split for row in stage.process(sources)}

    assert sides(recordings) == {Split.TRAIN, Split.TEST}
    assert len(sides(spoken)) == len(sides(stretches)) == len(sides(named)) == 1


def test_shares_must_sum_to_one() -> None:
    """A config with impossible splits is refused before anything is read."""
    with pytest.raises(ValidationError, match="sum to 1"):
        IngestSettings(splits={Split.TRAIN: 0.9})


def _pool(samples: NDArray[np.float64], settings: PoolSettings) -> PoolRecording:
    (row,) = PoolStage(settings, _opener(samples)).process([SOURCE])
    return row


def test_long_noise_is_cut_and_says_so() -> None:
    """The first minute is kept unless said otherwise, and nothing is split."""
    row = _pool(
        _speech(5.0), PoolSettings(pool="noise", holds="noise", max_duration_s=2.0, sample_rate=8_000)
    )

    assert row.audio is not None
    assert (row.audio.sample_rate, row.audio.num_samples) == (8_000, 16_000)
    assert row.facts == {"cut_from_s": 5.0}


def test_of_a_response_the_first_channel_is_taken() -> None:
    """A mean of two microphones is the response of no place; the direct path is found."""
    response = np.zeros((8_000, 2))
    response[80, 0], response[120, 1] = 0.9, -0.9

    row = _pool(response, PoolSettings(pool="rir", holds="responses"))

    assert row.audio is not None
    assert int(np.argmax(np.abs(decode_flac(row.audio).samples))) == 80
    assert row.facts == {}


def test_a_silent_recording_is_not_drawn_from() -> None:
    """Not even if sound comes after the part that is kept."""
    late = np.concatenate([np.zeros(32_000), _speech(1.0)])
    settings = PoolSettings(pool="noise", holds="noise", max_duration_s=2.0)

    row = attempt("pool", lambda: _pool(late, settings))

    assert row.outcome.reason is Reason.SILENT
