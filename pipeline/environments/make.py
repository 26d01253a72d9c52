"""An environment made: interpreter, packages, stubs and code, each as the lock file says; or removed."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.environments.lock import EnvironmentLock
from schemas import MissingWeightsError, RunError
from stages.runtime.external_model import OURS

NOTE = "made.json"
"""Is written when all is there: a folder without it was begun and not finished."""
CODE_FOLDER = "code"
_PYENV = "~/.pyenv/versions"
STUB = '''"""Stands for a package that is imported and not used."""

import importlib.abc
import importlib.machinery
import sys
import types


class Stub(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith(__name__ + "."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        pass


sys.modules[__name__].__class__ = Stub
sys.meta_path.append(Finder())
'''

Announce = Callable[[str], None]


def make_environment(
    lock: EnvironmentLock, folder: Path, tell: Announce, *, cpu: bool = False, code: Path | None = None
) -> bool:
    """Make what ``lock`` says in ``folder``, unless it is there; return whether anything was to be done.

    ``code`` is a folder of clones, ``owner+name``, to take repositories from instead of the network. Raises
    ``MissingWeightsError`` for what this machine lacks, and ``RunError`` with the last words of what failed.
    """
    if state_of_environment(lock, folder) == "there":
        return False
    if folder.is_dir():
        remove_environment(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    installer = shutil.which("uv")
    tell(f"{lock.kind}: Python {lock.python}, {'uv' if installer else 'pip'}")
    _make_interpreter(lock, folder, installer)
    _install(lock, folder, installer, cpu=cpu)
    write_stubs(lock, _site_packages(folder))
    if lock.repository is not None:
        tell(f"{lock.kind}: {lock.repository} at {(lock.commit or '')[:7]}")
        check_out_code(lock, folder, code)
    note = {"lock": lock.digest, "commit": lock.commit, "cpu": cpu}
    (folder / NOTE).write_text(json.dumps(note), encoding="utf-8")
    return True


def state_of_environment(lock: EnvironmentLock, folder: Path) -> str:
    """Return ``there``, ``missing``, ``begun``, ``of another lock file`` or ``made by hand``."""
    if not folder.is_dir():
        return "missing"
    if not (folder / NOTE).is_file():
        return "made by hand" if (folder / "bin" / "python").exists() else "begun"
    made = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    return "there" if made["lock"] == lock.digest else "of another lock file"


def remove_environment(folder: Path) -> None:
    """Remove an environment. Raises ``RunError`` for a folder that this program has not made."""
    is_ours = (folder / NOTE).is_file() or (folder / "pyvenv.cfg").is_file()
    if not is_ours:
        raise RunError(f"{folder} is no environment of this program's: look at it, and remove it by hand")
    shutil.rmtree(folder)


def find_interpreter(version: str) -> str:
    """Return a Python of ``version``. Raises ``MissingWeightsError`` with the ways to have one."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    kept = sorted(Path(_PYENV).expanduser().glob(f"{version}.*/bin/python"))
    candidates = [shutil.which(f"python{version}"), *map(str, reversed(kept))]
    for found in filter(None, candidates):
        if subprocess.run([found, "--version"], check=False, capture_output=True).returncode == 0:  # noqa: S603
            return found
    raise MissingWeightsError(
        f"there is no Python {version} here: 'pip install uv' brings one when it is needed, or put "
        f"python{version} on the path"
    )


def _make_interpreter(lock: EnvironmentLock, folder: Path, uv: str | None) -> None:
    if uv is not None:
        try:
            python = find_interpreter(lock.python)
        except MissingWeightsError:
            python = lock.python  # which uv then brings
        run_tool([uv, "venv", "--python", python, str(folder)])
        return
    run_tool([find_interpreter(lock.python), "-m", "venv", str(folder)])


def _install(lock: EnvironmentLock, folder: Path, uv: str | None, *, cpu: bool) -> None:
    python = str(folder / "bin" / "python")
    pip = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    with tempfile.TemporaryDirectory() as place:
        wanted = Path(place) / "requirements.txt"
        wanted.write_text("\n".join(lock.requirements(cpu=cpu)) + "\n", encoding="utf-8")
        run_tool([*pip, "-r", str(wanted)])
    if lock.packages:
        run_tool([*pip, "--no-deps", *lock.packages])


def write_stubs(lock: EnvironmentLock, packages: Path) -> None:
    """Write what stands for packages that the model's code imports and does not use."""
    for stub in lock.stubs:
        (packages / stub).mkdir(exist_ok=True)
        (packages / stub / "__init__.py").write_text(STUB, encoding="utf-8")


def check_out_code(lock: EnvironmentLock, folder: Path, code: Path | None) -> None:
    """Bring the commit, which is its own digest, and nothing of the history before it, into ``folder``."""
    assert lock.repository is not None
    assert lock.commit is not None
    place, source = folder / CODE_FOLDER, lock.repository
    if code is not None:
        source = str(code / "+".join(lock.repository.rsplit("/", 2)[1:]))
    run_tool(["git", "init", "--quiet", str(place)])
    run_tool(["git", "-C", str(place), "fetch", "--quiet", "--depth=1", source, lock.commit])
    run_tool(["git", "-C", str(place), "checkout", "--quiet", lock.commit])
    (folder / "repository").symlink_to(Path(CODE_FOLDER) / lock.folder)


def _site_packages(folder: Path) -> Path:
    return next((folder / "lib").glob("python*")) / "site-packages"


def run_tool(command: Sequence[str], where: Path | None = None, **variables: str) -> None:
    """Run a program to its end. Raises ``RunError`` with what it said last."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    try:
        done = subprocess.run(  # noqa: S603 - tools of this machine, and names that lock files pin
            command, check=False, cwd=where, env={**kept, **variables}, capture_output=True, text=True
        )
    except OSError as error:
        raise MissingWeightsError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise RunError(f"{' '.join(command)} ended with {done.returncode}; it said:\n{said}")
