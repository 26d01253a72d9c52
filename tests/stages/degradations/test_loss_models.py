"""Packet loss and its concealment."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.level import rms
from stages.audio.waveform import Waveform
from stages.degradations.common import loss_models
from stages.degradations.packet_loss import PacketLoss
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from tests.support.other_process import printed_by
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()
BURSTS = {"model": "bursts", "loss_rate": 0.2, "longest_burst_packets": 10, "seed": 3}


def loss(**settings: Any) -> PacketLoss:
    """Return the operator with these settings."""
    return PacketLoss.model_validate(settings)


def patterns(num_packets: int, **settings: Any) -> list[loss_models.Lost]:
    """Return what 200 seeds make of the settings."""
    return [loss(**settings, seed=seed).draw_lost(num_packets) for seed in range(200)]


def runs(lost: loss_models.Lost) -> list[int]:
    """Return how many packets were lost in a row, each time."""
    return [len(run) for run in "".join("x" if gone else " " for gone in lost).split()]


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.25])
def test_bernoulli_loses_at_its_rate(rate: float) -> None:
    """Over many seeds the rate is met to a twentieth, and losses know nothing of one another."""
    lost = np.array(patterns(500, model="bernoulli", loss_rate=rate))

    assert lost.mean() == pytest.approx(rate, rel=0.05)
    after_a_loss = lost[:, 1:][lost[:, :-1]]
    assert after_a_loss.mean() == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.25])
def test_bursts_lose_exactly_their_share(rate: float) -> None:
    """The share of each recording is met to half a packet, in runs of 1 to 10, all about as likely."""
    lost = patterns(400, model="bursts", loss_rate=rate, longest_burst_packets=10)

    assert {int(pattern.sum()) for pattern in lost} == {round(400 * rate)}
    lengths = [length for pattern in lost for length in runs(pattern)]
    counts = np.bincount(lengths, minlength=11)
    assert max(lengths) == 10
    assert counts[1:].min() > 0.5 * counts[1:].mean()


@pytest.mark.parametrize(
    ("num_packets", "rate", "longest", "expected"),
    [
        (10, 0.8, 10, 8),
        (3, 1.0, 10, 3),
        (100, 0.9, 10, 90),
        (50, 0.6, 2, 30),
        (100, 0.95, 10, 91),
        (9, 1.0, 1, 5),
    ],
)
def test_bursts_lose_as_much_as_their_length_allows(
    num_packets: int, rate: float, longest: int, expected: int
) -> None:
    """Where most is lost too; after every burst of the longest a packet arrives, and no more is kept."""
    lost = patterns(num_packets, model="bursts", loss_rate=rate, longest_burst_packets=longest)

    assert {int(pattern.sum()) for pattern in lost} == {expected}
    assert max(length for pattern in lost for length in runs(pattern)) <= longest


@pytest.mark.parametrize(
    ("good_to_bad", "bad_to_good", "loss_in_good", "loss_in_bad"),
    [(0.05, 0.4, 0.0, 1.0), (0.02, 0.1, 0.01, 0.7), (0.3, 0.3, 0.05, 0.5)],
)
def test_gilbert_elliott_settles_at_its_stationary_rate(
    good_to_bad: float, bad_to_good: float, loss_in_good: float, loss_in_bad: float
) -> None:
    """It is met in its usual state, so the first packet is lost as often as any other."""
    lost = np.array(
        patterns(
            1_000,
            model="gilbert_elliott",
            good_to_bad=good_to_bad,
            bad_to_good=bad_to_good,
            loss_in_good=loss_in_good,
            loss_in_bad=loss_in_bad,
        )
    )

    bad = good_to_bad / (good_to_bad + bad_to_good)
    expected = bad * loss_in_bad + (1.0 - bad) * loss_in_good
    assert lost.mean() == pytest.approx(expected, rel=0.05)
    assert lost[:, :20].mean() == pytest.approx(expected, abs=0.04)


def test_a_gilbert_channel_loses_in_runs_as_long_as_it_stays_bad() -> None:
    """On average 1 / bad_to_good packets; what the losses in each state are may be left unsaid."""
    lost = patterns(1_000, model="gilbert_elliott", good_to_bad=0.05, bad_to_good=0.25)

    assert np.mean([length for pattern in lost for length in runs(pattern)]) == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "bernoulli", "loss_rate": 0.6},
        {"model": "bursts", "loss_rate": 0.6},
        {"model": "gilbert_elliott", "good_to_bad": 0.3, "bad_to_good": 0.05},
    ],
)
def test_no_run_is_longer_than_allowed(settings: dict[str, object]) -> None:
    """A limit holds under every model, also where the rate asks for more."""
    lost = patterns(300, **settings, longest_burst_packets=3)

    assert max(length for pattern in lost for length in runs(pattern)) == 3


def test_a_trace_is_met_at_a_place_of_its_own_and_goes_round(tmp_path: Path) -> None:
    """Given as run lengths or as a file of zeros and ones; the recipe holds what was in the file."""
    file = tmp_path / "trace.txt"
    file.write_text("0001 1011\n1110\n", encoding="ascii")

    read, given = loss(model="trace", trace=file, seed=5), loss(model="trace", trace=[3, 2, 1, 5, 1], seed=5)

    assert read == given
    assert read.spec.params["trace"] == [3, 2, 1, 5, 1]
    pattern = given.draw_lost(36)
    assert pattern.sum() == 3 * 7
    np.testing.assert_array_equal(pattern[:12], pattern[12:24])
    assert (
        len({loss(model="trace", trace=file, seed=seed).draw_lost(12).tobytes() for seed in range(50)}) == 12
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "bernoulli"}, "'bernoulli' needs loss_rate"),
        ({"model": "bursts", "loss_rate": 0.1}, "'bursts' needs longest_burst_packets"),
        ({"model": "gilbert_elliott", "good_to_bad": 0.1}, "'gilbert_elliott' needs bad_to_good"),
        ({"model": "trace", "trace": [0, 0]}, "the trace has no packet"),
        ({"model": "trace", "trace": "nowhere.txt"}, "the trace nowhere.txt cannot be read"),
        ({**BURSTS, "concealment": "opus", "packet_ms": 30}, "Opus has packets of"),
    ],
)
def test_says_what_is_missing(settings: dict[str, object], message: str) -> None:
    """A model without what it needs is refused when it is drawn, not when it is applied."""
    with pytest.raises(ValidationError, match=message):
        loss(**{"seed": 1, **settings})


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_silence_takes_the_place_of_lost_packets_and_of_nothing_else(sample_rate: int) -> None:
    """Facts and samples agree on how much was lost."""
    speech = speech_like(2.0, sample_rate=sample_rate)
    speech = speech.with_samples(speech.samples + 1e-4)

    scene = loss(**BURSTS).damage(Scene(speech, speech), SOURCES)

    silent = scene.degraded.samples == 0.0
    assert silent.mean() == pytest.approx(0.2, abs=1e-3)
    np.testing.assert_array_equal(scene.degraded.samples[~silent], speech.samples[~silent])
    assert scene.facts["num_packets"] == 100
    assert scene.facts["num_lost_packets"] == 20
    assert scene.facts["loss_rate"] == 0.2
    longest_s = scene.facts["longest_run_packets"] * 0.02
    assert max(runs(silent)) == pytest.approx(longest_s * sample_rate, abs=1)
    assert scene.facts["applied"] == 1.0


@pytest.mark.parametrize("concealment", ["zero", "repeat", "opus"])
def test_records_the_runs_so_that_they_can_be_met_again(concealment: str) -> None:
    """Recorded are packets that arrived, were lost, arrived …: the mask itself, and what ``trace`` takes."""
    speech = speech_like(3.0)
    bursts = loss(**BURSTS, concealment=concealment)

    facts = bursts.damage(Scene(speech, speech), SOURCES).facts

    recorded = facts["run_lengths_packets"]
    assert isinstance(recorded, tuple)
    assert sum(recorded) == facts["num_packets"]
    assert sum(recorded[1::2]) == facts["num_lost_packets"]
    mask = bursts.draw_lost(int(sum(recorded)))
    np.testing.assert_array_equal(np.repeat(np.arange(len(recorded)) % 2 == 1, np.array(recorded, int)), mask)
    again = loss(model="trace", trace=recorded, seed=0).draw_lost(mask.size)
    assert any(np.array_equal(np.roll(mask, -start), again) for start in range(mask.size))


def test_repetition_goes_on_with_the_last_packet_and_fades() -> None:
    """A tone whose period fits into a packet goes on where it was, ever quieter, then is gone."""
    t = np.arange(16_000) / 16_000
    tone = Waveform(np.sin(2 * np.pi * 100 * t).astype(np.float32), 16_000)
    trace = loss(model="trace", trace=[20, 5, 25], seed=0, concealment="repeat", fade_ms=60)

    heard = trace.apply(tone, SOURCES).samples

    lost = trace.draw_lost(50)
    start = 320 * (int(np.flatnonzero(np.diff(lost.astype(int)) == 1)[0]) + 1)
    fade = 1.0 - np.arange(960) / 960
    np.testing.assert_allclose(
        heard[start : start + 960], tone.samples[start : start + 960] * fade, atol=2e-3
    )
    assert not heard[start + 960 : start + 1600].any()
    np.testing.assert_array_equal(
        heard[start + 1600 : start + 3200], tone.samples[start + 1600 : start + 3200]
    )


def test_the_decoder_conceals_better_than_silence() -> None:
    """Over Opus what is lost is made up for: more is left of the speech than of the same loss in silence."""
    speech = speech_like(4.0, sample_rate=16_000)

    call = {**BURSTS, "longest_burst_packets": 2, "concealment": "opus"}
    made_up, whole = (loss(**{**call, "loss_rate": rate}).apply(speech, SOURCES) for rate in (0.2, 0.0))

    frames = [slice(k, k + 320) for k in range(0, 64_000 - 320, 320)]
    kept = np.array([rms(made_up.samples[f]) / max(rms(whole.samples[f]), 1e-6) for f in frames])
    loud = np.array([rms(whole.samples[f]) for f in frames]) > 0.01
    assert np.mean(kept[loud] < 0.05) < 0.05, "of 20 % lost packets most are heard as something"
    assert rms(made_up.samples - whole.samples) > 0.1 * rms(whole.samples)


@pytest.mark.parametrize("concealment", ["zero", "repeat", "opus"])
@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_delays_nothing(concealment: str, sample_rate: int) -> None:
    """Nothing moves, whatever fills the gaps, and polarity is kept."""
    speech = speech_like(3.0, sample_rate=sample_rate)

    heard = loss(**BURSTS, concealment=concealment).apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.5), 1)


def test_says_when_nothing_was_lost() -> None:
    """Two packets of which 5 % should be lost lose none, and the facts say that nothing was done."""
    speech = speech_like(0.04)

    scene = loss(**{**BURSTS, "loss_rate": 0.05}).damage(Scene(speech, speech), SOURCES)

    assert scene.facts["applied"] == 0.0
    assert scene.degraded.samples.size == speech.samples.size


def digest_of_all() -> str:
    """Return the digest of a second of speech under every kind of concealment."""
    speech = speech_like(1.0, sample_rate=44_100)
    heard = [
        loss(**BURSTS, concealment=concealment).apply(speech, SOURCES).samples
        for concealment in ("zero", "repeat", "opus")
    ]
    return hashlib.sha256(np.concatenate(heard).tobytes()).hexdigest()


def test_gives_the_same_bytes_in_another_process() -> None:
    """What is lost is decided by the seed alone."""
    assert printed_by(__file__) == digest_of_all()


if __name__ == "__main__":
    print(digest_of_all())  # noqa: T201 - for the test above
