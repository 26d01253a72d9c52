"""A process of the survey: it leaves Ctrl-C to the one that started it, and ends with it."""

import logging
import multiprocessing
import os
import signal
import threading


def prepare_process() -> None:
    """Ignore Ctrl-C, keep tracebacks out of the progress, and end when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("unanimous").addHandler(logging.NullHandler())  # reasons are in what is found
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
