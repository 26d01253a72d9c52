"""``train vqscore``: what it prints and writes, how it goes on, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from pipeline.cli.commands.train import train_vqscore_command
from pipeline.sources.speech_folder import SpeechFolder
from schemas import RunError, UserError
from stages.metrics.vqscore import VqScore
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for
from tests.support.speech_like import speech_like

SETTINGS = {
    "batch_size": 4,
    "stretch_s": 0.5,
    "learning_rate": 3e-3,
    "network": {"codes": 16, "code_width": 4, "outer_width": 8, "inner_width": 8},
}


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Return a folder of three short recordings at different rates."""
    folder = tmp_path / "clean"
    for place, rate in enumerate((16_000, 22_050, 48_000)):
        (folder / str(place)).mkdir(parents=True)
        voice = speech_like(0.4 + place, pitch_hz=100.0 + 40.0 * place, sample_rate=rate)
        soundfile.write(folder / str(place) / "voice.flac", voice.samples, rate)
    return folder


def train(speech: Path, out: Path, steps: int, **changes: object) -> None:
    """Run the command with a checkpoint every five steps."""
    train_vqscore_command(speech, out, SETTINGS | changes, steps=steps, every=5, device="cpu")


def weights(out: Path) -> bytes:
    """Return what was trained."""
    return (out / "weights" / "model.safetensors").read_bytes()


def test_prints_a_falling_loss_and_writes_what_the_metric_opens(
    speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The curve is printed, kept as JSON, and falls; the folder that is named at the end has a score."""
    train(speech, tmp_path / "out", 60)

    printed = [float(loss) for loss in re.findall(r"loss ([\d.]+)", capsys.readouterr().out)]
    curve = json.loads((tmp_path / "out" / "losses.json").read_text())
    assert [row["step"] for row in curve] == list(range(5, 61, 5))
    assert printed == [round(row["loss"], 4) for row in curve]
    assert printed[-1] < 0.8 * printed[0]
    metric = VqScore(path=tmp_path / "out" / "weights")
    metric.load("cpu")
    candidate = speech_like(1.0)
    (values,) = metric.score([Comparison(candidate, candidate)])
    assert -1.0 <= values[""] <= 1.0


def test_goes_on_from_a_checkpoint_bit_for_bit(speech: Path, tmp_path: Path) -> None:
    """Ten steps and then twenty are twenty, weights and curve."""
    train(speech, tmp_path / "whole", 20)
    train(speech, tmp_path / "halves", 10)

    train(speech, tmp_path / "halves", 20)

    assert weights(tmp_path / "halves") == weights(tmp_path / "whole")
    curves = [(tmp_path / run / "losses.json").read_text() for run in ("halves", "whole")]
    assert curves[0] == curves[1]


def test_refuses_a_checkpoint_of_other_settings(speech: Path, tmp_path: Path) -> None:
    """Going on with another learning rate or other speech would be neither training."""
    train(speech, tmp_path / "out", 5)

    with pytest.raises(UserError, match="made with other settings"):
        train(speech, tmp_path / "out", 10, learning_rate=1e-4)
    (speech / "0" / "voice.flac").unlink()
    with pytest.raises(UserError, match="made with other speech"):
        train(speech, tmp_path / "out", 10)


@pytest.mark.parametrize("foreign", [{"state": torch.zeros(2)}, [torch.zeros(2)]])
def test_refuses_a_checkpoint_of_something_else(foreign: object, speech: Path, tmp_path: Path) -> None:
    """A file of that name that another program left is named, and stays what it was."""
    (tmp_path / "out").mkdir()
    torch.save(foreign, tmp_path / "out" / "checkpoint.pt")
    before = (tmp_path / "out" / "checkpoint.pt").read_bytes()

    with pytest.raises(UserError, match=r"checkpoint\.pt is a checkpoint of something else"):
        train(speech, tmp_path / "out", 5)

    assert (tmp_path / "out" / "checkpoint.pt").read_bytes() == before


def test_names_a_recording_that_is_none(speech: Path, tmp_path: Path) -> None:
    """Before anything is trained."""
    (speech / "notes.wav").write_text("no audio")

    with pytest.raises(UserError, match=r"notes\.wav cannot be trained on"):
        train(speech, tmp_path / "out", 5)
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_said_to_be(tmp_path: Path) -> None:
    """A wrong path is no training on nothing."""
    with pytest.raises(UserError, match="no recordings"):
        SpeechFolder(tmp_path, 16_000)
    with pytest.raises(UserError, match="no folder"):
        SpeechFolder(tmp_path / "elsewhere", 16_000)


def test_where_nothing_can_be_written_nothing_is_trained(
    speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is found out before the first step, not by the first checkpoint."""
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(NotADirectoryError):
        train(speech, tmp_path / "file" / "out", 5)

    assert "step" not in capsys.readouterr().out


def test_an_unknown_device_is_said_to_be(speech: Path, tmp_path: Path) -> None:
    """Instead of a traceback of torch's."""
    with pytest.raises(RunError, match="'gpu' is no device"):
        train_vqscore_command(speech, tmp_path / "out", SETTINGS, steps=5, every=5, device="gpu")


def test_draws_stretches_of_one_length_from_all_recordings(speech: Path) -> None:
    """Short recordings are repeated, long ones cut anywhere, and a stream always draws the same."""
    folder = SpeechFolder(speech, 16_000)

    drawn = [folder.stretch(rng_for(0, "draw", place), 8_000) for place in range(20)]

    assert {stretch.size for stretch in drawn} == {8_000}
    assert len({stretch.tobytes() for stretch in drawn}) > 15
    np.testing.assert_array_equal(drawn[3], folder.stretch(rng_for(0, "draw", 3), 8_000))
    assert folder.duration_s == pytest.approx(0.4 + 1.4 + 2.4, abs=1e-3)
