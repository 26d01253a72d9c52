"""Other processes: what a test file prints in one, for bytes that must not depend on luck, and their end."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

ENDING_S = 30.0
TESTS = Path(__file__).parent


def printed_by(file: str, *arguments: str) -> str:
    """Return what ``file`` prints as a script, with the tests and the project to import from."""
    script = f"import runpy, sys; sys.path[:0] = {[str(TESTS), str(TESTS.parent)]}; "
    script += f"runpy.run_path({file!r}, run_name='__main__')"
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def assert_ended(pid: int) -> None:
    """Wait until a process is gone; that nobody has asked for its exit code does not count."""
    deadline = time.monotonic() + ENDING_S
    while _is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
