"""Environments of published models: made from the lock file that ships with each worker, checked, removed.

``lock`` reads what an environment is made of, ``make`` makes it with uv or pip and git, ``check`` runs the
worker in it on random weights. Where environments lie, the restorers say.
"""
