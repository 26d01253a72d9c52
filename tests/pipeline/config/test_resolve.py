"""What a right config becomes."""

import hashlib
import shutil
from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from tests.support.neural_weights import write_dac
from tests.support.small_config import mistakes, place_in, resolved, written


def test_a_pool_that_no_step_draws_from_is_fine(tmp_path: Path) -> None:
    """It is simply not made."""
    run = resolved(tmp_path, degradations={"chain": [{"kind": "clipping"}]})

    assert {pool for step in run.chain for pool in step.pools} == set()


NEEDS_A_GPU = """
from stages.operators.operator import Resources
from stages.restorers import RESTORERS
from stages.restorers.identity import Identity

@RESTORERS.register
class Heavy(Identity):
    kind = "heavy_for_resolve"
    resources = Resources(gpus=0.5)
"""


def test_a_chain_needs_what_its_links_need(tmp_path: Path) -> None:
    """A GPU for one link is one for all; the config may say otherwise."""
    (tmp_path / "heavy.py").write_text(NEEDS_A_GPU)
    links = [{"kind": "wiener"}, {"kind": "heavy_for_resolve"}]
    chains = [{"kind": "chain", "links": links}, {"kind": "chain", "name": "b", "links": links, "gpus": 0}]

    run = resolved(tmp_path, operators=["heavy.py"], restorers=chains)

    assert [setup.gpus for setup in run.restorers] == [0.5, 0.0]


def test_a_model_is_pinned_to_its_file(tmp_path: Path) -> None:
    """The digest of the file becomes part of the model, wherever the config is run from."""
    (tmp_path / "model.onnx").write_bytes(b"graph")

    run = resolved(tmp_path, restorers=[{"kind": "onnx", "path": "model.onnx", "takes": 2}])

    digest = hashlib.sha256(b"graph").hexdigest()
    assert run.restorers[0].restorer.fingerprint_params["sha256"] == digest


def test_refuses_another_model_than_was_asked_for(tmp_path: Path) -> None:
    """A file whose digest is not the config's is told both."""
    (tmp_path / "model.onnx").write_bytes(b"graph")
    wanted, found = "0" * 64, hashlib.sha256(b"graph").hexdigest()
    path = written(tmp_path, restorers=[{"kind": "onnx", "path": "model.onnx", "takes": 2, "sha256": wanted}])

    lines = mistakes(path)

    place = place_in(path, "kind: onnx")
    assert lines == [f"{place}: restorers.0: the file has SHA-256 {found}, but {wanted} is asked for"]


def test_relative_paths_start_from_the_configs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is given."""
    path = written(tmp_path)
    monkeypatch.chdir("/")

    run = resolve(path)

    assert run.path(run.config.speech[0].path) == str(tmp_path / "voices")


def test_the_hash_of_a_config_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    """Only on what it says."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()

    here, there = resolved(tmp_path / "here"), resolved(tmp_path / "there")

    assert here.config_hash == there.config_hash
    assert resolved(tmp_path / "here", seed=1).config_hash != here.config_hash


def test_defaults_of_votes_come_from_the_scores(tmp_path: Path) -> None:
    """A criterion without a margin must be won by more than its score's noise floor."""
    votes = ["dnsmos_ovrl", {"metric": "pesq", "margin": 0.2}, "estoi", "spectral_envelope"]

    run = resolved(tmp_path, preference={"criteria": votes})

    margins = {criterion.metric: criterion.margin for criterion in run.criteria}
    assert margins["pesq"] == 0.2
    assert margins["estoi"] == run.outputs()["estoi"].noise_floor


def test_a_degradation_is_known_by_its_weights_wherever_they_lie(tmp_path: Path) -> None:
    """A copy of a codec's weights in another folder makes no other plan."""
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    write_dac(here)
    shutil.copytree(here, there)
    write_dac(other, sample_rate=24_000)

    described = [
        resolved(tmp_path, degradations={"chain": [{"kind": "neural_codec", "path": str(path)}]})
        .chain[0]
        .described
        for path in (here, there, other)
    ]

    assert described[0] == described[1] != described[2]
