"""The paper's own config on a machine that has nothing: the commands of docs/models.md, up to a clean doctor.

The hub is a server on the loopback, with random weights in upstream's layout. No random weights have the
digests that are pinned, so that what is pinned is refused from there, as it has to be; it comes as a user's
own copies do, by ``path``, which a run pins by what is in it. Environments are stand-ins with the names of
upstream's code, where ``environments make`` would have put them.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.environments.lock import read_lock
from pipeline.environments.make import NOTE
from stages.metrics.wavlm_speaker_similarity import WavlmSpeakerSimilarity
from stages.restorers import RESTORERS
from stages.restorers.common.worker import ENVIRONMENTS_VARIABLE, PublishedWorker
from stages.weights.files import CACHE_VARIABLE
from tests.support.model_hub import ModelHub, hub_served
from tests.support.perceptual_networks import write_nisqa
from tests.support.speaker_networks import write_wavlm_speakers
from tests.support.speech_networks import write_hubert
from tests.support.stand_ins import STAND_INS
from tests.support.tiny import write_clip
from tests.support.worker_weights import write_weights

CONFIG = "gensr_pref_paper"
KINDS = ("anyenhance", "llase_g1", "flowse")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """Serve a mirror of the hub, one of whose repositories is not open to all; nothing is on the machine."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(ENVIRONMENTS_VARIABLE, str(tmp_path / "environments"))
    with hub_served(ModelHub(gated={"amphion/anyenhance"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def recordings(tmp_path: Path) -> list[str]:
    """Return the options that name recordings of the user's own."""
    options = []
    for option in ("speech", "noise", "responses"):
        write_clip(tmp_path / option / "a.wav", 0, 1.6)
        options += [f"--{option}", str(tmp_path / option)]
    return options


def _typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _model(kind: str) -> PublishedWorker:
    model = RESTORERS[kind]()
    assert isinstance(model, PublishedWorker)
    return model


def _draw_weights(folder: Path, hub: ModelHub) -> None:
    """Write random weights in upstream's layout, and serve them at the addresses of the published ones."""
    for kind in KINDS:
        write_weights(kind, folder / kind)
        hub.add(_model(kind).published, folder / kind)  # type: ignore[arg-type]
    speakers = write_wavlm_speakers(folder / "speakers", safe=False)
    hub.add(WavlmSpeakerSimilarity().published, speakers)  # type: ignore[arg-type]


def _lay_environments(folder: Path) -> None:
    """Put stand-ins of upstream's code where environments are made, run by this interpreter."""
    for kind in KINDS:
        place = folder / kind
        for name, source in STAND_INS[kind].items():
            path = place / "repository" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        (place / "bin").mkdir()
        (place / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (place / "bin" / "python").chmod(0o755)
        (place / NOTE).write_text(json.dumps({"lock": read_lock(_model(kind)).digest}))


def _steps_in(output: str) -> list[str]:
    """Return the numbered lines of what is to be done."""
    lines = [line.strip() for line in output.partition("to be done, in this order")[2].splitlines()]
    return [line.partition(". ")[2] for line in lines if line.partition(". ")[0].isdigit()]


def test_from_nothing_all_that_is_lacking_is_one_list(hub: ModelHub, recordings: list[str]) -> None:
    """In the order to be done, each with its command; nothing is asked of any network."""
    seen = _typed("doctor", CONFIG, *recordings)

    steps = _steps_in(seen.output)
    assert seen.exit_code != 0
    assert [step.partition(":")[0] for step in steps[:3]] == list(KINDS)
    assert all("python -m pipeline environments make" in step for step in steps[:3])
    fetching = [step for step in steps if "weights fetch" in step]
    assert steps[3:9] == fetching
    assert "a run that begins without: anyenhance is left out" in fetching[0]
    assert "about 15 GB" in fetching[1]
    assert "WavLM-Large.pt" in steps[9]
    assert "github.com/microsoft/unilm" in steps[9]
    assert all("no GPU was found" in step for step in steps[10:])
    assert "UNPINNED: ckpt/model.pt.tar" in seen.output
    planned = _typed("plan", CONFIG, *recordings)
    assert all(step in planned.output for step in steps)
    assert not hub.requests


def test_the_paper_config_from_nothing_to_a_clean_doctor(
    tmp_path: Path, hub: ModelHub, recordings: list[str]
) -> None:
    """A model that is refused stops none of the others, and what is not what was published stays out."""
    _lay_environments(tmp_path / "environments")
    _draw_weights(tmp_path / "drawn", hub)

    fetched = _typed("weights", "fetch", "anyenhance", "flowse", "wavlm-base-plus-sv", "--yes")

    said = str(fetched.exception)
    assert said.startswith("2 of 3 sets of weights could not be fetched; the others are there")
    assert "is not open to all (the server answers 401)" in said
    assert "not c342175051d1ca38338993228e8a632181b9b556f9f1e310ac3e07bef54f446f as published" in said
    assert "pin them in the config" in fetched.output

    hub.gated.clear()
    opened = _typed("weights", "fetch", "anyenhance", "--yes")
    assert opened.exit_code == 0
    (pin,) = re.findall(r"sha256: (\w{64})", opened.output)
    copies = {
        "restorers.0.sha256": pin,
        "restorers.1.path": tmp_path / "drawn" / "llase_g1",
        "restorers.2.path": tmp_path / "drawn" / "flowse",
        "metrics.0.path": write_nisqa(tmp_path),
        "metrics.2.path": write_hubert(tmp_path / "hubert"),
        "metrics.2.model": "hubert-base-ls960",  # what scores of a copy are called after
    }
    without_gpu = {f"restorers.{number}.gpus": 0 for number in range(len(KINDS))}
    changes = [
        word for name, value in {**copies, **without_gpu}.items() for word in ("--set", f"{name}={value}")
    ]

    seen = _typed("doctor", CONFIG, *recordings, *changes)

    assert seen.exit_code == 0, seen.output
    assert "LACKS" not in seen.output
    assert "to be done" not in seen.output
    assert "could start here" in seen.output
    assert "UNPINNED" not in seen.output, "the user has pinned what he has"
