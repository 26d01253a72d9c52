"""Laws that every degradation obeys, whoever writes it. A new one is tested by existing."""

import contextlib
import hashlib
import json
import pickle
from functools import lru_cache

import numpy as np
import pytest

from schemas import UnfitError
from stages.audio.waveform import Samples, Waveform
from stages.degradations import DEGRADATIONS, Degradation
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.distributions import Pools
from stages.operators.operator import Operator
from stages.operators.rng import rng_for
from tests.support.other_process import printed_by
from tests.support.peak_memory import with_peak_bytes

RATE = 48_000
MOST_AT_FULL_SCALE = 0.05
"""Rounding to 4 bits leaves a few samples there; clipping at four times full scale leaves a third."""
MOST_TIMES_THE_INPUT = 32
"""A complex spectrogram in double precision with half-overlapping frames is eight times its samples."""
KINDS = [kind for kind in DEGRADATIONS if DEGRADATIONS[kind].weights == Operator.weights]
"""Those that need weights from elsewhere are tested where the weights are."""
TURN_PHASES = frozenset({"av_codec", "packet_loss"})
"""Voice codecs turn the phases below 200 Hz: by plain correlation 5 samples early, by GCC-PHAT 0 to 0.25."""
OTHERS = tuple(f"somebody else {n}" for n in range(8))


def gliding(seconds: float = 1.0, sample_rate: int = RATE, name: str = "one") -> Waveform:
    """Return gliding voiced sound and bursts of hiss at a peak of 0.95: every frequency, never periodic."""
    return Waveform(_bursts(seconds, sample_rate, name).copy(), sample_rate)


@lru_cache(maxsize=32)
def _bursts(seconds: float, sample_rate: int, name: str) -> Samples:
    rng = rng_for(0, "speech-like", name)
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(140.0 + 40.0 * np.sin(2 * np.pi * 1.3 * t)) / sample_rate
    voiced = sum(np.sin(k * phase + k * k) / k for k in range(1, 20)) * np.sin(2 * np.pi * 2.1 * t) ** 2
    hiss = 0.5 * rng.standard_normal(t.size) * np.cos(2 * np.pi * 2.1 * t) ** 8
    samples = voiced + hiss
    return (0.95 * samples / np.max(np.abs(samples))).astype(np.float32)


def room(sample_rate: int = RATE) -> Waveform:
    """Return a response of 0.3 s: a late direct sound, then a quiet tail."""
    rng = rng_for(0, "room")
    tail = rng.standard_normal(int(0.3 * sample_rate)) * np.exp(-np.arange(int(0.3 * sample_rate)) / 2_000)
    return Waveform(np.r_[np.zeros(500), 1.0, np.zeros(200), 0.01 * tail].astype(np.float32), sample_rate)


