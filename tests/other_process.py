"""What a test file prints when another process runs it: the way to see whether bytes depend on luck."""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def printed_by(file: str, *arguments: str) -> str:
    """Return what ``file`` prints as a script, with the tests and the project to import from."""
    script = f"import runpy, sys; sys.path[:0] = {[str(TESTS), str(TESTS.parent)]}; "
    script += f"runpy.run_path({file!r}, run_name='__main__')"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
