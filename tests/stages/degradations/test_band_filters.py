"""Low-, high-, band-pass, band-stop and the telephone's band."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.level import rms
from stages.degradations import DEGRADATIONS
from stages.degradations.band_pass import BandPass
from stages.degradations.band_stop import BandStop
from stages.degradations.common.band_filter import BandFilter, Family
from stages.degradations.high_pass import HighPass
from stages.degradations.low_pass import LowPass
from stages.degradations.telephone_band import TelephoneBand
from tests.support.measured_response import RATE, amplitude_of, damaged, gain_db, tone, white

EDGE_DB: dict[Family, float] = {
    "butter": -3.01,
    "bessel": -3.01,
    "cheby1": -1.0,
    "ellip": -1.0,
    "cheby2": -40.0,
}
ORDERS = (2, 5, 10)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("family", EDGE_DB)
@pytest.mark.parametrize("cutoff_hz", [750.0, 4_000.0, 16_000.0])
def test_low_pass_has_its_edge_where_its_family_has_it(cutoff_hz: float, family: Family, order: int) -> None:
    """3 dB down, at the end of 1 dB of ripple, or at the beginning of 40 dB of attenuation."""
    low_pass = LowPass(
        cutoff_hz=cutoff_hz, family=family, order=order, ripple_db=1.0, stop_attenuation_db=40.0
    )

    assert gain_db(low_pass, cutoff_hz) == pytest.approx(EDGE_DB[family], abs=0.05)
    assert gain_db(low_pass, 20.0) == pytest.approx(0.0, abs=1.01)


@pytest.mark.parametrize("family", EDGE_DB)
def test_high_pass_has_its_edge_where_its_family_has_it(family: Family) -> None:
    """The mirror image: nothing low is left."""
    high_pass = HighPass(cutoff_hz=200.0, family=family, order=5, ripple_db=1.0, stop_attenuation_db=40.0)

    assert gain_db(high_pass, 200.0) == pytest.approx(EDGE_DB[family], abs=0.05)
    assert gain_db(high_pass, 20_000.0) == pytest.approx(0.0, abs=0.05)
    assert gain_db(high_pass, 10.0) < -39.0


@pytest.mark.parametrize("family", ["butter", "cheby1", "ellip"])
def test_telephone_keeps_300_to_3400(family: Family) -> None:
    """What is between is there, what is an octave outside is not."""
    line = TelephoneBand(family=family)

    assert [gain_db(line, hertz) for hertz in (500.0, 1_000.0, 3_000.0)] == pytest.approx([0.0] * 3, abs=0.7)
    assert max(gain_db(line, hertz) for hertz in (120.0, 6_800.0, 15_000.0)) < -30.0


@pytest.mark.parametrize("attenuation_db", [6.0, 12.0, 20.0])
def test_vocal_takes_what_it_says(attenuation_db: float) -> None:
    """SonicMaster's band-stop, whose result was thrown away: 350 to 3500 Hz are down by so much."""
    vocal = BandStop(stop_attenuation_db=attenuation_db)

    assert gain_db(vocal, 350.0) == pytest.approx(-attenuation_db, abs=0.05)
    assert gain_db(vocal, 3_500.0) == pytest.approx(-attenuation_db, abs=0.05)
    assert max(gain_db(vocal, hertz) for hertz in (500.0, 1_100.0, 2_500.0)) <= -attenuation_db + 0.05
    assert gain_db(vocal, 20.0) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("attenuation_db", [6.0, 15.0])
def test_mud_leaves_the_middle_of_its_band(attenuation_db: float) -> None:
    """SonicMaster's band-pass: 200 to 500 Hz are kept, all else is down by at least the attenuation."""
    mud = BandPass(low_hz=200.0, high_hz=500.0, family="cheby2", order=2, stop_attenuation_db=attenuation_db)

    assert gain_db(mud, np.sqrt(200.0 * 500.0)) == pytest.approx(0.0, abs=0.1)
    assert max(gain_db(mud, hertz) for hertz in (50.0, 200.0, 500.0, 5_000.0)) <= -attenuation_db + 0.05


def test_clarity_is_a_butterworth_low_pass() -> None:
    """SonicMaster's: 4 kHz, order 3 to 5; 6.7 dB per order an octave higher, by the bilinear map."""
    for order in (3, 4, 5):
        clarity = LowPass(cutoff_hz=4_000.0, order=order)
        assert gain_db(clarity, 8_000.0) == pytest.approx(-6.67 * order, abs=0.1)


