"""Speech as gains around the estimate of a degraded input, and back."""

from pathlib import Path

import numpy as np
import pytest

from stages.audio.waveform import Waveform
from stages.networks.generative.tokenizer import GainTokenizer, gain_tokenizer_digest, load_gain_tokenizer
from tests.support.neural_weights import write_generative


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small networks."""
    return write_generative(tmp_path_factory.mktemp("parts"))


def noise(rate: int, level: float = 0.1) -> Waveform:
    """Return a second of noise."""
    return Waveform(level * np.random.default_rng(0).standard_normal(rate).astype(np.float32), rate)


def gains_db(tokenizer: GainTokenizer, codes: np.ndarray) -> float:
    """Return the mean gain that codes stand for."""
    books = tokenizer.networks["codes"].codebooks.numpy()
    return float(sum(book[code] for book, code in zip(books, codes, strict=True)).mean())


def test_louder_sides_have_greater_gains(folder: Path) -> None:
    """They are around one estimate: what is the degraded side's level, does not move them."""
    tokenizer = load_gain_tokenizer(folder)
    degraded = noise(16_000)
    sides = {"degraded": degraded, "louder": degraded.scale(2.0), "softer": degraded.scale(0.5)}

    codes = tokenizer.codes_of_sides(sides)
    all_louder = tokenizer.codes_of_sides({name: each.scale(4.0) for name, each in sides.items()})

    found = {name: gains_db(tokenizer, each) for name, each in codes.items()}
    assert found["softer"] < found["degraded"] < found["louder"]
    for name, each in codes.items():
        assert each.dtype == np.int16
        np.testing.assert_array_equal(each, all_louder[name])


def test_codes_become_speech_with_their_input(folder: Path) -> None:
    """At 16 kHz, as long and about as loud as what was encoded, also of the first codebooks alone."""
    tokenizer = load_gain_tokenizer(folder)
    degraded = noise(48_000)
    codes = tokenizer.codes_of_sides({"degraded": degraded, "chosen": degraded.scale(0.5)})["chosen"]

    made = tokenizer.decode(degraded, codes)
    fewer = tokenizer.decode(degraded, codes[:2])

    assert (made.sample_rate, made.samples.size, fewer.samples.size) == (16_000, 16_000, 16_000)
    assert np.isfinite(made.samples).all()
    assert not np.array_equal(made.samples, fewer.samples)


def test_the_digest_is_of_both_parts(folder: Path, tmp_path: Path) -> None:
    """Other codebooks are another codec."""
    for part in ("estimate", "codes"):
        (tmp_path / f"{part}.safetensors").write_bytes((folder / f"{part}.safetensors").read_bytes())
    same = gain_tokenizer_digest(tmp_path)
    (tmp_path / "codes.safetensors").write_bytes(b"others")

    assert same == gain_tokenizer_digest(folder) != gain_tokenizer_digest(tmp_path)
