"""The application: what all commands have in common, and how a mistake ends."""

import sys

import typer

from schemas import UnanimousError


def examples(*commands: str) -> str:
    """Return the end of a command's help: what a user may type."""
    return "\n\n".join(["Examples:", *(f"  python -m pipeline {command}" for command in commands)])


app = typer.Typer(
    epilog=examples("doctor", "run demo", "status runs/demo"),
    name="python -m pipeline",
    help="Build unanimous preference pairs for speech restoration: degrade clean speech, restore it with "
    "several models, score every restoration, and keep the pairs on which all metrics agree.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; a user's mistake is a message and an exit code, never a traceback."""
    try:
        app()
    except UnanimousError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None
