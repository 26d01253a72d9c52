"""Workers: what runs a restoration model in an environment of its own, in another interpreter.

These files are not imported by this program but started by it (``stages.runtime.external_model``), each
with the Python of an environment that has the model and numpy, and nothing of Unanimous but
``unanimous_worker.py``, which lies here too. README.md says how to write one; ``example_worker.py`` is one.
"""
