"""The first start of a model: of one that has nothing to do with its input, or denies that it draws."""

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pydantic import PrivateAttr

from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import Restorer
from stages.restore.first_start import LEAST_LIKENESS, find_suspicious, likeness, start_first
from stages.weights.files import CACHE_VARIABLE
from tests.support.bundled_speech import bundled
from tests.support.speech_like import noisy

Make = Callable[[Samples, np.random.Generator], Samples]


class Scripted(Restorer):
    """A model that does what a test says."""

    kind: ClassVar[str] = "scripted_first"

    says_sampling: bool = False
    _make: Make = PrivateAttr()
    _count: int = PrivateAttr(default=0)

    @property
    def sampling(self) -> bool:
        """What the test says."""
        return self.says_sampling

    @property
    def count(self) -> int:
        """How often it was called."""
        return self._count

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Do as the test says."""
        self._count += 1
        return [
            each.with_samples(self._make(each.samples, stream))
            for each, stream in zip(batch, streams, strict=True)
        ]


def _model(make: Make, *, sampling: bool = False) -> Scripted:
    model = Scripted(says_sampling=sampling)
    model._make = make
    return model


def _noise(samples: Samples, stream: np.random.Generator) -> Samples:
    return np.asarray(0.05 * stream.standard_normal(samples.size), dtype=np.float32)


def _hissing(samples: Samples, stream: np.random.Generator) -> Samples:
    return samples + 0.1 * _noise(samples, stream)


def _late(samples: Samples, _: np.random.Generator) -> Samples:
    return np.concatenate([np.zeros(2_000, dtype=np.float32), samples[:-2_000]])


def _dull(samples: Samples, _: np.random.Generator) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[spectrum.size // 8 :] = 0.0
    return np.asarray(np.fft.irfft(spectrum, samples.size), dtype=np.float32)


SUSPICIOUS: dict[str, tuple[Make, bool, str]] = {
    "random": (_noise, True, "nothing to do with it .* looks like a network on random weights"),
    "denies": (_hissing, False, "says that it does not sample, and gives something else with another seed"),
    "claims": (
        lambda samples, _: samples,
        True,
        "says that it samples, and gives the same with another seed",
    ),
    "silent": (lambda samples, _: 0 * samples, False, "into silence"),
    "loud": (lambda samples, _: 20 * samples, False, r"changes the level .* by \+26 dB"),
    "short": (lambda samples, _: samples[: samples.size // 2], False, "is .* s long"),
    "dull": (
        _dull,
        False,
        "it leaves what is below",
    ),
}


@pytest.mark.parametrize("case", SUSPICIOUS)
def test_what_is_suspicious_is_said(case: str) -> None:
    """One thing each, in words that a user can act on."""
    make, sampling, said = SUSPICIOUS[case]

    found = list(find_suspicious(_model(make, sampling=sampling), "cpu", bundled(1)))

    assert any(re.search(said, each) for each in found), found


@pytest.mark.parametrize(
    ("make", "sampling"), [(_late, False), (_hissing, True), (lambda s, _: 0.3 * s, False)]
)
def test_a_sound_model_is_not_suspected(make: Make, sampling: bool) -> None:  # noqa: FBT001 - a case of a table
    """Late by an eighth of a second, drawing as it says, or quieter."""
    assert not list(find_suspicious(_model(make, sampling=sampling), "cpu", bundled(2)))


@pytest.mark.parametrize("number", [1, 5, 9, 20])
def test_speech_is_like_itself_and_not_like_other_speech(number: int) -> None:
    """In much noise too; the line between is where random networks fall below and restorations stay above."""
    speech, other = bundled(number), bundled(number + 1)
    length = min(speech.samples.size, other.samples.size)
    cut = [each.with_samples(each.samples[:length]) for each in (speech, other)]

    assert likeness(speech, noisy(speech, 0.0)) > 2 * LEAST_LIKENESS
    assert likeness(*cut) < 0.5


def test_it_is_tried_once_on_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was found is said again at each start, and other settings are another model."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    model = _model(_noise, sampling=True)

    with caplog.at_level(logging.WARNING, "unanimous"):
        first = start_first(model, "odd", "cpu", bundled(1))
        again = start_first(model, "odd", "cpu", bundled(2))

    assert first == again
    assert model.count == 3
    assert caplog.text.count("odd: what it makes of clean speech has nothing to do with it") == 2
    assert len(list((tmp_path / ".first_starts").iterdir())) == 1
