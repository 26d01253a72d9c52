"""A class of the user's own: what it takes, and by what it is known."""

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.files import module_in
from schemas import ConfigError, Degraded, MissingWeightsError, RunError
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.operators.user_modules import install_modules
from stages.restore.fitting import ModelInput
from stages.restore.stage import RestoreStage
from stages.restorers.python import Python
from tests.support.speech_like import noisy, speech_like

GUIDE = Path(__file__).parents[3] / "stages" / "restorers" / "workers" / "README.md"
BLOCKS = [block.partition("```")[0] for block in GUIDE.read_text().split("```python\n")[1:]]
EXAMPLE = next(block for block in BLOCKS if "class Expander" in block)
Write = Callable[..., str]


@pytest.fixture
def target(tmp_path: Path) -> Write:
    """Return a function that puts a source where ``operators`` would find it, and names its class."""

    def write(source: str = EXAMPLE, name: str = "expander") -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        install_modules([module_in(path)])
        return f"{name}:Expander"

    return write


def _loaded(target: str, **fields: Any) -> Python:
    model = Python.model_validate({"target": target, **fields}).with_digests()
    model.load("cpu")
    return model


def _restored(model: Python, samples: np.ndarray, take: int = 0) -> np.ndarray:
    return model.restore([Waveform(samples, 16_000)], [rng_for(0, "take", take)])[0].samples


def test_a_file_of_twenty_lines_is_a_model(target: Write) -> None:
    """The class of the guide, with two methods, in a file that the config lists, restores."""
    assert len(EXAMPLE.splitlines()) <= 20
    samples = np.array([0.5, 0.005, -0.5], dtype=np.float32)

    restored = _restored(_loaded(target()), samples)

    assert restored == pytest.approx([0.5, 0.0005, -0.5])


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("with_axes", "samples[None, :, None]"),
        ("with_tensors", "torch.tensor(samples[None], requires_grad=True)"),
    ],
)
def test_arrays_and_tensors_are_taken_as_they_come(target: Write, name: str, made: str) -> None:
    """A batch or a channel of one is no second waveform, whether it is numpy's or torch's."""
    source = EXAMPLE.replace("import numpy", "import torch\nimport numpy", 1)
    source = source.replace("np.where(quiet, self.gain * samples, samples) + drawn", made)
    samples = np.array([0.5, 0.005, -0.5], dtype=np.float32)

    restored = _restored(_loaded(target(source, name)), samples)

    assert np.array_equal(restored, samples)


def test_a_number_beside_the_samples_is_the_takes_confidence(target: Write) -> None:
    """Of chunks the mean, weighted by their lengths; a number that is none says nothing."""
    source = EXAMPLE.replace("* samples, samples) + drawn", "* samples, samples) + drawn, {said}")
    speech = noisy(speech_like(3.0, sample_rate=16_000), 10.0)
    found = {}
    for name, said in (("lengths", "float(samples.size)"), ("nothing", "float('nan')")):
        model = _loaded(target(source.replace("{said}", said), name), longest_s=2.0)
        stage = RestoreStage(name, model, num_takes=1, draws={}, seed=0, cache=AudioCache())
        (row,) = stage.process([Degraded(id="a", degraded=encode_flac(speech))])
        found[name] = row.takes[0].confidence
        assert row.is_ok

    chunks = ModelInput(speech, model).chunks
    sizes = [chunk.samples.size for chunk in chunks]
    assert len(sizes) == 2
    assert found == {"lengths": pytest.approx(np.average(sizes, weights=sizes)), "nothing": None}


def test_two_channels_are_refused(target: Write) -> None:
    """Nobody guesses which is meant."""
    source = EXAMPLE.replace(
        "np.where(quiet, self.gain * samples, samples) + drawn", "np.stack([samples] * 2)"
    )

    with pytest.raises(ValueError, match=r"shape \(2, 3\), not one waveform"):
        _restored(_loaded(target(source, "two_channels")), np.ones(3, dtype=np.float32))


def test_settings_reach_the_class(target: Write) -> None:
    """They are its arguments, and a draw builds it anew."""
    samples = np.array([0.5, 0.005], dtype=np.float32)
    model = _loaded(target(), settings={"threshold": 0.001})

    changed = model.with_settings({"settings": {"threshold": 1.0}})

    assert _restored(model, samples) == pytest.approx([0.5, 0.005])
    assert _restored(changed, samples) == pytest.approx([0.05, 0.0005])
    assert model.fingerprint_params != changed.fingerprint_params


def test_a_class_may_share_what_it_loaded(target: Write, tmp_path: Path) -> None:
    """With the guide's ``with_settings``, takes of drawn settings load nothing anew."""
    method = next(block for block in BLOCKS if "def with_settings" in block)
    source = EXAMPLE.replace("import numpy", "import copy\nimport numpy", 1) + "\n" + method
    samples = np.array([0.5, 0.005], dtype=np.float32)
    (tmp_path / "gain").write_text("0.2")
    model = _loaded(target(source, "sharing_expander"), settings={"threshold": 0.001}, path=tmp_path / "gain")
    (tmp_path / "gain").unlink()

    changed = model.with_settings({"settings": {"threshold": 1.0}})

    assert _restored(changed, samples) == pytest.approx([0.1, 0.001])
    assert _restored(model, samples) == pytest.approx([0.5, 0.005])
    with pytest.raises(ConfigError, match="cannot be built with these settings"):
        _loaded(target(), settings={"treshold": 1.0})


