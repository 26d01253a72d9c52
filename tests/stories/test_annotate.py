"""``annotate``: real recordings beside the takes that every vote prefers, or the reason why there is none."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml
from datasets import Audio, load_dataset

from pipeline.config.annotation import ANNOTATION_PANEL, resolve_annotation
from pipeline.config.named_models import restorer_entries_of
from schemas import ConfigError, UserError
from stages.audio.flac import decode_flac_bytes
from stages.networks.generative.parts import SHIPPED
from tests.support.command_line import files_below
from tests.support.forked_commands import typed
from tests.support.tiny import write_clip

OPERATORS = """\
from typing import ClassVar

import numpy as np

from stages.operators import METRICS, RESTORERS
from stages.operators.metric import Aspect, Better, Output
from stages.operators.metric_bases import NoReferenceMetric
from stages.operators.restorer import Restorer


@RESTORERS.register
class HissGate(Restorer):
    kind: ClassVar[str] = "hiss_gate"
    restores_level: ClassVar[bool] = True
    share: float = 0.5

    def restore(self, batch, streams):
        return [each.with_samples(each.samples * (abs(each.samples) > 0.05 * self.share)) for each in batch]


@METRICS.register
class Hiss(NoReferenceMetric):
    kind: ClassVar[str] = "hiss"
    sample_rate: ClassVar[int] = 16_000
    outputs: ClassVar = {"": Output(aspect=Aspect.PERCEPTUAL_QUALITY, better=Better.LOWER)}

    def hear(self, samples):
        faint = np.abs(samples)
        return {"": float(faint[faint < 0.07].mean(dtype=np.float64))}
"""
"""A model whose takes differ by their settings, and a score that hears how: without a network's seconds."""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return noisy speech, and what is none: another rate, silence, no audio."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for number, name in enumerate(("one", "two")):
        write_clip(folder / f"{name}.wav", number, 2.0)
        samples, rate = soundfile.read(folder / f"{name}.wav", dtype="float32")
        soundfile.write(folder / f"{name}.wav", samples + 0.02 * rng.standard_normal(samples.size), rate)
    stereo = np.stack([samples, samples], axis=1)
    soundfile.write(folder / "wide.flac", stereo + 0.02 * rng.standard_normal(stereo.shape), 44_100)
    soundfile.write(folder / "silent.wav", np.zeros(16_000), 16_000)
    (folder / "broken.wav").write_bytes(b"no audio at all")
    return folder


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a panel with one vote, and a bound on what a take may lose."""
    folder = tmp_path_factory.mktemp("panel")
    (folder / "hiss.py").write_text(OPERATORS)
    path = folder / "panel.yaml"
    said: dict[str, Any] = {
        "name": "votes",
        "operators": ["hiss.py"],
        "restorers": [{"kind": "hiss_gate", "takes": 3, "share": {"uniform": [0.2, 1.2]}}],
        "metrics": [{"kind": "hiss"}, {"kind": "estoi"}],
        "preference": {
            "criteria": ["hiss"],
            "vetoes": [{"score": "estoi", "at_least": 0.2}],
        },
    }
    path.write_text(yaml.safe_dump(said))
    return path


def annotate(panel: Path, place: Path, *words: object, check: bool = True) -> Any:
    """Annotate in this process as a user would; ``place`` has the workspace and the annotations."""
    where = ("--panel", panel, "--out", place / "out", "--workspace", place / "w", "--executor", "local")
    done = typed("annotate", *map(str, words), *where)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def made(recordings: Path, panel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with annotations of the recordings, in ``out``."""
    place = tmp_path_factory.mktemp("made")
    done = annotate(panel, place, recordings, "--licence", "CC0-1.0", "--language", "en")
    (place / "said").write_text(done.stdout)
    return place


def candidates_in(place: Path) -> list[dict[str, Any]]:
    """Return the candidates of annotations."""
    rows: list[dict[str, Any]] = pq.read_table(place / "out" / "candidates").to_pylist()
    return rows


def test_pairs_are_recordings_and_the_takes_that_were_chosen(made: Path, tmp_path: Path) -> None:
    """``load_dataset`` opens them; both sides have one rate and length, and scores that favour the take."""
    loaded = load_dataset(str(made / "out"), split="train", cache_dir=str(tmp_path))
    for side in ("degraded", "pseudo_clean"):
        loaded = loaded.cast_column(side, Audio(decode=False))

    rows = loaded.to_list()
    assert {row["name"] for row in rows} == {"one.wav", "two.wav", "wide.flac"}
    for row in rows:
        degraded, clean = (decode_flac_bytes(row[side]["bytes"]) for side in ("degraded", "pseudo_clean"))
        assert clean.samples.shape == degraded.samples.shape
        assert clean.sample_rate == degraded.sample_rate == row["sample_rate"]
        assert row["margin_hiss"] == row["degraded_hiss"] - row["pseudo_clean_hiss"] > 0
        assert row["pseudo_clean_estoi"] > 0.2
        assert (row["row_licence"], row["language"]) == ("CC0-1.0", "en")
    assert {row["sample_rate"] for row in rows} >= {44_100}


