"""Neural codecs, on small networks of random weights: what comes back is noise, where and how long is not."""

import hashlib
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import ConfigError, MissingWeightsError, RunError
from stages.degradations.neural_codec import NeuralCodec
from stages.degrade.memory_source import MemoryAudioSource
from stages.networks import codecs
from stages.operators.degradation import Scene
from stages.weights.files import CACHE_VARIABLE
from tests.support.neural_weights import write_dac, write_encodec
from tests.support.other_process import printed_by
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()
HAS_DESCRIPT = importlib.util.find_spec("dac") is not None


@pytest.fixture(scope="module")
def dac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small DAC."""
    return write_dac(tmp_path_factory.mktemp("dac"))


@pytest.fixture(scope="module")
def encodec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small EnCodec."""
    return write_encodec(tmp_path_factory.mktemp("encodec"))


def codec(path: Path | None, **settings: Any) -> NeuralCodec:
    """Return the operator; a DAC of two codebooks unless said."""
    return NeuralCodec.model_validate({"path": path, "num_codebooks": 2, **settings})


def encodec_of(path: Path, bandwidth_kbps: float = 3.0) -> NeuralCodec:
    """Return the operator for an EnCodec."""
    return codec(path, back_end="encodec", bandwidth_kbps=bandwidth_kbps)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.01, 0.05, 1.0])
def test_keeps_length_and_rate(seconds: float, sample_rate: int, dac: Path, encodec: Path) -> None:
    """Whatever the network's rate and hop, as many samples come back as went in."""
    speech = speech_like(seconds, sample_rate=sample_rate)

    for operator in (codec(dac), encodec_of(encodec)):
        heard = operator.apply(speech, SOURCES)
        assert heard.samples.shape == speech.samples.shape
        assert heard.sample_rate == sample_rate
        assert np.isfinite(heard.samples).all()


def test_generations_are_ways_through_the_network_one_after_the_other(dac: Path, encodec: Path) -> None:
    """Twice at once is the same as once and once again, at the length and place of the speech."""
    speech = speech_like(0.5, sample_rate=44_100)

    for once in (codec(dac), encodec_of(encodec)):
        twice = once.model_copy(update={"generations": 2})
        np.testing.assert_array_equal(
            twice.apply(speech, SOURCES).samples, once.apply(once.apply(speech, SOURCES), SOURCES).samples
        )


def test_what_happens_stays_where_it_happened(dac: Path) -> None:
    """A change in the middle of the speech changes what comes back around that place, and nowhere else."""
    speech = speech_like(2.0, sample_rate=44_100)
    changed = speech.samples.copy()
    changed[44_000:44_200] *= -1.0

    before, after = (codec(dac).apply(each, SOURCES) for each in (speech, speech.with_samples(changed)))

    power = (after.samples - before.samples).astype(np.float64) ** 2
    centre = np.sum(power * np.arange(power.size)) / np.sum(power)
    assert centre == pytest.approx(44_100, abs=512), "half a hop is the most that a frame can be off"
    assert np.sum(power[:40_000]) + np.sum(power[48_000:]) < 1e-3 * np.sum(power)


def test_long_speech_goes_through_in_blocks_without_seams(dac: Path) -> None:
    """Blocks are shown what is around them, so that they fit together as if there were none."""
    loaded = codecs.load_codec("dac_transformers", dac, "cpu")
    samples = np.tile(speech_like(10.0, sample_rate=44_100).samples, 4)[: 38 * 44_100]

    heard = loaded.transcode(samples, 2.0)

    block = round(codecs.CODEC_BLOCK_S * 44_100 / 512) * 512
    around = slice(block - 3 * 44_100, block + 3 * 44_100)
    alone = loaded.transcode(samples[block - 5 * 44_032 : block + 5 * 44_032], 2.0)
    middle = 5 * 44_032
    np.testing.assert_allclose(
        heard[around], alone[middle - 3 * 44_100 : middle + 3 * 44_100], atol=1e-5 * np.abs(heard).max()
    )
    assert heard.size == samples.size


