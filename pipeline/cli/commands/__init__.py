"""One file per command of the command line, named after it: what a command does and prints.

``pipeline.cli`` declares options and help and imports a command's file only when it is called, so that
``--help`` answers at once; ``option_groups`` has the options of those with many. Operations on a workspace
are in ``pipeline.operations``.
"""
