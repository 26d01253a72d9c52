"""A dataclass in a command's signature: for whoever types it, its fields are options like all others."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.grouped_options import group_options


@dataclass(frozen=True)
class Size:
    """Two options."""

    width: Annotated[int, typer.Option(min=1, help="from side to side")]
    height: Annotated[int, typer.Option("--tall", help="from top to bottom")] = 2


taken: list[tuple[str, Size, bool]] = []
app = typer.Typer()


@app.command()
@group_options
def draw(*, name: str, size: Size, loud: bool = False) -> None:
    """Draw it."""
    taken.append((name, size, loud))


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        (["box", "--width", "3"], ("box", Size(3), False)),
        (["box", "--loud", "--tall", "5", "--width", "3"], ("box", Size(3, 5), True)),
    ],
)
def test_a_command_is_given_the_group(words: list[str], drawn: tuple[str, Size, bool]) -> None:
    """With its defaults where nothing is said."""
    assert CliRunner().invoke(app, words).exit_code == 0

    assert taken.pop() == drawn


@pytest.mark.parametrize("words", [["box"], ["box", "--width", "0"]])
def test_the_bounds_of_a_field_are_kept(words: list[str]) -> None:
    """What is missing and what is too small are refused by typer, as anywhere."""
    assert CliRunner().invoke(app, words).exit_code == 2
    assert not taken


def test_options_stand_where_the_group_stands() -> None:
    """Help lists them in the order of signature and fields."""
    said = CliRunner().invoke(app, ["--help"]).stdout

    assert sorted(("--width", "--tall", "--loud"), key=said.index) == ["--width", "--tall", "--loud"]