def test_every_recording_and_take_says_what_became_of_it(made: Path) -> None:
    """The chosen one is first by the vote; what cannot be heard has the reason of a run, and others go on."""
    rows = candidates_in(made)
    heard = [row for row in rows if row["name"] == "one.wav"]
    takes = {row["take"]: row for row in heard if row["model"] == "hiss_gate"}
    (recording,) = (row for row in heard if row["model"] == "recording")
    best = min(takes.values(), key=lambda row: row["hiss"])

    assert (best["verdict"], recording["verdict"]) == ("chosen", "chosen")
    assert {row["verdict"] for row in takes.values()} == {"chosen", "split_vote"}
    assert best["hiss"] < recording["hiss"]
    refused = {row["name"]: row["reason"] for row in rows if row["verdict"] is None}
    assert refused == {"broken.wav": "unreadable", "silent.wav": "silent"}
    said = (made / "said").read_text()
    assert "3 annotations of 5 recordings" in said
    assert "broken: unreadable" in said


def test_goes_on_where_it_ended_and_gives_the_same_bytes(made: Path, recordings: Path, panel: Path) -> None:
    """Nothing is computed twice; what a killed run lacks is made again; new recordings are taken in."""
    words = (recordings, "--licence", "CC0-1.0", "--language", "en")
    before = files_below(made / "out")
    assert "nothing left to compute" in annotate(panel, made, *words).stdout
    assert files_below(made / "out") == before

    for table in (made / "w" / "tables").glob("*hiss_gate*"):
        shutil.rmtree(table)
    assert "done: 3 tickets" in annotate(panel, made, *words).stdout
    assert files_below(made / "out") == before


def test_an_out_that_is_something_else_stays(
    made: Path, recordings: Path, panel: Path, tmp_path: Path
) -> None:
    """It is told before anything is computed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")

    done = annotate(panel, tmp_path, recordings, check=False)

    assert done.returncode == 2
    assert "holds 'thesis.tex'" in done.stderr
    assert not (tmp_path / "w").exists()
    assert json.loads((made / "out" / "annotations.json").read_text())["recordings"] == 5


def test_models_are_named_by_kind_or_folder(tmp_path: Path) -> None:
    """A folder of ``train``, the one that it fills, or a kind; what is neither says what would be."""
    (tmp_path / "restorers").mkdir()
    (tmp_path / "restorers" / "weights").symlink_to(SHIPPED)
    named = restorer_entries_of(["fm", str(tmp_path / "restorers"), "wpe", "identity"], None)

    assert [(each["name"], each["takes"]) for each in named] == [
        ("fm", 5),
        ("fm-2", 5),
        ("wpe", 5),
        ("identity", 1),
    ]
    assert named[1]["path"] == str(tmp_path / "restorers" / "weights")
    (tmp_path / "empty").mkdir()
    for text, said in (
        (str(tmp_path / "empty"), "mgm needs estimate.safetensors"),
        ("gtcrm", "did you mean 'gtcrn'"),
        (f"fm={tmp_path / 'none'}", "there is no"),
    ):
        with pytest.raises(UserError, match=said):
            restorer_entries_of([text], None)


def test_a_vote_needs_no_reference(tmp_path: Path) -> None:
    """One that compares with clean speech is refused with its place; so is nobody who restores."""
    path = tmp_path / "panel.yaml"
    path.write_text("metrics: [{kind: pesq}]\npreference: {criteria: [pesq]}\n")
    with pytest.raises(ConfigError) as refused:
        resolve_annotation(path, [])
    assert f"{path}:2:25: preference.criteria.0: pesq compares with clean speech" in str(refused.value)
    assert "restorers: nothing restores; give --model" in str(refused.value)


def test_the_shipped_panel_does_with_what_weights_there_are() -> None:
    """DNSMOS is in an ordinary package; what else it knows is left out where it is not here."""
    run = resolve_annotation(ANNOTATION_PANEL, restorer_entries_of(["fm"], 2))

    assert {"dnsmos_ovrl", "dnsmos_p808"} <= {criterion.metric for criterion in run.rules.criteria}
    assert "missing_speech" in run.outputs()
