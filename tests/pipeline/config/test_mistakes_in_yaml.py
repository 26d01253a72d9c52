"""Mistakes in the words of somebody who writes YAML, not of the validator behind it."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.document import load_document
from schemas import ConfigError
from tests.support.small_config import SMALL, mistakes, written

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a mapping where a list belongs": (
        {"speech": {"name": "voices", "path": "voices"}},
        "speech: should be a list, got {'name': 'voices', 'path': 'voices'}",
    ),
    "a list of nothing": ({"speech": []}, "speech: should have at least 1 item, got []"),
    "a name that YAML reads as a number": (
        {"name": 2024},
        "name: should be text (quotes make it so), got 2024",
    ),
    "a name that leads out of runs/": (
        {"name": ".."},
        "name: should match pattern '^[A-Za-z0-9_][A-Za-z0-9_.-]*$', got '..'",
    ),
    "a key that is wrong by itself": (
        {"ingest": {"sample_rate": 16000, "splits": {"trian": 1.0}}},
        "ingest.splits.trian: should be 'train', 'validation' or 'test', got 'trian'",
    ),
    "a vote of a metric that is not listed": (
        {"preference": {"criteria": [*SMALL["preference"]["criteria"], "nisqa_mos"]}},
        "preference.criteria.4: no metric gives 'nisqa_mos'; put '- kind: nisqa' into 'metrics'",
    ),
    "a veto of a metric that is not listed": (
        {"preference": {**SMALL["preference"], "vetoes": [{"score": "whisper_inserted", "at_most": 0}]}},
        "preference.vetoes.0.score: no metric gives 'whisper_inserted'; put '- kind: whisper' into 'metrics'",
    ),
    "a language by its name": (
        {"metrics": [*SMALL["metrics"], {"kind": "whisper", "language": "german"}]},
        "metrics.5: Whisper knows no language 'german'; give a code such as 'en', 'de', 'zh'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_says_it_in_words_of_yaml(mistake: str, tmp_path: Path) -> None:
    """One line, with the setting's path and what to write instead."""
    changes, message = MISTAKES[mistake]

    lines = mistakes(written(tmp_path, **changes))

    assert [line.partition(": ")[2] for line in lines] == [message]


def test_a_large_wrong_value_is_cut_short(tmp_path: Path) -> None:
    """The message stays one that can be read."""
    (line,) = mistakes(written(tmp_path, name=[[["x"] * 50] * 50] * 50))

    assert len(line) < 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name: a\n---\nname: b\n",
            "2:1: expected a single document in the stream, but found another document",
        ),
        (f"name: {'[' * 3000}{']' * 3000}\n", "lists or mappings are nested too deeply"),
    ],
    ids=["two documents", "very deep"],
)
def test_a_file_that_is_no_config_is_a_mistake(text: str, said: str, tmp_path: Path) -> None:
    """Said in whole sentences, never as a traceback."""
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=said):
        load_document(path)
