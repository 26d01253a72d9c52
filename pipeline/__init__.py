"""When and where the work is done: from a config to a dataset, a report and a command line.

From the bottom up: ``store`` (bytes on disk), ``sources`` and ``weights`` (what comes from outside),
``config``, ``tables`` (what is made from what), ``execution`` (tickets done), ``progress``, ``dataset``,
``audit``, ``verify``, ``listening``, ``report``, ``dashboard``, ``operations`` (what can be done with a
workspace) and ``cli``. ``dpo`` is for training loops, ``text`` for people. What is done to speech is
in the package stages; no room here imports one that comes after it.
"""

__version__ = "0.1.0"
