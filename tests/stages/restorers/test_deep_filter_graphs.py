"""Networks of DeepFilterNet's family: filters over frames, and the archives that graphs come in."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from schemas import MissingWeightsError
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS, Restorer
from tests.support.bundled_speech import bundled
from tests.support.speech_like import white_noise
from tests.support.tiny_restorers import lawful_restorer

KINDS = ("deepfilternet3", "hush")


def _loaded(kind: str, path: Path) -> Restorer:
    model = RESTORERS[kind].model_validate({"path": path})
    model.load("cpu")
    return model


def _restored(model: Restorer, given: Waveform) -> np.ndarray:
    return model.restore([given], [rng_for(0, "unused")])[0].samples


def _pack(folder: Path, names: list[str]) -> Path:
    """Write files of ``folder`` as the authors do, two folders deep."""
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        for name in names:
            archive.add(folder / name, f"tmp/export/{name}")
    return folder / "model.tar.gz"


@pytest.mark.parametrize(
    ("kind", "rate", "highest_hz"), [("deepfilternet3", 48_000, 4_800), ("hush", 16_000, 3_200)]
)
def test_filters_of_one_tap_leave_low_bins_alone(
    kind: str, rate: int, highest_hz: int, tmp_path: Path
) -> None:
    """With the filter that is 1, and gains under 1, the input comes back where bins are filtered."""
    lawful_restorer(kind, tmp_path)
    noise = Waveform(white_noise(rate), rate)

    restored = _restored(_loaded(kind, tmp_path), noise)

    middle = slice(rate // 10, -rate // 10)
    before, after = (np.fft.rfft(samples[middle]) for samples in (noise.samples, restored))
    hertz = np.fft.rfftfreq(noise.samples[middle].size, 1 / rate)
    low, high = hertz < highest_hz - 300, hertz > highest_hz + 200
    assert np.abs(after - before)[low].max() < 1e-2 * np.abs(before).max()
    assert np.abs(after)[high].std() < 0.9 * np.abs(before)[high].std()


def test_what_does_not_look_ahead_hears_no_later_sample(tmp_path: Path) -> None:
    """Hush hears a frame ahead, in which a sample is; DeepFilterNet3 two more."""
    for kind, seconds_ahead in (("hush", 0.01), ("deepfilternet3", 0.03)):
        folder = tmp_path / kind
        folder.mkdir()
        lawful_restorer(kind, folder)
        model = _loaded(kind, folder)
        given = resample(bundled(1), model.sample_rate or 0)
        half = given.samples.size // 2
        cut = given.with_samples(np.where(np.arange(given.samples.size) < half, given.samples, 0.0))

        whole, early = (_restored(model, each) for each in (given, cut))

        same = half - round(seconds_ahead * given.sample_rate) - given.sample_rate // 100
        assert np.array_equal(whole[:same], early[:same])
        assert not np.array_equal(whole[:half], early[:half])


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_as_good_as_its_folder(kind: str, tmp_path: Path) -> None:
    """The three graphs in a tar file give the same bits."""
    lawful_restorer(kind, tmp_path)
    given = bundled(2)
    given = resample(given, _loaded(kind, tmp_path).sample_rate or 0)
    loose = _restored(_loaded(kind, tmp_path), given)

    packed = _restored(_loaded(kind, _pack(tmp_path, ["enc.onnx", "erb_dec.onnx", "df_dec.onnx"])), given)

    assert np.array_equal(loose, packed)


def test_an_archive_without_a_graph_is_refused(tmp_path: Path) -> None:
    """The error names the file, and what should be in it."""
    lawful_restorer("deepfilternet3", tmp_path)
    path = _pack(tmp_path, ["enc.onnx", "df_dec.onnx"])

    with pytest.raises(
        MissingWeightsError, match=r"model\.tar\.gz is no archive with enc\.onnx, erb_dec\.onnx"
    ):
        _loaded("deepfilternet3", path)


@pytest.mark.parametrize("content", [b"hello", b"\x1f\x8b\x08\x00cut off"])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    """A page of text is none, nor is the beginning of one."""
    (tmp_path / "model.tar.gz").write_bytes(content)

    with pytest.raises(MissingWeightsError, match="is no archive with"):
        _loaded("hush", tmp_path / "model.tar.gz")
