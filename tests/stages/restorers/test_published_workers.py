"""Published models in environments of their own: their workers, against stand-ins for the models' packages.

A stand-in has the names, arguments and shapes of the package's source, and writes down what it was asked.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas import MissingWeightsError
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS
from stages.restorers.common.worker import ENVIRONMENTS_VARIABLE, PublishedWorker
from tests.support.speech_like import white_noise
from tests.support.stand_ins import STAND_INS
from tests.support.worker_weights import write_weights

KINDS = sorted(kind for kind, member in RESTORERS.items() if issubclass(member, PublishedWorker))
EXPECTED: dict[str, dict[str, Any]] = {
    "anyenhance": {"timesteps": 7, "cond_scale": 2.0, "temperature": 0.5, "topk_filter_thres": 0.75},
    "anyenhance_v1": {"timesteps": 7, "cond_scale": 2.0, "temperature": 0.5, "topk_filter_thres": 0.75},
    "flowse": {"steps": 7, "cfg_strength": 2.0, "text": [" "], "drop_text": True},
    "llase_g1": {"features": [1, 4]},
    "resemble_enhance": {"nfe": 7, "solver": "euler", "lambd": 0.25, "tau": 0.75},
    "sgmse": {"N": 7, "corrector": "langevin", "corrector_steps": 2, "snr": 0.25, "pad": "reflection"},
    "unise": {"do_sample": True, "temperature": 0.5, "top_k": 7, "top_p": 0.75, "task_name": "se"},
    "voicefixer": {"mode": 2, "cuda": False},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "anyenhance": {"steps": 7, "guidance": 2.0, "temperature": 0.5, "top_share": 0.25},
    "anyenhance_v1": {"steps": 7, "guidance": 2.0, "temperature": 0.5, "top_share": 0.25},
    "flowse": {"steps": 7, "guidance": 2.0},
    "llase_g1": {"temperature": 0.5},
    "resemble_enhance": {"nfe": 7, "solver": "euler", "denoising": 0.25, "prior_temperature": 0.75},
    "sgmse": {"steps": 7, "corrector": "langevin", "corrector_steps": 2, "snr": 0.25},
    "unise": {"temperature": 0.5, "top_k": 7, "top_p": 0.75},
    "voicefixer": {"mode": 2},
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every package, and weights in the layout of each model, into a folder by kind."""
    folder = tmp_path_factory.mktemp("stand_ins")
    for kind, files in STAND_INS.items():
        for name, source in files.items():
            path = folder / kind / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        write_weights(kind, folder / kind / "weights")
    return folder


@pytest.fixture(scope="module")
def loaded(stand_ins: Path) -> Iterator[dict[str, PublishedWorker]]:
    """Return each model, loaded once it is asked for."""
    models = _Models(stand_ins)
    yield models
    for model in models.values():
        model.close()


class _Models(dict[str, PublishedWorker]):
    def __init__(self, stand_ins: Path) -> None:
        super().__init__()
        self._stand_ins = stand_ins

    def __missing__(self, kind: str) -> PublishedWorker:
        model = _model(kind, self._stand_ins).with_digests()
        model.load("cpu")
        self[kind] = model
        return model


def _model(kind: str, stand_ins: Path, **fields: Any) -> PublishedWorker:
    places = {
        "interpreter_path": sys.executable,
        "repository_path": stand_ins / kind / "repository",
        "path": _place(RESTORERS[kind](), stand_ins / kind / "weights"),
    }
    model = RESTORERS[kind].model_validate({**places, **SETTINGS[kind], **fields})
    assert isinstance(model, PublishedWorker)
    return model


def _place(model: Any, folder: Path) -> Path:
    """Return what ``path`` names: the only file, or the folder."""
    files = model.published.files
    return folder / files[0].name if len(files) == 1 else folder


def _noise(model: PublishedWorker, seconds: float = 0.7) -> Waveform:
    assert model.sample_rate is not None
    return Waveform(white_noise(round(seconds * model.sample_rate)), model.sample_rate)


def _restored(model: PublishedWorker, given: Waveform, take: int = 0) -> Waveform:
    return model.restore([given], [rng_for(0, "take", take)])[0]


def test_every_model_has_a_stand_in() -> None:
    """A model that is added is tested."""
    assert set(KINDS) == set(STAND_INS) == set(EXPECTED)


@every_kind
def test_says_what_is_missing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment and weights in one message, each with how to get it."""
    monkeypatch.setenv(ENVIRONMENTS_VARIABLE, str(tmp_path / "environments"))
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path / "weights"))

    with pytest.raises(MissingWeightsError) as caught:
        RESTORERS[kind]().with_digests()

    said = str(caught.value)
    assert f"the environment of {kind} has no interpreter at {tmp_path / 'environments' / kind}" in said
    assert "README.md tells how it is made" in said
    assert f"the weights of {kind} are not all there" in said
    assert "weights fetch" in said


@every_kind
def test_a_package_that_is_not_installed_is_named(kind: str, stand_ins: Path, tmp_path: Path) -> None:
    """An environment without the model's package says so when it is loaded."""
    model = _model(kind, stand_ins, repository_path=tmp_path)

    with pytest.raises(MissingWeightsError, match=r"No module named .*README"):
        model.load("cpu")


@every_kind
def test_audio_comes_back_at_its_length(kind: str, loaded: dict[str, PublishedWorker]) -> None:
    """As long as it went in, to a frame of 64 ms, finite, at the rate that the worker says."""
    given = _noise(loaded[kind])

    restored = _restored(loaded[kind], given)

    assert restored.sample_rate == (24_000 if kind == "flowse" else given.sample_rate)
    assert restored.duration_s == pytest.approx(given.duration_s, abs=0.064)
    assert np.isfinite(restored.samples).all()


@every_kind
def test_draws_from_its_stream(kind: str, loaded: dict[str, PublishedWorker]) -> None:
    """The same stream gives the same samples, another one others."""
    model = loaded[kind]
    given = _noise(model)
    first, again, other = (_restored(model, given, take).samples for take in (0, 0, 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert model.sampling


@every_kind
def test_settings_reach_the_model(kind: str, loaded: dict[str, PublishedWorker], stand_ins: Path) -> None:
    """Under the names that its own code gives them."""
    _restored(loaded[kind], _noise(loaded[kind]))

    said = json.loads((stand_ins / kind / "repository" / "asked.json").read_text())

    assert {name: said.get(name) for name in EXPECTED[kind]} == EXPECTED[kind]


def test_a_mode_that_learns_from_a_recording_forgets_it(loaded: dict[str, PublishedWorker]) -> None:
    """VoiceFixer's mode 2 gives the same after another recording as before it."""
    model = loaded["voicefixer"]
    given, other = _noise(model), _noise(model, 0.3)
    first = _restored(model, given).samples

    _restored(model, other)

    assert np.array_equal(_restored(model, given).samples, first)


@every_kind
def test_is_described_for_people(kind: str) -> None:
    """Source and what to pin, hazards, licence, and that it was not run with its weights."""
    member = RESTORERS[kind]

    assert member.unverified
    assert "Hazards:" in (member.__doc__ or "")
    assert "github.com" in (member.__doc__ or "")
    assert len(RESTORERS[kind]().licences) >= 1
    assert os.access(RESTORERS[kind]().script, os.R_OK)  # type: ignore[attr-defined]