@pytest.mark.parametrize(
    ("name", "begin", "said"),
    [
        ("without_load", "class Expander:\n    pass", "cannot be loaded: AttributeError: .*'load'"),
        (
            "that_fails",
            "class Expander:\n    def load(self, device, weights):\n        raise KeyError('layer')",
            "cannot be loaded: KeyError: 'layer'",
        ),
        (
            "that_refuses",
            "class Expander:\n    def __init__(self):\n        raise RuntimeError('no GPU')",
            "cannot be built with these settings: RuntimeError: no GPU",
        ),
    ],
)
def test_a_class_that_cannot_be_loaded_is_named(target: Write, name: str, begin: str, said: str) -> None:
    """What it raised is in the message, whatever that is."""
    with pytest.raises((ConfigError, RunError), match=f"{name}:Expander {said}"):
        _loaded(target(begin, name))


@pytest.mark.parametrize("longest_s", [0.5, 1.0, 2.99, 3.0, None])
@pytest.mark.parametrize("sample_rate", [8_000, 22_051])
def test_long_recordings_come_in_chunks_as_short_as_is_said(
    target: Write, longest_s: float | None, sample_rate: int
) -> None:
    """What memory allows is the user's to say; whatever it is, the recording comes back whole."""
    source = EXAMPLE + (
        "\n    def restore(self, samples, sample_rate, stream):"
        "\n        assert samples.size <= round(self.threshold * sample_rate)"
        "\n        return samples"
    )
    settings = {"threshold": longest_s or 5.0}
    model = _loaded(target(source, "chunked"), longest_s=longest_s, settings=settings)
    speech = speech_like(5.0, sample_rate=sample_rate)
    audio = encode_flac(noisy(speech, 10.0))
    stage = RestoreStage("model", model, num_takes=1, draws={}, seed=0, cache=AudioCache())

    (take,) = stage.process([Degraded(id="corpus/a", degraded=audio, clean=encode_flac(speech))])[0].takes

    assert take.audio is not None, take
    assert np.allclose(decode_flac(take.audio).samples, decode_flac(audio).samples, atol=1e-3)


def test_draws_come_from_the_stream(target: Write) -> None:
    """The same stream gives the same samples, another one others."""
    model = _loaded(target(), settings={"dither": 0.1}, model_sampling=True)
    samples = np.zeros(100, dtype=np.float32)

    assert np.array_equal(_restored(model, samples), _restored(model, samples))
    assert not np.array_equal(_restored(model, samples), _restored(model, samples, 1))


def test_weights_are_pinned(target: Write, tmp_path: Path) -> None:
    """The class is given their place, and other weights than pinned are refused."""
    weights = tmp_path / "gain.txt"
    weights.write_text("0.5")
    model = _loaded(target(), path=weights)

    assert _restored(model, np.array([0.002], dtype=np.float32)) == pytest.approx([0.001])
    weights.write_text("0.25")
    with pytest.raises(MissingWeightsError, match="SHA-256"):
        model.load("cpu")


def test_a_declared_version_is_what_it_is_known_by(target: Write) -> None:
    """A comment changes nothing, a new version does."""
    first = _loaded(target())
    commented = _loaded(target(EXAMPLE + "# a comment\n", "expander"))
    raised = _loaded(target(EXAMPLE.replace("version = 1", "version = 2"), "other"))

    assert commented.fingerprint_params == first.fingerprint_params
    assert raised.code != first.code


def test_without_a_version_it_is_known_by_its_source(target: Write) -> None:
    """Any change to its file is another model, and a worker with another file refuses to run."""
    bare = re.sub(r" +version = 1.*\n", "", EXAMPLE)
    first = Python(target=target(bare, "bare")).with_digests()
    second = Python(target=target(bare + "# a comment\n", "bare_too")).with_digests()

    assert first.code
    assert first.code.startswith("source ")
    assert first.code != second.code
    with pytest.raises(RunError, match="was asked for"):
        second.model_copy(update={"code": first.code}).load("cpu")


def test_an_installed_module_will_do() -> None:
    """A class need not be in a file of ``operators``."""
    with pytest.raises(MissingWeightsError, match="has no class 'Expander'"):
        Python(target="json:Expander").with_digests()
    assert Python(target="json:JSONDecoder").with_digests().code


def test_what_is_not_there_is_named(target: Write) -> None:
    """Module, class and arguments, each in its words."""
    target()
    with pytest.raises(MissingWeightsError, match="no_such_module"):
        Python(target="no_such_module:Model").with_digests()
    with pytest.raises(MissingWeightsError, match="expander has no class 'Compressor'"):
        Python(target="expander:Compressor").with_digests()
    with pytest.raises(ConfigError, match=r"cannot be built with these settings.*ratio"):
        _loaded("expander:Expander", settings={"ratio": 2})


def test_survives_the_way_to_a_worker(target: Write) -> None:
    """It is data until it is loaded."""
    model = Python(target=target()).with_digests()

    assert pickle.loads(pickle.dumps(model)) == model
    assert Python.model_validate(model.spec.params) == model
