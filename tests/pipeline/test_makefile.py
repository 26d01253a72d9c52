"""What make hands to the program, whatever folders are called."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("folder", ["/data/clean", "/data/my speech", "/data/it's mine", '/data/"it"'])
def test_names_of_folders_arrive_whole(folder: str) -> None:
    """Spaces and quotes are part of a name."""
    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-n",
            "pipeline",
            "PYTHON=python",
            f"SPEECH={folder}",
            f"CONFIG={folder}.yaml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    command = ["python", "-m", "pipeline", "run", f"{folder}.yaml", "--fetch", "--speech", folder]
    assert shlex.split(done.stdout.splitlines()[-1]) == command
