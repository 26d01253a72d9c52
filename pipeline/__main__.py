"""``python -m pipeline`` and ``unanimous``: the command line, in a process whose libraries use one thread."""

import io
import os
import sys

from stages import torchaudio_guard
from stages.threads import ONE_THREAD


def main() -> None:
    """Run the command line; a Python that lacks a package is told the way to one that has it."""
    write_any_text()
    os.environ.update(ONE_THREAD)
    torchaudio_guard.install_guard()
    try:
        from pipeline.cli import run_command_line  # noqa: PLC0415 - numpy must find the variables set
    except KeyboardInterrupt:  # importing takes a second or two
        raise SystemExit(130) from None
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"pipeline", "schemas", "stages"}:
            raise
        sys.stderr.write(
            f"error: {sys.executable} has no {error.name}; 'make environment' makes one that has, and "
            "'. .venv/bin/activate' takes it\n"
        )
        raise SystemExit(2) from None
    run_command_line()


def write_any_text() -> None:
    """Let a terminal that lacks a sign show its number: no work may end because of its last line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
