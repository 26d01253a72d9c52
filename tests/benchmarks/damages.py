"""Damages to a finished workspace against every command: ``python -m tests.benchmarks.damages --number 300``.

Each ends without a traceback, names the file if it refuses, and ``run`` makes again what was there, byte for
byte. Files that nobody may read are among them: root, who may read all, runs it under
``setpriv --bounding-set=-dac_override,-dac_read_search``.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from pipeline.text import say
from tests.support import tiny
from tests.support.damages import Damage, answers_to, drawn_damages, run_answer
from tests.support.in_process import run_here


def main() -> None:
    """Print what went wrong, and how many did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="begin with this one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        finished = Path(folder) / "finished"
        tiny.write_speech(finished / "speech", ["a", "b"])
        config = tiny.write_config(finished, tiny.cheap_config(finished / "speech"))
        run_here(config, finished / "workspace")
        damages = list(drawn_damages(finished / "workspace", options.number, options.seed))
        counts: Counter[str] = Counter()
        for number, damage in enumerate(damages[options.first :], start=options.first):
            _try_damage(number, damage, finished, counts)
    say(str(dict(counts)))


def _try_damage(number: int, damage: Damage, finished: Path, counts: Counter[str]) -> None:
    workspace = finished.parent / "damaged" / "workspace"
    shutil.rmtree(workspace.parent, ignore_errors=True)
    shutil.copytree(finished / "workspace", workspace)
    counts["damages"] += 1
    say(f"{number} {damage}")
    for answer in answers_to(damage, finished / "tiny.yaml", workspace):
        counts["commands"] += 1
        may_refuse = answer.command != "run" or damage.kind == "unreadable"  # that is the user's to mend
        if answer.is_traceback or answer.is_silent or (answer.code and not may_refuse):
            what = "traceback" if answer.is_traceback else "silent" if answer.is_silent else "run refuses"
            counts[what] += 1
            say(f"{number} {damage}: {answer.command}: {what}: {answer.said.strip()[-600:]}")
    if damage.kind == "unreadable":
        (workspace / damage.path).chmod(0o644)
    if tiny.files_of(workspace) == tiny.files_of(finished / "workspace"):
        counts["mended"] += 1
        return
    say(f"{number} {damage}: nothing has read it: removed, and run again")
    (workspace / damage.path).unlink(missing_ok=True)
    answer = run_answer(damage, finished / "tiny.yaml", workspace)
    is_mended = tiny.files_of(workspace) == tiny.files_of(finished / "workspace")
    counts["mended when removed" if is_mended and not answer.code else "not mended"] += 1


if __name__ == "__main__":
    main()
