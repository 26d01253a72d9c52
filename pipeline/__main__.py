"""``python -m pipeline``: the command line, in a process whose libraries use one thread."""

import os

from pipeline.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

from pipeline.cli import main

if __name__ == "__main__":
    main()
