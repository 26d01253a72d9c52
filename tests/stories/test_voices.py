"""Voices from a pool of speech are somebody else's, and on the utterance's side of the split."""

from pathlib import Path

from pipeline.config.resolve import resolve
from pipeline.dataset.published import find_published_row
from pipeline.operations.replay import Replayer
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from schemas import Recipe
from tests.support.tiny import run_here, tiny_config, write_config, write_speech

CHAIN = [
    {"kind": "interfering_speaker", "voice": {"from_pool": {"pool": "voices", "other_speaker": True}}},
    {
        "kind": "babble",
        "voices": {"several_from_pool": {"pool": "voices", "count": [2, 3], "other_speaker": True}},
    },
]


def test_nobody_talks_over_oneself(tmp_path: Path) -> None:
    """The speech of the run is its own pool of voices: who speaks is known by the files' names."""
    write_speech(tmp_path / "speech", ["ann_1", "ann_2", "ben_1", "cleo_1"], seconds=1.2)
    speech = {"path": str(tmp_path / "speech"), "speaker": "stem_prefix"}
    changes = {
        "speech": [{"name": "clips", **speech}],
        "pools": {"voices": [{"path": speech["path"]}]},
        "degradations": {"chain": CHAIN, "repeats": 3},
    }
    config = write_config(tmp_path, tiny_config(tmp_path / "speech", **changes))

    run_here(config, tmp_path / "workspace")

    workspace = Workspace(tmp_path / "workspace")
    graph = assemble(resolve(config), workspace, keep=False)
    recipes = [row for s in graph.shards for row in workspace.store.read(graph.plan.folder, s.name, Recipe)]
    assert len(recipes) == 12
    assert all(len(recipe.sources) >= 3 for recipe in recipes)
    assert all(source.speaker != recipe.speaker for recipe in recipes for source in recipe.sources)
    assert {source.id for recipe in recipes for source in recipe.sources} > {"clips/ben_1"}
    assert Replayer(workspace).replay(find_published_row(workspace.dataset, "0")).is_equal
