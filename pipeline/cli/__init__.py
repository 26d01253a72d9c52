"""The command line: what a user types, in the words of the user."""

from pipeline.cli import runs, corpora, evaluation, datasets, machine, training, weights  # noqa: F401, I001 - the order of --help
from pipeline.cli.application import app, main

__all__ = ["app", "main"]