def test_more_codebooks_take_more_bits(dac: Path, encodec: Path) -> None:
    """Six bits per codebook and frame of 512 samples; DAC uses no more codebooks than it has."""
    speech = speech_like(1.0, sample_rate=44_100)

    facts = [
        codec(dac, num_codebooks=n).damage(Scene(speech, speech), SOURCES).facts["bitrate_kbps"]
        for n in (1, 4, 9)
    ]

    assert facts == pytest.approx([n * 6 * 44.1 / 512 for n in (1, 4, 4)])
    scene = encodec_of(encodec, 6.0).damage(Scene(speech, speech), SOURCES)
    assert scene.facts["bitrate_kbps"] == 6.0
    assert scene.facts["codec_sample_rate_hz"] == 24_000


def test_is_known_by_its_weights_wherever_they_lie(dac: Path, tmp_path: Path) -> None:
    """A copy elsewhere has the same fingerprint, other weights have another one, and a pin holds."""
    copy = Path(shutil.copytree(dac, tmp_path / "copy"))
    other = write_dac(tmp_path / "other", sample_rate=24_000)

    pinned = [codec(path).with_digests() for path in (dac, copy, other)]

    assert pinned[0].fingerprint_params == pinned[1].fingerprint_params
    assert pinned[0].fingerprint_params != pinned[2].fingerprint_params
    assert str(dac) not in str(pinned[0].fingerprint_params)
    swapped = pinned[0].model_copy(update={"path": other})
    with pytest.raises(MissingWeightsError, match="was asked for"):
        swapped.apply(speech_like(0.1), SOURCES)


