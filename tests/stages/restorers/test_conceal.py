"""Packet loss concealment: gaps in speech are filled, pauses are not."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas import Outcome
from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.common import loss_models
from stages.dsp.linear_prediction import extrapolate, fit_burg
from stages.metrics import METRICS
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for
from stages.restorers.conceal import SILENT_BELOW, Conceal, find_gaps, match_packets
from tests.support.bundled_speech import bundled
from tests.support.speech_like import noisy, speech_like, white_noise

PACKET_S = 0.02


def _lossy(clean: Waveform, longest_burst: int, seed: int) -> tuple[Waveform, np.ndarray]:
    """Return speech of which a tenth is lost in packets of 20 ms, and where."""
    bounds = loss_models.packet_bounds_of(clean.samples.size, PACKET_S * clean.sample_rate)
    lost = loss_models.draw_bursts(rng_for(seed, "loss"), bounds.size - 1, 0.1, longest_burst)
    silenced = loss_models.silence_lost(clean.samples, lost, bounds)
    return clean.with_samples(silenced), np.repeat(lost, np.diff(bounds))


def _filled(given: Waveform, model: Conceal | None = None) -> np.ndarray:
    return (model or Conceal()).restore([given], [rng_for(0, "unused")])[0].samples


@pytest.mark.parametrize(("sample_rate", "longest_burst", "snr_db"), [
    (16_000, 1, 2.0),
    (48_000, 1, 2.0),
    (16_000, 5, 0.5),
])  # fmt: skip
def test_gaps_come_nearer_to_what_was_lost(sample_rate: int, longest_burst: int, snr_db: float) -> None:
    """In the gaps of bundled speech the error is so far under the speech; silence would have 0 dB."""
    clean, filled, gone = [], [], []
    for number in range(1, 9):
        speech = bundled(number, sample_rate)
        given, lost = _lossy(speech, longest_burst, number)
        clean.append(speech.samples[lost])
        filled.append(_filled(given)[lost])
        gone.append(given.samples[lost])
    spoken = np.concatenate(clean)

    assert not np.concatenate(gone).any()
    assert ratio_db(spoken, np.concatenate(filled) - spoken) > snr_db


def test_what_arrived_is_untouched() -> None:
    """Outside of gaps the samples are the same."""
    clean = bundled(3)
    given, lost = _lossy(clean, 2, seed=3)
    missing = np.zeros(lost.size, dtype=bool)
    for gap in match_packets(find_gaps(given.samples, shortest=64, edge=8), packet=320.0):
        missing[gap] = True

    filled = _filled(given)

    assert np.array_equal(filled[~missing], given.samples[~missing])
    assert lost[missing].mean() > 0.9


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("number", [1, 7, 19, 30])
def test_pauses_are_no_gaps(number: int, sample_rate: int) -> None:
    """Bundled speech has digital silence between words, abrupt at its own rate, and comes back as it is."""
    clean = bundled(number, sample_rate)

    assert np.array_equal(_filled(clean), clean.samples)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 44_100])
def test_what_was_lost_is_found(sample_rate: int) -> None:
    """Of the energy that was lost 98 % is in gaps that are seen; of what is seen, 2 % at most was there."""
    lost_energy = found_energy = 0.0
    seen = wrong = 0
    for number in range(1, 9):
        speech = bundled(number, sample_rate)
        given, lost = _lossy(speech, 3, number)
        filled = _filled(given) != given.samples
        energy = speech.samples.astype(np.float64) ** 2
        lost_energy += energy[lost].sum()
        found_energy += energy[lost & filled].sum()
        seen += filled.sum()
        wrong += (filled & ~lost & (np.abs(speech.samples) > SILENT_BELOW)).sum()

    assert found_energy > 0.98 * lost_energy
    assert wrong <= 0.02 * seen


def test_drop_outs_of_any_length_are_filled_if_that_is_asked_for() -> None:
    """They are no packets: 13 and 31 ms at odd places are left alone unless ``packet_ms`` is nothing."""
    given = noisy(speech_like(), 20.0).samples.copy()
    given[4_000:4_208] = given[9_001:9_497] = 0.0
    waveform = Waveform(given, 16_000)

    assert np.array_equal(_filled(waveform), given)
    assert _filled(waveform, Conceal(packet_ms=None))[[4_001, 4_206, 9_002, 9_495]].all()


def test_a_tone_goes_on_through_a_gap() -> None:
    """Where the past says everything, so does its continuation: 40 dB."""
    t = np.arange(16_000) / 16_000
    tone = (0.3 * np.sin(2 * np.pi * 220 * t) + 0.1 * np.sin(2 * np.pi * 660 * t)).astype(np.float32)
    gap = slice(8_000, 8_320)
    given = tone.copy()
    given[gap] = 0.0

    filled = _filled(Waveform(given, 16_000), Conceal(fade_ms=1_000.0))

    error = filled[gap] - tone[gap]
    assert ratio_db(tone[gap], error) > 20.0


def test_a_long_gap_falls_silent_in_its_middle() -> None:
    """Half a second away from both sides there is nothing to say."""
    noise = white_noise(32_000)
    noise[8_000:24_000] = 0.0

    filled = _filled(Waveform(noise, 16_000))

    assert not filled[12_000:20_000].any()
    assert filled[8_000:8_100].any()
    assert filled[23_900:24_000].any()


def test_a_gap_at_the_end_or_the_beginning_is_filled_from_its_one_side() -> None:
    """Speech that begins or ends within a lost packet has a neighbour still."""
    t = np.arange(8_000) / 16_000
    tone = (0.3 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)
    tone[:320] = tone[-320:] = 0.0

    filled = _filled(Waveform(tone, 16_000))

    assert np.abs(filled[200:320]).max() > 0.05
    assert np.abs(filled[-320:-200]).max() > 0.05


def test_settings_make_other_takes() -> None:
    """How far prediction looks back, and how soon it fades, is heard."""
    given, _ = _lossy(bundled(5), 3, seed=5)

    first, second = (_filled(given, Conceal(order_ms=ms, fade_ms=fade)) for ms, fade in ((5, 25), (18, 90)))

    assert np.abs(first - second).max() > 1e-3


def test_burg_finds_the_weights_of_an_all_pole_signal() -> None:
    """Noise through a known resonance gives that resonance back."""
    from scipy.signal import lfilter  # noqa: PLC0415

    known = np.array([1.6, -0.81])
    noise = rng_for(0, "excitation").standard_normal(20_000)

    found = fit_burg(lfilter([1.0], [1.0, *-known], noise), order=2)

    assert found == pytest.approx(known, abs=0.02)


def test_a_continuation_never_grows() -> None:
    """Burg's filter is stable whatever it was learnt from."""
    context = rng_for(0, "anything").standard_normal(400) * np.linspace(0.1, 1.0, 400)

    going_on = extrapolate(context, fit_burg(context, 100), 20_000)

    assert np.abs(going_on[-1_000:]).max() < np.abs(context).max()


def test_silence_foretells_silence() -> None:
    """No division by nothing."""
    assert not extrapolate(np.zeros(100), fit_burg(np.zeros(100), 10), 50).any()


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "gain"), [("1214", 1.2), ("2307", 0.3)])
def test_real_losses_sound_better(name: str, gain: float, shared_data: Path) -> None:
    """PLCMOS rises on the lossy calls of the PLC challenge: from 1.51 to 2.93, and from 3.03 to 3.46."""
    samples, rate = soundfile.read(shared_data / "golden" / "plc" / f"{name}_lossy.flac", dtype="float32")
    lossy = Waveform(samples, rate)
    plcmos = METRICS["plcmos"]()
    plcmos.load("cpu")

    heard = [lossy, lossy.with_samples(_filled(lossy))]

    before, after = (plcmos.score([Comparison(each, each)])[0] for each in heard)
    assert not isinstance(before, Outcome)
    assert not isinstance(after, Outcome)
    assert after[""] > before[""] + gain
