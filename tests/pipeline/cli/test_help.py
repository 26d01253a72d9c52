"""What ``--help`` shows is what the code says, whole."""

import inspect
import re

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli import app

COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)


def shown(command: str) -> str:
    """Return the help of a command as one line, without frames."""
    return re.sub(r"[\s│]+", " ", CliRunner().invoke(app, [command, "--help"]).output)


@pytest.mark.parametrize("command", COMMANDS)
def test_shows_all_examples_whole(command: str) -> None:
    """Brackets are no markup, and nothing is cut off."""
    epilog = typer.main.get_command(app).commands[command].epilog  # type: ignore[attr-defined]

    for example in epilog.split("\n\n")[1:]:
        assert " ".join(example.split()) in shown(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_shows_each_paragraph_whole(command: str) -> None:
    """Lines of the source are no lines of the help: paragraphs are filled."""
    callback = next(
        c.callback for c in app.registered_commands if c.callback and c.callback.__name__ == command
    )
    output = CliRunner().invoke(app, [command, "--help"]).output.partition("╭")[0]
    blocks = {" ".join(block.split()): block.splitlines() for block in re.split(r"\n\s*\n", output)}

    for paragraph in (inspect.getdoc(callback) or "").split("\n\n"):
        lines = blocks[" ".join(paragraph.split())]
        assert all(len(line.strip()) > 60 for line in lines[:-1])