def test_missing_weights_stop_the_run(tmp_path: Path, encodec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None named, none there, cut short, or another network's: no random weights are used in their place."""
    cut = Path(shutil.copytree(encodec, tmp_path / "cut"))
    (cut / "model.safetensors").write_bytes(b"\0" * 100)
    speech = speech_like(0.1)

    original = codec(None, back_end="dac_descript")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for operator, message in (
        (codec(None), "dac_44khz/.* lacks config.json, model.safetensors; fetch them with"),
        (original, "needs 'path'"),
        (codec(tmp_path / "nowhere"), "cannot be read"),
        (codec(cut), "is no DacModel|lacks weights"),
        (encodec_of(cut), "is no EncodecModel"),
        (codec(encodec), "is no DacModel|lacks weights"),
    ):
        with pytest.raises(MissingWeightsError, match=message):
            operator.apply(speech, SOURCES)
    with pytest.raises(MissingWeightsError, match="needs 'path'"):
        original.with_digests()


def test_published_weights_are_found_in_the_cache(
    encodec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path, and as the same codec as a copy elsewhere; the recipe says neither place."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    copied = encodec_of(encodec)
    cached = NeuralCodec.model_validate(copied.model_dump() | {"path": None})
    shutil.copytree(encodec, cached.place)
    speech = speech_like(0.2)

    cached, copied = cached.with_digests(), copied.with_digests()

    assert cached.fingerprint_params == copied.fingerprint_params
    heard = [operator.apply(speech, SOURCES).samples for operator in (cached, copied)]
    np.testing.assert_array_equal(*heard)


def test_other_weights_under_the_name_of_the_published_ones_are_refused(
    dac: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DAC's digests are known, so that a file of the right name in the right place is not enough."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    shutil.copytree(dac, codec(None).place)

    with pytest.raises(MissingWeightsError, match="as published"):
        codec(None).with_digests()


def test_says_what_cannot_be(dac: Path, encodec: Path, tmp_path: Path) -> None:
    """Settings of the other codec, bitrates that it was not trained for, stereo, a GPU that is not there."""
    speech = speech_like(0.1)

    with pytest.raises(ValidationError, match="encodec needs bandwidth_kbps"):
        codec(encodec, back_end="encodec")
    with pytest.raises(ValidationError, match="dac_transformers needs num_codebooks"):
        NeuralCodec(path=dac, bandwidth_kbps=6.0)
    with pytest.raises(ConfigError, match="not 5"):
        encodec_of(encodec, 5.0).apply(speech, SOURCES)
    with pytest.raises(ConfigError, match="2 channels"):
        encodec_of(write_encodec(tmp_path / "stereo", channels=2)).apply(speech, SOURCES)
    import torch  # noqa: PLC0415

    if not torch.cuda.is_available():
        with pytest.raises(RunError, match="no GPU"):
            codec(dac, device="cuda").apply(speech, SOURCES)


def copied(source: Any, target: Any) -> Any:
    """Return ``target`` with the weights of ``source``, layer by layer: the two name theirs differently."""
    from torch import nn  # noqa: PLC0415

    def layers(model: Any) -> list[Any]:
        kinds = (nn.Conv1d, nn.ConvTranspose1d, nn.Embedding)
        parts = (
            part for name in ("encoder", "quantizer", "decoder") for part in getattr(model, name).modules()
        )
        return [part for part in parts if isinstance(part, kinds) or "Snake" in type(part).__name__]

    for there, here in zip(layers(source), layers(target), strict=True):
        if hasattr(there, "weight_g"):
            nn.utils.remove_weight_norm(there)
        for name in ("weight", "bias", "alpha"):
            if getattr(there, name, None) is not None:
                getattr(here, name).data.copy_(getattr(there, name).data)
    return target


@pytest.mark.skipif(not HAS_DESCRIPT, reason="the original DAC package is not installed: see neural_codec")
def test_both_back_ends_of_dac_are_the_same_network(tmp_path: Path) -> None:
    """The same weights give the same audio, to rounding."""
    import torch  # noqa: PLC0415
    from transformers import DacModel  # noqa: PLC0415

    dac = pytest.importorskip("dac", exc_type=(ImportError, OSError))
    torch.manual_seed(0)
    original = dac.DAC(
        encoder_dim=8,
        encoder_rates=[2, 4, 8, 8],
        latent_dim=128,
        decoder_dim=96,
        decoder_rates=[8, 8, 4, 2],
        n_codebooks=4,
        codebook_size=64,
        codebook_dim=8,
        sample_rate=44_100,
    )
    original.save(tmp_path / "weights.pth")
    copied(original, DacModel.from_pretrained(write_dac(tmp_path))).save_pretrained(tmp_path)
    speech = speech_like(1.0, sample_rate=44_100)

    theirs = codec(tmp_path / "weights.pth", back_end="dac_descript").apply(speech, SOURCES)
    ours = codec(tmp_path).apply(speech, SOURCES)

    np.testing.assert_allclose(ours.samples, theirs.samples, atol=1e-5)


@pytest.mark.skipif(HAS_DESCRIPT, reason="the original DAC package is installed")
def test_says_how_to_install_the_other_back_end(tmp_path: Path) -> None:
    """The original package is no dependency, because of what it asks for."""
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"weights")

    with pytest.raises(MissingWeightsError, match="pip install --no-deps descript-audio-codec"):
        codec(weights, back_end="dac_descript").apply(speech_like(0.1), SOURCES)


def digest_of_all(folder: Path) -> str:
    """Return the digest of half a second of speech through both networks."""
    speech = speech_like(0.5, sample_rate=44_100)
    operators = codec(folder / "dac"), encodec_of(folder / "encodec")
    heard = [operator.apply(speech, SOURCES).samples for operator in operators]
    return hashlib.sha256(np.concatenate(heard).tobytes()).hexdigest()


def test_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    """On one thread of one kind of CPU; nothing is drawn."""
    write_dac(tmp_path / "dac")
    write_encodec(tmp_path / "encodec")

    assert printed_by(__file__, str(tmp_path)) == digest_of_all(tmp_path)


if __name__ == "__main__":
    print(digest_of_all(Path(sys.argv[1])))  # noqa: T201 - for the test above
