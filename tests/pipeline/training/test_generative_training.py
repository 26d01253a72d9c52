"""``train estimate|codec|fm|mgm|ar``: what is learnt, how it goes on after a stop, and what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.cli.commands.train_generative import (
    open_material,
    open_mixtures,
    train_codec_command,
    train_part_command,
)
from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.training.trainer import require_finite
from schemas import ConfigError, MissingWeightsError, RunError, Split, UserError
from stages.audio.waveform import Waveform
from stages.networks.generative.parts import load_part
from stages.operators.rng import rng_for
from stages.restorers.ar import Autoregression
from stages.restorers.fm import FlowMatching
from stages.restorers.mgm import MaskedGeneration
from tests.support import tiny_training
from tests.support.speech_like import speech_like

OPTIONS = replace(tiny_training.OPTIONS, batch_size=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ResolvedConfig:
    """Return a config with eight short recordings, four or so on each side of the split."""
    return resolve(tiny_training.write_training(tmp_path_factory.mktemp("training")))


@pytest.fixture(scope="module")
def trained(run: ResolvedConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every part was trained for a few steps."""
    out = tmp_path_factory.mktemp("out")
    train_part_command(run, "estimate", out, OPTIONS)
    train_codec_command(run, out, batches=4, stretch_s=0.6, seed=0)
    for part in ("fm", "mgm", "ar"):
        train_part_command(run, part, out, replace(OPTIONS, steps=2))
    return out


def test_a_mixture_is_drawn_by_its_number(run: ResolvedConfig, trained: Path) -> None:
    """The same number gives the same mixture whoever asks and in whichever order; others differ."""
    material = open_material(run, trained)
    first, second = (open_mixtures(material, 0.6, 0) for _ in range(2))
    second.draw(Split.TRAIN, 7, 1)

    mixture, again = (each.draw(Split.TRAIN, 3, 0) for each in (first, second))

    assert mixture.degraded.tobytes() == again.degraded.tobytes()
    assert mixture.clean.tobytes() == again.clean.tobytes()
    assert mixture.degraded.size == mixture.clean.size == 9_600
    assert mixture.degraded.tobytes() != first.draw(Split.TRAIN, 3, 1).degraded.tobytes()
    assert mixture.clean.tobytes() != first.draw(Split.VALIDATION, 3, 0).clean.tobytes()


def test_a_training_that_was_stopped_ends_with_the_same_weights(
    run: ResolvedConfig, trained: Path, tmp_path: Path
) -> None:
    """Two steps, a stop and two more leave the very bytes of four in a row."""
    train_part_command(run, "estimate", tmp_path, replace(OPTIONS, steps=2))
    train_part_command(run, "estimate", tmp_path, OPTIONS)

    part = Path("weights") / "estimate.safetensors"
    assert (tmp_path / part).read_bytes() == (trained / part).read_bytes()
    curve = json.loads((tmp_path / "estimate.losses.json").read_text())
    assert [row["step"] for row in curve] == [2, 4]
    assert {"error", "validation_error", "ovrl", "estoi", "hours"} <= curve[-1].keys()


@pytest.mark.parametrize("model", [FlowMatching, MaskedGeneration, Autoregression])
def test_what_was_trained_restores(
    trained: Path, model: type[FlowMatching | MaskedGeneration | Autoregression]
) -> None:
    """The folder of weights is what the restorer of that name opens; its takes differ by their streams."""
    restorer = model(path=trained / "weights").with_digests()
    restorer.load("cpu")
    given = speech_like(0.7, sample_rate=44_100)

    first, second = restorer.restore([given, given], [rng_for(0, "a"), rng_for(0, "b")])

    assert first.sample_rate == given.sample_rate
    assert first.samples.size == given.samples.size
    assert first.samples.tobytes() != second.samples.tobytes()


def test_what_lies_above_8_khz_is_kept(trained: Path) -> None:
    """Of 44.1 kHz the networks hear 16; noise above 9 kHz follows the gain of the highest bins below 8."""
    restorer = FlowMatching(path=trained / "weights", temperature=0.0)
    restorer.load("cpu")
    noise = 0.05 * rng_for(0, "noise").standard_normal(44_100)
    given = Waveform(noise.astype("float32"), 44_100)

    (restored,) = restorer.restore([given], [rng_for(0, "a")])

    below, above = (
        _power_between(restored, *hz) / _power_between(given, *hz) for hz in ((6_500, 7_300), (9_000, 22_000))
    )
    assert above == pytest.approx(min(below, 1.0), rel=0.1)


def _power_between(waveform: Waveform, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(waveform.samples)) ** 2
    at_hz = np.fft.rfftfreq(waveform.samples.size, 1 / waveform.sample_rate)
    return float(power[(at_hz > low_hz) & (at_hz < high_hz)].sum())


