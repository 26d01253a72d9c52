"""The configs that ship: they run, and the paper's says what it lacks."""

import shutil
from pathlib import Path

import pytest

from pipeline.config.document import load_document
from pipeline.config.resolve import resolve
from pipeline.config.schema import Config
from tests.support.small_config import mistakes

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.mark.parametrize("name", ["demo", "gensr_pref"])
def test_configs_that_ship_can_be_run(name: str) -> None:
    """Every operator, file and vote of a shipped config is there."""
    run = resolve(CONFIGS / f"{name}.yaml")

    assert run.config.name == name


def test_the_papers_config_lacks_models_weights_and_recordings_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With speech and pools there: two models without environment, three metrics without weights.

    The third is left out where its weights are not here, as the config says.
    """
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("UNANIMOUS_ENVIRONMENTS", str(tmp_path / "environments"))
    path = Path(shutil.copy(CONFIGS / "gensr_pref_paper.yaml", tmp_path))
    for pool in ("clean", "noise", "responses"):
        (tmp_path / "corpora" / pool).mkdir(parents=True)

    lines = mistakes(path)

    lacking = [line.split(": ", 1)[1] for line in lines]
    expected = [
        "restorers.0: the environment of llase_g1 has no interpreter",
        "restorers.1: the environment of flowse has no interpreter",
        "metrics.0: the weights of nisqa are not all there",
        "metrics.2: the weights of speech_bert_score are not all there",
        "metrics.3: the weights of wavlm_speaker_similarity are not all there",
    ]
    assert len(lacking) == len(expected)
    assert [found[: len(start)] for found, start in zip(lacking, expected, strict=True)] == expected


def test_both_recipes_damage_speech_alike() -> None:
    """Chain, level rule, rate and seed of the recipe and of the paper's variant are the same."""
    names = ("gensr_pref", "gensr_pref_paper")

    ours, papers = (Config.model_validate(load_document(CONFIGS / f"{name}.yaml").data) for name in names)

    assert papers.degradations == ours.degradations
    assert (papers.ingest.sample_rate, papers.seed) == (ours.ingest.sample_rate, ours.seed)
    assert papers.preference.pairs.between == ours.preference.pairs.between == "same_model"
