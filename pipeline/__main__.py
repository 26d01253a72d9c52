"""``python -m pipeline``: the command line, in a process whose libraries use one thread."""

import os

from pipeline.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

try:
    from pipeline.cli import main
except KeyboardInterrupt:  # importing takes a second or two
    raise SystemExit(130) from None

if __name__ == "__main__":
    main()