def filled() -> MemoryAudioSource:
    """Return two noises, a room and eight voices."""
    held = MemoryAudioSource()
    hiss = 0.1 * rng_for(0, "hiss").standard_normal(RATE // 2)
    held.add("noise", "hiss", Waveform(hiss.astype(np.float32), RATE))
    held.add("rir", "room", room())
    held.add("noise", "crackle", Waveform((hiss**3 * 50.0).astype(np.float32), RATE))
    for name in OTHERS:
        held.add("speech", name, gliding(0.8, name=name))
    return held


def pools_of(held: MemoryAudioSource) -> Pools:
    """Return what can be drawn from."""
    return {pool: held.refs(pool) for pool in ("noise", "rir", "speech")}


@pytest.fixture(scope="module")
def sources() -> MemoryAudioSource:
    """Return the recordings of the pools."""
    return filled()


@pytest.fixture(scope="module")
def pools(sources: MemoryAudioSource) -> Pools:
    """Return the pools."""
    return pools_of(sources)


@pytest.fixture(params=[(kind, n) for kind in KINDS for n in range(3)], ids=lambda p: f"{p[0]}-{p[1]}")
def degradation(request: pytest.FixtureRequest, pools: Pools) -> Degradation:
    """Return three draws of each registered degradation, one at a time."""
    kind, draw = request.param
    return DEGRADATIONS[kind].drawn(rng_for(draw, kind), pools)


def lag_samples(late: Waveform, early: Waveform, reach_s: float = 0.1) -> int:
    """Return by how much ``late`` comes after ``early``: where their cross-correlation is highest."""
    size = 1 << (2 * early.samples.size).bit_length()
    spectrum = np.fft.rfft(late.samples, size) * np.conj(np.fft.rfft(early.samples, size))
    likeness = np.fft.irfft(spectrum, size)
    reach = int(reach_s * early.sample_rate)
    return int(np.argmax(np.r_[likeness[-reach:], likeness[: reach + 1]])) - reach


def phase_lag_samples(late: Waveform, early: Waveform, reach: int = 200, finer: int = 8) -> float:
    """Return the lag by GCC-PHAT, with its sign and to an eighth of a sample: all frequencies count alike."""
    size = 1 << (2 * early.samples.size).bit_length()
    cross = np.fft.rfft(late.samples, size) * np.conj(np.fft.rfft(early.samples, size))
    audible = np.abs(cross) > 1e-6 * np.abs(cross).max()
    phases = np.where(audible, cross / np.maximum(np.abs(cross), 1e-30), 0.0)
    likeness = np.fft.irfft(np.pad(phases, (0, (finer - 1) * size // 2)), finer * size)
    around = np.r_[likeness[-finer * reach :], likeness[: finer * reach + 1]]
    return int(np.argmax(around)) / finer - reach


def test_is_audible_and_well_formed(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """It changes the signal or says so, keeps length and rate, stays finite, and spares its input."""
    speech = gliding()
    before = speech.samples.copy()

    scene = degradation.damage(Scene(speech, speech), sources)

    out = scene.degraded
    assert out.samples.shape == speech.samples.shape
    assert out.sample_rate == speech.sample_rate
    assert np.isfinite(out.samples).all()
    assert np.array_equal(out.samples, before) == (scene.facts.get("applied") == 0.0)
    np.testing.assert_array_equal(speech.samples, before)


def test_delays_nothing(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """Degraded speech lies on the clean speech, and the reference lies on both."""
    speech = gliding()

    scene = degradation.damage(Scene(speech, speech), sources)

    lag = phase_lag_samples if degradation.kind in TURN_PHASES else lag_samples
    assert abs(lag(scene.degraded, speech)) <= 0.5
    assert lag_samples(scene.reference, speech) == 0
    assert scene.reference.samples.shape == speech.samples.shape


def test_reports_numbers_and_does_what_it_reports(
    degradation: Degradation, sources: MemoryAudioSource
) -> None:
    """What it measured is finite, and measuring changes nothing about the audio."""
    speech = gliding()

    scene = degradation.damage(Scene(speech, speech), sources)

    assert all(np.isfinite(value).all() for value in scene.facts.values())
    np.testing.assert_array_equal(scene.degraded.samples, degradation.apply(speech, sources).samples)


def test_replays_bit_for_bit_from_its_record(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """What the dataset records of it is enough to make it again."""
    again = DEGRADATIONS.build(type(degradation.spec).model_validate_json(degradation.spec.model_dump_json()))

    assert again == degradation
    np.testing.assert_array_equal(
        again.apply(gliding(), sources).samples, degradation.apply(gliding(), sources).samples
    )


def test_remembers_nothing(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """A record's result is the same alone, first, last and after any other."""
    mine, other = gliding(), gliding(0.7, name="three")

    alone = degradation.apply(mine, sources).samples
    degradation.apply(other, sources)
    after_another = degradation.apply(mine, sources).samples

    np.testing.assert_array_equal(alone, after_another)


def digests() -> str:
    """Return a digest of what each degradation makes of a second of speech, and measures of it."""
    held, speech = filled(), gliding()
    made = {}
    for kind in KINDS:
        scene = DEGRADATIONS[kind].drawn(rng_for(0, kind), pools_of(held)).damage(Scene(speech, speech), held)
        facts = json.dumps({name: np.asarray(value).tolist() for name, value in scene.facts.items()})
        made[kind] = hashlib.sha256(scene.degraded.samples.tobytes() + facts.encode()).hexdigest()
    return json.dumps(made)


def test_adds_alike_on_every_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS adds in the order that suits a processor, here an old one: nothing made or measured changes."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")

    assert json.loads(printed_by(__file__)) == json.loads(digests())


def test_travels_to_a_worker(degradation: Degradation) -> None:
    """It pickles to an equal value."""
    assert pickle.loads(pickle.dumps(degradation)) == degradation


def unusual(sample_rate: int) -> dict[str, Waveform]:
    """Return what hardly is speech: half a second of each."""
    n = sample_rate // 2
    square = np.sign(np.sin(2 * np.pi * 100.0 * (np.arange(n) + 0.5) / sample_rate))
    click = np.zeros(n)
    click[n // 2] = 1.0
    kinds = {"silence": np.zeros(n), "an offset": np.full(n, 0.5), "a square wave": square, "a click": click}
    return {name: Waveform(samples.astype(np.float32), sample_rate) for name, samples in kinds.items()}


@pytest.mark.parametrize("sample_rate", [8_000, 96_000])
@pytest.mark.parametrize("kind", KINDS)
def test_gives_an_answer_or_a_reason(
    kind: str, sample_rate: int, sources: MemoryAudioSource, pools: Pools
) -> None:
    """Silence, an offset, a full-scale square wave and a click are damaged, or there is a reason why not."""
    for name, speech in unusual(sample_rate).items():
        degradation = DEGRADATIONS[kind].drawn(rng_for(0, kind), pools)
        with contextlib.suppress(UnfitError):
            scene = degradation.damage(Scene(speech, speech), sources)

            assert np.isfinite(scene.degraded.samples).all(), name
            assert all(np.isfinite(value).all() for value in scene.facts.values()), name
            assert scene.degraded.samples.shape == speech.samples.shape, name


def test_turns_nothing_upside_down(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """Degraded speech has the polarity of the clean speech."""
    speech = gliding()

    degraded = degradation.apply(speech, sources)

    assert float(np.dot(degraded.samples.astype(np.float64), speech.samples)) > 0.0


def test_clips_only_if_it_says_so(degradation: Degradation, sources: MemoryAudioSource) -> None:
    """Speech that was mixed above full scale passes whole; what flattens reports ``clipped_fraction``."""
    loud = gliding().scale(4.0)

    scene = degradation.damage(Scene(loud, loud), sources)

    at_full_scale = np.abs(scene.degraded.samples) == np.float32(1.0)
    assert "clipped_fraction" in scene.facts or np.mean(at_full_scale) < MOST_AT_FULL_SCALE


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("seconds", [0.05, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_takes_any_rate_and_length(
    kind: str, seconds: float, sample_rate: int, sources: MemoryAudioSource, pools: Pools
) -> None:
    """Speech of the usual rates, however short, comes back as long as it was."""
    speech = gliding(seconds, sample_rate)

    out = DEGRADATIONS[kind].drawn(rng_for(0, kind), pools).apply(speech, sources)

    assert out.samples.shape == speech.samples.shape
    assert out.sample_rate == sample_rate
    assert np.isfinite(out.samples).all()


@pytest.mark.parametrize("kind", KINDS)
def test_takes_ten_minutes_in_bounded_memory(kind: str, sources: MemoryAudioSource, pools: Pools) -> None:
    """Ten minutes at 8 kHz come back whole, and never hold 32 times as many bytes."""
    sentence = gliding(20.0, 8_000).samples
    speech = Waveform(np.tile(sentence, 30), 8_000)
    degradation = DEGRADATIONS[kind].drawn(rng_for(0, kind), pools)

    out, most = with_peak_bytes(lambda: degradation.apply(speech, sources))

    assert out.samples.shape == speech.samples.shape
    assert np.isfinite(out.samples).all()
    assert most <= MOST_TIMES_THE_INPUT * speech.samples.nbytes


def test_one_that_says_in_neither_way_what_it_does_is_no_degradation() -> None:
    """``apply`` follows from ``damage`` and the other way round, so that one of them has to be written."""
    with pytest.raises(TypeError, match="Silent has neither apply nor damage; write one of them"):
        type("Silent", (Degradation,), {"kind": "silent", "__module__": __name__})


if __name__ == "__main__":
    print(digests())  # noqa: T201 - for a test above
