"""Places in time: what published simulators and codecs move, measured, and that it stays in place here.

Each test makes the mistake first, so that one which no longer shows is no longer taken for one.
"""

import io

import numpy as np
import pytest
import soundfile
from scipy import signal

from stages.audio.waveform import Waveform
from stages.degradations import Degradation
from stages.degradations.av_codec import AvCodec
from stages.degradations.bandwidth import Bandwidth
from stages.degradations.codec import Codec
from stages.degradations.low_pass import LowPass
from stages.degradations.reverb import Reverb
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.impulse_response import find_direct_path
from stages.dsp.shoebox import Room, Walls
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.support.residual_lag import residual_lag

RATE = 16_000
NOTHING = MemoryAudioSource()


def bursts(sample_rate: int = RATE, seconds: float = 1.0) -> Waveform:
    """Return noise that swells and sinks: every frequency, never periodic."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    samples = 0.2 * rng_for(0, "bursts").standard_normal(t.size) * np.sin(2 * np.pi * 1.7 * t) ** 2
    return Waveform(samples.astype(np.float32), sample_rate)


def lag_of(degradation: Degradation, speech: Waveform, held: MemoryAudioSource = NOTHING) -> float:
    """Return by how many samples the degraded speech is late; it is as long as the speech, and upright."""
    out = degradation.apply(speech, held)
    assert out.samples.shape == speech.samples.shape
    lag, polarity = residual_lag(out, speech)
    assert polarity == 1
    return lag


def heard_through(response: np.ndarray) -> tuple[Reverb, MemoryAudioSource]:
    """Return reverberation by a response."""
    held = MemoryAudioSource()
    ref = held.add("rir", "room", Waveform(response.astype(np.float32), RATE))
    return Reverb(response=ref, target="dry"), held


def test_the_way_of_the_sound_is_no_delay() -> None:
    """In audiomentations it is: with a direct sound after 240 samples, speech is 240 samples late."""
    response = np.zeros(3_000)
    response[[240, 900, 2_000]] = 0.6, 0.2, 0.05
    naive = np.convolve(bursts().samples, response)[:RATE].astype(np.float32)
    assert residual_lag(Waveform(naive, RATE), bursts())[0] == 240

    reverb, held = heard_through(response)

    assert abs(lag_of(reverb, bursts(), held)) <= 0.5


def test_a_negative_direct_sound_is_found_and_turned_upright() -> None:
    """The largest sample, by which lhotse aligns, is a reflection, and 360 samples late."""
    response = np.zeros(3_000)
    response[[240, 600]] = -0.9, 0.5
    assert np.argmax(response) == 600

    reverb, held = heard_through(response)

    assert abs(lag_of(reverb, bursts(), held)) <= 0.5
    assert reverb.damage(Scene(bursts(), bursts()), held).facts["direct_path_sample"] == 240


@pytest.mark.parametrize("absorption", [0.05, 0.2])
def test_the_direct_sound_of_a_hard_room_is_not_its_largest_sample(absorption: float) -> None:
    """By argmax, as in SpeechBrain, audiotools and SonicMaster, it is a reflection in a hard room."""
    room = Room(np.array([6.0, 5.0, 3.0]), np.array([1.0, 2.0, 1.5]), np.array([4.0, 3.0, 1.2]))
    response = room.response(Walls.alike(absorption), RATE, order=20)
    geometry = room.distance_m / 343.0 * RATE

    assert abs(int(np.argmax(np.abs(response.samples))) - 40 - geometry) > 100
    assert room.direct_path_sample(RATE) == pytest.approx(geometry + 40), "40 samples are pyroomacoustics'"
    assert find_direct_path(response) == pytest.approx(geometry + 40, abs=1)


def test_a_tail_does_not_come_back_at_the_beginning() -> None:
    """In SpeechBrain and audiotools spectra are as long as the speech: its end is heard at its beginning."""
    speech = np.zeros(RATE, np.float32)
    speech[-200:] = 0.5
    response = np.zeros(8_000)
    response[[0, 4_000]] = 1.0, 0.5
    circular = np.fft.irfft(np.fft.rfft(speech) * np.fft.rfft(response, RATE), RATE)
    assert np.max(np.abs(circular[:4_000])) > 0.2

    reverb, held = heard_through(response)

    assert np.max(np.abs(reverb.apply(Waveform(speech, RATE), held).samples[:4_000])) < 1e-5


def test_early_reflections_end_after_milliseconds() -> None:
    """URGENT 2024, first release: 50 seconds for 50 milliseconds, so the reference held all of the room."""
    response = np.zeros(RATE)
    response[[100, 100 + 40 * 16, 100 + 60 * 16]] = 1.0, 0.3, 0.3
    reverb, held = heard_through(response)
    click = np.zeros(RATE, np.float32)
    click[2_000] = 0.5
    clicked = Waveform(click, RATE)

    early = reverb.model_copy(update={"target": "early", "early_ms": 50.0})
    heard = early.damage(Scene(clicked, clicked), held).reference.samples

    assert heard[2_000 + 40 * 16] == pytest.approx(0.15, rel=1e-2)
    assert heard[2_000 + 60 * 16] == pytest.approx(0.0, abs=1e-6)


def test_a_filter_delays_nothing() -> None:
    """One way, as in audiomentations, it is some samples late."""
    sections = signal.butter(8, 3_000, fs=RATE, output="sos")
    one_way = signal.sosfilt(sections, bursts().samples).astype(np.float32)
    assert residual_lag(Waveform(one_way, RATE), bursts())[0] >= 2

    assert abs(lag_of(LowPass(cutoff_hz=3_000.0, family="butter", order=8), bursts())) <= 0.5


def test_resampling_leaves_length_and_rate() -> None:
    """In audiomentations half as many samples come back, and nobody says at which rate."""
    speech = Waveform(bursts().samples[: RATE - 1], RATE)

    out = Bandwidth(sample_rate_hz=8_000).apply(speech, NOTHING)

    assert (out.samples.size, out.sample_rate) == (speech.samples.size, RATE)
    assert abs(lag_of(Bandwidth(sample_rate_hz=8_000), speech)) <= 0.5


def test_an_mp3_without_a_header_is_brought_back() -> None:
    """Without LAME's header, as from a pipe, it is longer and 1105 samples late; URGENT cuts its end off."""
    speech = bursts()
    stream = io.BytesIO()
    soundfile.write(
        stream, speech.samples, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=0.95
    )
    decoded, _ = soundfile.read(io.BytesIO(stream.getvalue()), dtype="float32")
    assert decoded.size > speech.samples.size
    assert residual_lag(Waveform(decoded[: speech.samples.size], RATE), speech)[0] == 1_105

    assert abs(lag_of(Codec(codec="mp3", bitrate_kbps=15.6), speech)) <= 0.5


@pytest.mark.parametrize("name", ["aac", "g722", "opus_voice"])
def test_codecs_of_ffmpeg_are_on_time(name: str) -> None:
    """From ffmpeg AAC is 1024 samples late and G.722 22; here the delay is removed, and recorded."""
    codec = AvCodec.model_validate({"codec": name, "bitrate_kbps": 64})
    delays = {"aac": 1_024.0, "g722": 22.0, "opus_voice": 104.0}

    assert abs(lag_of(codec, bursts())) <= 0.5
    assert codec.damage(Scene(bursts(), bursts()), NOTHING).facts["delay_samples"] == delays[name]


def test_gsm_speaks_at_its_own_pace() -> None:
    """In lhotse any rate is taken for GSM's 8 kHz; here a tone keeps its pitch, and a second is a second."""
    t = np.arange(RATE) / RATE
    tone = Waveform((0.3 * np.sin(2 * np.pi * 1_000 * t)).astype(np.float32), RATE)

    out = Codec(codec="gsm").apply(tone, NOTHING)

    assert out.samples.size == RATE
    assert np.argmax(np.abs(np.fft.rfft(out.samples))) == pytest.approx(1_000, abs=2)
