"""Licences of a run: what a config refuses before it runs, at ingest, and what each pair is under."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset.licences import Licences, strictest_of
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from schemas import OperatorSpec, Reason, Recipe, Split, UnfitError
from stages.ingest.stage import check_listed
from tests.support.small_config import mistakes, resolved, written


def test_everything_is_allowed_unless_said(tmp_path: Path) -> None:
    """A config without a list refuses nothing."""
    assert resolved(tmp_path).config.allow_licences == ("*",)


def test_operators_and_corpora_that_are_not_listed_are_refused(tmp_path: Path) -> None:
    """Each with its place and its licence; what is listed, by name or pattern, is not mentioned."""
    path = written(
        tmp_path,
        allow_licences=["Apache-2.0", "BSD-*", "CC0-1.0"],
        speech=[{"name": "voices", "path": "voices", "licence": "CC-BY-NC-4.0"}],
        metrics=[{"kind": "dnsmos"}, {"kind": "si_sdr"}],
        preference={"criteria": ["dnsmos_ovrl", "si_sdr"], "uncovered": ["content_consistency"]},
    )

    said = "\n".join(mistakes(path))

    assert "metrics.0: dnsmos is under the licence MIT AND CC-BY-4.0, which allow_licences does not" in said
    assert "speech.0.licence: the recordings are under the licence CC-BY-NC-4.0" in said
    assert "si_sdr is under" not in said


def test_a_model_of_unknown_licence_is_refused_by_any_list(tmp_path: Path) -> None:
    """What nobody states is not on the list; saying it is enough."""
    (tmp_path / "model.onnx").write_bytes(b"graph")
    model: dict[str, Any] = {"kind": "onnx", "path": "model.onnx"}
    changes = {"allow_licences": ["MIT", "Apache-2.0", "CC-BY-4.0", "LicenseRef-*"]}

    unknown = mistakes(written(tmp_path, restorers=[{"kind": "identity"}, model], **changes))

    assert ["restorers.1: onnx is under a licence that nobody states" in line for line in unknown] == [True]
    known = {**model, "model_licence": "MIT"}
    assert resolved(tmp_path, restorers=[{"kind": "identity"}, known], **changes).restorers


def test_a_restorer_within_a_degradation_is_judged_too(tmp_path: Path) -> None:
    """The spectral gate is MIT; a list without MIT refuses a step that is its work."""
    gate = {"kind": "spectral_gate", "version": 1, "params": {}}
    path = written(
        tmp_path,
        allow_licences=["Apache-2.0"],
        degradations={"chain": [{"kind": "restored_by", "restorer": gate}]},
        metrics=[{"kind": "si_sdr"}],
        preference={"criteria": ["si_sdr"], "uncovered": ["content_consistency", "perceptual_quality"]},
    )

    assert any(
        "degradations.chain.0: restored_by is under the licence MIT" in line for line in mistakes(path)
    )


def test_single_recordings_are_refused_at_ingest(tmp_path: Path) -> None:
    """A manifest states licences file by file; what states none is unknown, and other rows go on."""
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices.csv").write_text("path,licence\na.wav,CC0-1.0\nb.wav,CC-BY-NC-4.0\nc.wav,\n")
    for name in "abc":
        (tmp_path / f"{name}.wav").write_bytes(b"audio")
    run = resolved(
        tmp_path,
        speech=[{"name": "voices", "path": "voices.csv"}],
        allow_licences=["CC0-1.0", "MIT", "Apache-2.0", "CC-BY-4.0", "BSD-*", "LicenseRef-*"],
    )

    (shard,) = assemble(run, Workspace(tmp_path / "workspace"), keep=False).shards

    assert [source.licence_allowed for source in shard.sources] == [True, False, False]
    with pytest.raises(UnfitError, match=r"CC-BY-NC-4\.0: allow_licences") as refused:
        check_listed(shard.sources[1])
    assert refused.value.reason is Reason.LICENCE_NOT_ALLOWED
    with pytest.raises(UnfitError, match="none is stated"):
        check_listed(shard.sources[2])


def test_a_pair_is_under_the_most_restrictive_licence_of_all_that_went_into_it(tmp_path: Path) -> None:
    """Speech and the networks of both models; filters leave nothing of themselves behind."""
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "a.wav").write_bytes(b"audio")
    (tmp_path / "model.onnx").write_bytes(b"graph")
    model = {"kind": "onnx", "path": "model.onnx", "model_licence": "CC-BY-NC-4.0"}
    run = resolved(
        tmp_path,
        pools={},
        restorers=[model, {"kind": "wiener"}, {"kind": "identity"}],
        degradations={"chain": [{"kind": "clipping"}]},
    )
    graph = assemble(run, Workspace(tmp_path / "workspace"), keep=False)
    licences = Licences(graph, Workspace(tmp_path / "workspace").store)

    def of(recipe: Recipe, *models: str) -> str:
        return strictest_of([*licences.of_recipe(recipe), *licences.of_models(models)])

    assert of(_recipe("CC0-1.0"), "wiener", "identity") == "CC0-1.0"
    assert of(_recipe("CC0-1.0"), "wiener", "onnx") == "CC-BY-NC-4.0"
    assert of(_recipe(None), "wiener", "onnx") == "unknown"
    gate = OperatorSpec(kind="spectral_gate", version=1, params={})
    restored = OperatorSpec(kind="restored_by", version=2, params={"restorer": gate.model_dump()})
    assert of(_recipe("MIT", restored), "wiener", "identity") == "MIT"


def test_babble_is_under_the_licences_of_its_voices(tmp_path: Path) -> None:
    """Made of recordings, it is not nobody's; voices that are not allowed are not in it."""
    (tmp_path / "voices.csv").write_text("path,licence\na.wav,CC-BY-SA-4.0\nb.wav,CC-BY-NC-4.0\n")
    for name in "ab":
        (tmp_path / f"{name}.wav").write_bytes(b"audio")
    run = resolved(
        tmp_path,
        speech=[{"name": "voices", "path": "voices.csv"}],
        pools={"noise": [{"synthesise": ["white", "babble"], "voices": "voices.csv"}]},
        allow_licences=["CC-BY-SA-*", "MIT", "Apache-2.0", "CC-BY-4.0", "BSD-*", "LicenseRef-*"],
    )

    (pool,) = assemble(run, Workspace(tmp_path / "workspace"), keep=False).pools

    made = {source.content: source.licence for shard in pool.shards for source in shard.sources}
    assert made == {"synthesised:white": "CC0-1.0", "synthesised:babble": "CC-BY-SA-4.0"}


def _recipe(licence: str | None, *steps: OperatorSpec) -> Recipe:
    return Recipe(
        id="a:0",
        utterance_id="a",
        source_id="a",
        corpus="voices",
        repeat=0,
        split=Split.TRAIN,
        licence=licence,
        sample_rate=16_000,
        num_samples=16_000,
        bandwidth_hz=8_000.0,
        steps=steps,
        sources=(),
    )
