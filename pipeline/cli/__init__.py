"""The command line: what a user types, in the words of the user.

``application`` is the program, ``options`` what several commands take; ``runs``, ``corpora``,
``evaluation``, ``annotation``, ``datasets``, ``machine``, ``training``, ``training_examples``, ``weights``
and ``environments`` declare the commands, in the order of ``--help``.
What a command does and prints is in ``commands``, one file for each.
"""

from pipeline.cli import runs, corpora, evaluation  # noqa: F401, I001 - the order of --help
from pipeline.cli import annotation, datasets, machine  # noqa: F401 - as before
from pipeline.cli import training, training_examples, weights, environments  # noqa: F401 - as before
from pipeline.cli.application import app, run_command_line

__all__ = ["app", "run_command_line"]
