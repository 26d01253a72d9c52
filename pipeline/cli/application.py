"""The application: what all commands have in common, and how a mistake ends."""

import errno
import os
import sys
from typing import Annotated, NoReturn

import typer

from pipeline import __version__
from schemas import UnanimousError

REFUSALS = {
    errno.EACCES: 2,
    errno.EPERM: 2,
    errno.ENAMETOOLONG: 2,
    errno.EROFS: 1,
    errno.ENOSPC: 1,
    errno.EDQUOT: 1,
    errno.EIO: 1,
    errno.ESTALE: 1,
}
"""What a machine may refuse for reasons that are not ours, and the exit code of each."""


def format_examples(*commands: str) -> str:
    """Return the end of a command's help: what a user may type."""
    return "\n\n".join(["Examples:", *(f"  python -m pipeline {command}" for command in commands)])


app = typer.Typer(
    epilog=format_examples("doctor", "run demo", "status runs/demo"),
    name="python -m pipeline",
    help="Build unanimous preference pairs for speech restoration: degrade clean speech, restore it with "
    "several models, score every restoration, and keep the pairs on which all metrics agree.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",  # joins the lines of a paragraph; "rich" takes [si_sdr] for a style
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer passes by position
    if asked:
        typer.echo(f"unanimous {__version__}")
        raise typer.Exit


@app.callback()
def _before_any_command(
    version: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="show the version and exit"),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def run_command_line() -> None:
    """Run the command line; a user's mistake is a message and an exit code, never a traceback."""
    try:
        app()
    except UnanimousError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        if error.errno not in REFUSALS or error.filename is None:
            raise
        _end(f"{os.fsdecode(error.filename)}: {error.strerror}", REFUSALS[error.errno])


def _end(message: str, exit_code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(exit_code) from None
