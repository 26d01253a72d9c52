"""The generative restorers with the weights that ship: what they make of noisy speech."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics.pesq import Pesq
from stages.networks.generative.parts import SHIPPED
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for
from stages.restorers.fm import FlowMatching
from tests.support.speech_like import noisy

SPEECH = Path(__file__).parents[3] / "configs" / "speech"


def sentence(number: int) -> Waveform:
    """Return a bundled sentence at 16 kHz."""
    file = sorted(SPEECH.glob("**/*.flac"))[number]
    samples, rate = soundfile.read(file, dtype="float32")
    return resample(Waveform(np.ascontiguousarray(samples), rate), 16_000)


@pytest.fixture(scope="module")
def flow() -> FlowMatching:
    """Return ``fm`` as it is without any setting."""
    model = FlowMatching().with_digests()
    model.load("cpu")
    return model


def pesq_of(clean: Waveform, heard: Waveform) -> float:
    """Return how near one is to the other."""
    metric = Pesq()
    metric.load("cpu")
    (measured,) = metric.score([Comparison(candidate=heard, clean=clean)])
    assert isinstance(measured, Mapping), measured
    return float(measured[""])


def test_noisy_speech_comes_nearer_to_the_clean(flow: FlowMatching) -> None:
    """Of three sentences in noise, on average over takes that differ from one another."""
    gains = []
    for number in (0, 12, 24):
        clean = sentence(number)
        given = noisy(clean, 8.0)
        takes = flow.restore([given] * 2, [rng_for(number, str(take)) for take in range(2)])
        assert takes[0].samples.tobytes() != takes[1].samples.tobytes()
        gains += [pesq_of(clean, take) - pesq_of(clean, given) for take in takes]

    assert np.mean(gains) > 0.1


def test_a_take_does_not_depend_on_what_was_heard_before(flow: FlowMatching) -> None:
    """The estimate that is kept for the next take of an input is that of no other one."""
    first, second = noisy(sentence(0), 8.0), noisy(sentence(1), 8.0)

    together = flow.restore([first, second], [rng_for(0, "a"), rng_for(0, "b")])
    alone = flow.restore([second], [rng_for(0, "b")])

    assert together[1].samples.tobytes() == alone[0].samples.tobytes()


def test_the_weights_are_known_by_those_of_its_own_parts(flow: FlowMatching) -> None:
    """By a SHA-256 that other files in the folder do not change."""
    assert flow.sha256 is not None
    assert len(flow.sha256) == 64
    assert FlowMatching(path=SHIPPED).with_digests().sha256 == flow.sha256


def test_the_weights_that_ship_are_small() -> None:
    """At most 12 MB each, and a card beside them that says what they were made from."""
    sizes = {file.name: file.stat().st_size for file in SHIPPED.glob("*.safetensors")}

    assert sizes
    assert all(size <= 12_000_000 for size in sizes.values())
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert all(name in card for name in sizes)
    assert "CC-BY-4.0" in card
