"""Seeded damages to a finished workspace, and what commands make of each."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np

from stages.operators.rng import rng_for
from tests.support import tiny
from tests.support.forked_commands import typed

KINDS = (
    "deleted",
    "truncated",
    "zeroed",
    "partly zeroed",
    "swapped",
    "a link to nowhere",
    "a folder",
    "garbled",
    "unreadable",
)
"""What happens to files. One that nobody may read is no damage to root, who may read all."""
LEFT_ALONE = ("lock", "lock.json")
"""Files that hold nothing: who holds a workspace is asked of the machine."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done to one file of a workspace."""

    kind: str
    path: Path
    """Relative to the workspace."""

    def __str__(self) -> str:
        return f"{self.path} {self.kind}"


def drawn_damages(workspace: Path, number: int, seed: int) -> Iterator[Damage]:
    """Walk damages, drawn by ``seed``, the kinds in turn and each file as likely as any other."""
    files = sorted(path.relative_to(workspace) for path in workspace.rglob("*") if path.is_file())
    files = [path for path in files if path.name not in LEFT_ALONE]
    rng = rng_for(seed, "damages")
    for count in range(number):
        yield Damage(KINDS[count % len(KINDS)], files[int(rng.integers(len(files)))])


def do_damage(workspace: Path, damage: Damage) -> None:
    """Do it."""
    path = workspace / damage.path
    content = path.read_bytes()
    middle = len(content) // 2
    match damage.kind:
        case "truncated":
            path.write_bytes(content[:middle])
        case "zeroed":
            path.write_bytes(bytes(len(content)))
        case "partly zeroed":
            path.write_bytes(content[: middle // 2] + bytes(middle) + content[middle // 2 + middle :])
        case "garbled":
            noise = np.frombuffer(content, np.uint8) ^ np.uint8(0x5A)
            path.write_bytes(noise.tobytes())
        case "swapped":
            alike = sorted(path.parent.parent.rglob(f"*{path.suffix}"))
            others = [other for other in alike if other.is_file() and other != path]
            shutil.copyfile(others[0] if others else Path(__file__), path)
        case "a folder":
            path.unlink()
            path.mkdir()
        case "unreadable":
            path.chmod(0)
        case "a link to nowhere":
            path.unlink()
            path.symlink_to(path.parent / "nowhere")
        case _:
            path.unlink()


def looking_commands(config: Path, workspace: Path) -> Sequence[Sequence[str | Path]]:
    """Return the commands that look at a workspace or work in it, but for ``run``."""
    dataset = workspace / "dataset"
    here = ("--workspace", workspace)
    return (
        ("status", workspace),
        ("report", workspace, "--out", workspace.parent / "report.html"),
        ("decide", config, *here),
        ("audit", config, *here),
        ("verify", dataset, "--rows", "1"),
        ("replay", dataset, "0"),
        ("export", config, *here, "--out", workspace.parent / "exported"),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command said to a damage."""

    damage: Damage
    command: str
    code: int
    said: str

    @property
    def is_traceback(self) -> bool:
        """Whether it ended as no command should."""
        return "Traceback" in self.said

    @property
    def is_silent(self) -> bool:
        """Whether it refused without naming the file, or one that it stands for."""
        table, _, _ = self.damage.path.parent.name.rpartition("-")
        names = {self.damage.path.name, self.damage.path.parent.name, table or self.damage.path.stem}
        return self.code != 0 and not any(name in self.said for name in names)


def answers_to(damage: Damage, config: Path, workspace: Path) -> Iterator[Answer]:
    """Do the damage, and walk what each command says; ``run`` comes last, and once more."""
    do_damage(workspace, damage)
    for words in looking_commands(config, workspace):
        yield _answer(damage, typed(*words, environment=tiny.environment()))
    yield run_answer(damage, config, workspace)


def run_answer(damage: Damage, config: Path, workspace: Path) -> Answer:
    """Return what a run makes of it."""
    words = ("run", config, "--workspace", workspace, "--executor", "local")
    return _answer(damage, typed(*words, environment=tiny.environment()))


def _answer(damage: Damage, done: "CompletedProcess[str]") -> Answer:
    return Answer(damage, done.args[0], done.returncode, done.stdout + done.stderr)