def test_another_training_in_the_folder_is_refused(run: ResolvedConfig, trained: Path) -> None:
    """A checkpoint of another seed or size is not gone on from; the message says what differs."""
    with pytest.raises(UserError, match="made with another seed: 0, not 1; give that, or another --out"):
        train_part_command(run, "estimate", trained, replace(OPTIONS, seed=1))
    with pytest.raises(UserError, match="made with another channels: 16, not 24"):
        train_part_command(run, "estimate", trained, replace(OPTIONS, channels=24))


def test_a_part_of_another_estimate_is_not_gone_on_with(
    run: ResolvedConfig, trained: Path, tmp_path: Path
) -> None:
    """Whoever trains the estimate again has to begin with what builds on it again."""
    shutil.copytree(trained, tmp_path / "out")
    train_part_command(run, "estimate", tmp_path / "out", replace(OPTIONS, steps=5))

    with pytest.raises(UserError, match="made with another estimate"):
        train_part_command(run, "fm", tmp_path / "out", OPTIONS)


def test_weights_that_are_gone_are_written_again(run: ResolvedConfig, trained: Path, tmp_path: Path) -> None:
    """The same command after the end: nothing is trained, and the weights are there."""
    shutil.copytree(trained, tmp_path / "out")
    name = tmp_path / "out" / "weights" / "estimate.safetensors"
    before = name.read_bytes()
    name.unlink()

    train_part_command(run, "estimate", tmp_path / "out", OPTIONS)

    assert name.read_bytes() == before


def test_parts_of_different_sets_do_not_mix(run: ResolvedConfig, trained: Path, tmp_path: Path) -> None:
    """A flow beside an estimate that it was not trained on is an error that says so."""
    shutil.copytree(trained, tmp_path / "out")
    train_part_command(run, "estimate", tmp_path / "out", replace(OPTIONS, steps=5))
    restorer = FlowMatching(path=tmp_path / "out" / "weights")

    with pytest.raises(MissingWeightsError, match=r"fm\.safetensors was trained on another 'estimate'"):
        restorer.load("cpu")


def test_a_gradient_that_is_not_finite_ends_it() -> None:
    """Before the weights are gone, with the step and the way out."""
    require_finite(torch.tensor(1.0), 3)
    with pytest.raises(RunError, match="the gradient of step 4 is not finite"):
        require_finite(torch.tensor(float("nan")), 3)


def test_a_part_needs_those_that_it_builds_on(run: ResolvedConfig, tmp_path: Path) -> None:
    """A flow without an estimate is an error that names the file."""
    with pytest.raises(MissingWeightsError, match=r"estimate\.safetensors is no trained 'estimate'"):
        train_part_command(run, "fm", tmp_path, OPTIONS)


def test_an_end_has_to_be_named(run: ResolvedConfig, tmp_path: Path) -> None:
    """Without hours and steps nothing begins."""
    with pytest.raises(UserError, match="--hours or --steps"):
        train_part_command(run, "fm", tmp_path, replace(OPTIONS, steps=None))


def test_both_sides_of_the_split_need_speech(run: ResolvedConfig, tmp_path: Path) -> None:
    """A config that leaves nothing for validation is an error that says where to change it."""
    one_side = resolve(Path(run.path("config.yaml")), ["ingest.splits={train: 1.0}"])

    with pytest.raises(ConfigError, match=r"no speech is on the validation side; see 'ingest\.splits'"):
        train_part_command(one_side, "estimate", tmp_path, OPTIONS)


def test_a_training_can_begin_with_given_weights(run: ResolvedConfig, trained: Path, tmp_path: Path) -> None:
    """Its first step moves those, and going on as if it had begun with none is refused."""
    given = load_part(trained / "weights", "estimate", "cpu").state_dict()
    begun = replace(OPTIONS, steps=1, learning_rate=1e-9, initial=trained / "weights")

    train_part_command(run, "estimate", tmp_path, begun)

    moved = load_part(tmp_path / "weights", "estimate", "cpu").state_dict()
    assert all(torch.allclose(moved[name], value, atol=1e-6) for name, value in given.items())
    with pytest.raises(UserError, match="made with another weights to begin with"):
        train_part_command(run, "estimate", tmp_path, replace(begun, initial=None))


def test_weights_to_begin_with_must_be_of_the_size_asked_for(
    run: ResolvedConfig, trained: Path, tmp_path: Path
) -> None:
    """The message has both sizes and the options that say them."""
    other = replace(OPTIONS, channels=24, initial=trained / "weights")
    with pytest.raises(UserError, match=r"channels=16 .*channels=24 .*--channels and --blocks"):
        train_part_command(run, "estimate", tmp_path, other)
