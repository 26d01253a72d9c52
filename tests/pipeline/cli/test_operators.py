"""What is said of operators, and of numbers."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, JsonValue

from pipeline.cli.commands.operators import FAMILIES, draw_words, family_lines, operators_command, type_words
from pipeline.text import align_columns, format_bytes, format_digits
from schemas import SampleRate, UserError
from stages.operators.distribution_forms import distribution_of

OWN = '''
from typing import ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS, Restorer


@RESTORERS.register
class Quieter(Restorer):
    """Everything, but quieter."""

    kind: ClassVar[str] = "quieter_in_a_test"
    gain_db: float = Field(default=-6.0, le=0.0)
    """What is added to the level."""

    def restore(self, batch, streams):
        return list(batch)
'''


def test_every_operator_and_every_setting_is_listed() -> None:
    """Each kind of each family, each of its fields, and each score of a metric, in 100 columns."""
    lines = list(family_lines(list(FAMILIES)))
    text = "\n".join(lines)

    for registry, _ in FAMILIES.values():
        for member in registry.values():
            assert member.kind in lines
            assert all(f"    - {name}:" in text for name in member.model_fields)
    assert "- score estoi: content_consistency; higher is better; from -1 to 1" in text
    assert "    ul_unas: 789 kB, MIT, https://github.com/Xiaobin-Rong/ul-unas at 00f7c700da43" in lines
    assert "    not run with its published weights, only with small random ones" in lines
    assert not re.search(r"typing\.|schemas\.|FieldInfo|dict\[|tuple\[", text), (
        "types in the words of a config"
    )
    assert max(map(len, lines)) <= 100


def test_operators_of_ones_own_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's file shows its operators, with the bounds and docstrings of their settings."""
    (tmp_path / "my_model.py").write_text(OWN)

    operators_command("restorers", [str(tmp_path / "my_model.py")])

    said = capsys.readouterr().out
    assert "quieter_in_a_test\n    Everything, but quieter." in said
    assert "- gain_db: number to 0; default -6\n        What is added to the level." in said


def test_an_unknown_family_is_refused() -> None:
    """The families are listed."""
    with pytest.raises(UserError, match="degradations, restorers, metrics"):
        operators_command("metric")


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (bool, "true | false"),
        (Literal["wb", "nb"], "wb | nb"),
        (SampleRate | None, "whole number from 1000 to 384000 | none"),
        (Path, "path"),
        (tuple[Annotated[float, Field(ge=0.0)], ...] | None, "[number from 0, …] | none"),
        (tuple[float, int], "[number, whole number]"),
        (list[str], "[text, …]"),
        (Mapping[str, JsonValue], "{text: any value, …}"),
    ],
)
def test_what_may_stand_in_a_field(annotation: object, said: str) -> None:
    """Types in the words of a config."""
    assert type_words(annotation) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"uniform": [-5, 20]}, "{uniform: [-5, 20]}"),
        ({"one_of": ["mp3", "opus"]}, "{one_of: [mp3, opus]}"),
        ({"from_pool": "noise"}, "{from_pool: noise}"),
        (0.5, "0.5"),
        ({"one_of": [{"kind": "wiener", "params": {}}]}, "{one_of: [{kind: wiener, params: {}}]}"),
    ],
)
def test_a_distribution_is_said_as_a_config_writes_it(written: object, said: str) -> None:
    """What is listed can be copied."""
    assert draw_words(distribution_of(written)) == said


def test_numbers_for_people() -> None:
    """Bytes with two figures where one would be coarse, and speeds with as many as they deserve."""
    assert [format_bytes(n) for n in (0, 999, 1_000, 2_500, 12_345, 999_600, 4.2e9)] == [
        *("0 bytes", "999 bytes", "1.0 kB", "2.5 kB", "12 kB", "1.0 MB", "4.2 GB")
    ]
    assert [format_digits(n) for n in (0, 0.754, 7.54, 75.4, 7_540)] == ["0", "0.75", "7.5", "75", "7,540"]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Names to the left, numbers to the right, no blanks at the end."""
    assert align_columns([("name", "n"), ("a", "100")]) == ["name    n", "a     100"]
    assert align_columns([]) == []