def test_two_passes_take_twice_as_many_decibels() -> None:
    """As forwards and backwards filtering does, edges included."""
    once, twice = (LowPass(cutoff_hz=4_000.0, order=4, passes=passes) for passes in (1, 2))

    for hertz in (1_000.0, 4_000.0, 8_000.0):
        assert gain_db(twice, hertz) == pytest.approx(2.0 * gain_db(once, hertz), abs=0.05)


def test_two_passes_are_sosfiltfilt() -> None:
    """The samples are those of scipy's zero-phase filter."""
    from scipy.signal import cheby1, sosfiltfilt  # noqa: PLC0415 - compared with here only

    speech = white()
    speech = speech.with_samples(speech.samples * np.hanning(RATE))

    ours = damaged(LowPass(cutoff_hz=3_000.0, family="cheby1", order=6, passes=2), speech).degraded.samples

    theirs = sosfiltfilt(cheby1(6, 0.1, 3_000.0, output="sos", fs=RATE), speech.samples)
    assert rms(ours - theirs) < 1e-4 * rms(theirs)


def test_hard_edge_empties_its_bins() -> None:
    """One bin above the edge there is nothing; one bin below everything is there."""
    hard = LowPass(cutoff_hz=4_000.0, family="stft_hard")

    below, above = (damaged(hard, tone(hertz)).degraded for hertz in (3_900.0, 4_100.0))

    assert amplitude_of(below, 3_900.0) == pytest.approx(0.5, rel=0.01)
    assert rms(above.samples[4_000:-4_000]) < 1e-4


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("low_pass", {"cutoff_hz": 4_000.0}),
        ("low_pass", {"cutoff_hz": 22_000.0, "family": "stft_hard"}),
        ("high_pass", {"cutoff_hz": 4_000.0}),
        ("band_pass", {"low_hz": 4_000.0, "high_hz": 5_000.0}),
        ("band_stop", {"low_hz": 5_000.0, "high_hz": 6_000.0}),
    ],
)
def test_what_lies_beyond_the_band_changes_nothing_and_says_so(kind: str, settings: dict[str, Any]) -> None:
    """Speech at 8 kHz has nothing at 4 kHz and above."""
    speech = white(sample_rate=8_000)

    scene = damaged(DEGRADATIONS[kind].model_validate(settings), speech)

    assert scene.facts["applied"] == 0.0
    assert scene.degraded is speech


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (BandPass(low_hz=500.0, high_hz=6_000.0, order=4), HighPass(cutoff_hz=500.0, order=4)),
        (BandStop(low_hz=500.0, high_hz=6_000.0), LowPass(cutoff_hz=500.0, family="cheby2", order=2)),
    ],
)
def test_an_upper_edge_beyond_the_band_is_no_edge(wide: BandFilter, narrow: BandFilter) -> None:
    """At 8 kHz a band-pass to 6 kHz is a high-pass, and a band-stop a low-pass."""
    narrow = narrow.model_copy(update={"stop_attenuation_db": wide.stop_attenuation_db})

    for hertz in (100.0, 500.0, 2_000.0):
        assert gain_db(wide, hertz, 8_000) == pytest.approx(gain_db(narrow, hertz, 8_000), abs=0.01)


def test_an_elliptic_filter_stops_more_than_its_ripple() -> None:
    """There is none that stops less; other families do not have both."""
    with pytest.raises(ValidationError, match=r"stop_attenuation_db 0\.1 is not above ripple_db 0\.5"):
        LowPass(cutoff_hz=1_000.0, family="ellip", ripple_db=0.5, stop_attenuation_db=0.1)
    LowPass(cutoff_hz=1_000.0, family="cheby2", ripple_db=0.5, stop_attenuation_db=0.1)


@pytest.mark.parametrize("kind", ["band_pass", "band_stop", "telephone_band"])
def test_edges_are_in_order(kind: str) -> None:
    """A band from 3 to 1 kHz is a mistake."""
    with pytest.raises(ValidationError, match="is not below high_hz"):
        DEGRADATIONS[kind].model_validate({"low_hz": 3_000.0, "high_hz": 1_000.0})
