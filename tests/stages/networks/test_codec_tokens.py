"""Codes of a DAC, on a small network of random weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas import ConfigError, MissingWeightsError
from stages.audio.waveform import Waveform
from stages.networks.codec_tokens import Tokenizer, load_tokenizer
from tests.support.neural_weights import write_dac, write_encodec
from tests.support.speech_like import speech_like

HOP = 512


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small DAC: four codebooks of 64 codes, 512 samples a frame."""
    return write_dac(tmp_path_factory.mktemp("dac"))


@pytest.fixture(scope="module")
def tokenizer(place: Path) -> Tokenizer:
    """Return it, loaded."""
    return load_tokenizer(place)


@pytest.mark.parametrize(("seconds", "sample_rate"), [(0.005, 44_100), (0.3, 16_000), (1.0, 44_100)])
def test_one_frame_for_each_hop(seconds: float, sample_rate: int, tokenizer: Tokenizer) -> None:
    """Whatever the rate; the last frame is filled up."""
    codes = tokenizer.codes(speech_like(seconds, sample_rate=sample_rate))

    assert codes.shape == (4, -(-round(seconds * 44_100) // HOP))
    assert codes.dtype == np.int16
    assert codes.min() >= 0
    assert codes.max() < tokenizer.codebook_size == 64
    assert len(np.unique(codes)) > 1


def test_the_network_itself_gives_the_same_codes(place: Path, tokenizer: Tokenizer) -> None:
    """Asked directly, as transformers documents it."""
    import torch  # noqa: PLC0415
    from transformers import DacModel  # noqa: PLC0415

    speech = speech_like(1.0, sample_rate=44_100)
    with torch.inference_mode():
        given = torch.from_numpy(speech.samples[: 40 * HOP].copy())[None, None]
        expected = DacModel.from_pretrained(place).eval().encode(given).audio_codes[0].numpy()

    np.testing.assert_array_equal(tokenizer.codes(speech.with_samples(speech.samples[: 40 * HOP])), expected)


def test_fewer_codebooks_are_the_first_ones(place: Path, tokenizer: Tokenizer) -> None:
    """Each codes what those before it have left."""
    speech = speech_like(0.5, sample_rate=44_100)

    np.testing.assert_array_equal(
        load_tokenizer(place, num_codebooks=2).codes(speech), tokenizer.codes(speech)[:2]
    )


def test_long_speech_goes_through_in_blocks_without_seams(tokenizer: Tokenizer) -> None:
    """Blocks are shown what is around them: the codes are those of the whole."""
    speech = speech_like(2.0, sample_rate=44_100)

    in_blocks = replace(tokenizer, block_s=0.4, context_s=0.3).codes(speech)

    np.testing.assert_array_equal(in_blocks, tokenizer.codes(speech))


def test_refuses_what_it_cannot_serve(place: Path, tmp_path: Path) -> None:
    """More codebooks than there are, another network, an empty folder."""
    with pytest.raises(ConfigError, match="has 4 codebooks, not 9"):
        load_tokenizer(place, num_codebooks=9)
    with pytest.raises(MissingWeightsError):
        load_tokenizer(write_encodec(tmp_path / "encodec"))
    with pytest.raises(MissingWeightsError):
        load_tokenizer(tmp_path / "nothing")


def test_silence_has_codes_too(tokenizer: Tokenizer) -> None:
    """And the same ones at every place away from the edges."""
    codes = tokenizer.codes(Waveform(np.zeros(60 * HOP, dtype=np.float32), 44_100))

    assert (codes[:, 20:40] == codes[:, 20:21]).all()
