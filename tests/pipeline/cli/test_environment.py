"""What doctor says of packages: those of tools are nobody's need, and what lacks has its way out."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline.cli.commands.environment import (
    AnyOperator,
    CheckResult,
    check_embedded_models,
    check_packages,
    declared,
)
from stages.metrics import METRICS
from stages.operators.operator import Operator
from tests.support.command_line import ROOT, written
from tests.support.slim_environment import slim_environment


class Needy(Operator):
    """An operator with needs of its own."""

    kind: ClassVar[str] = "needy_for_tests"
    libraries: ClassVar[tuple[str, ...]] = ("needed_for_tests",)
    package_files: ClassVar[Mapping[str, str]] = {
        "A model": "stages/operators/operator.py",
        "None": "stages/none.py",
    }


def _found(operators: Iterable[AnyOperator] = ()) -> dict[str, CheckResult]:
    return {finding.name: finding for finding in check_packages(operators)}


def _install(site: Path, name: str, version: str, code: str | None = None) -> None:
    """Write what a package manager would leave of a package."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if code is not None:
        (site / f"{name}.py").write_text(code)


def test_doctor_needs_no_tools_of_development(tmp_path: Path) -> None:
    """In an environment without the extra dev, where tests could not run, a run could start."""
    python = slim_environment(tmp_path / "slim")
    config = written(tmp_path)
    imports = subprocess.run([python, "-c", "import pystoi"], capture_output=True, check=False)

    told = _typed(python, "doctor", config)

    assert imports.returncode == 1
    assert told.returncode == 0, told.stdout + told.stderr
    assert "LACKS" not in told.stdout


def _typed(python: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [str(python), "-m", "pipeline", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_all_that_is_declared_is_looked_at() -> None:
    """Each dependency with its version; of extras nothing that no operator asks for."""
    found = _found()

    assert found.keys() == {each.name for each in declared().always}
    assert not found.keys() & {"pystoi", "openai-whisper", "torchcodec"}
    assert all(finding.is_there for finding in found.values())


def test_an_operator_of_an_extra_asks_for_all_of_it() -> None:
    """Whisper's package names less than it imports: the extra has the rest."""
    extra = {each.name for each in declared().extras["whisper"]}

    assert extra <= _found([METRICS["whisper"]]).keys()


def test_another_version_than_declared_is_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what would bring the right one; a local build of the right one will do."""
    _install(tmp_path, "duckdb", "1.0.0")
    _install(tmp_path, "filelock", "3.20.0+own")
    monkeypatch.syspath_prepend(tmp_path)

    found = _found()

    assert found["duckdb"] == CheckResult(
        "duckdb", "1.0.0, but >=1.4 is needed; pip install 'duckdb>=1.4'", is_there=False
    )
    assert found["filelock"] == CheckResult("filelock", "3.20.0+own", is_there=True)


def test_an_operators_own_needs_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has declared: whether it is there, and whether it can be imported."""
    lacking = _found([Needy])["needed_for_tests"]
    _install(tmp_path, "needed_for_tests", "2", "raise ImportError('libneeded.so is not there')")
    monkeypatch.syspath_prepend(tmp_path)
    broken = _found([Needy])["needed_for_tests"]

    assert lacking == CheckResult(
        "needed_for_tests", "not installed; pip install needed_for_tests", is_there=False
    )
    assert broken == CheckResult("needed_for_tests", "2: libneeded.so is not there", is_there=False)


def test_extras_of_a_package_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``audiomentations[extras]`` brings packages that only the extra names."""
    _install(tmp_path, "loudness", "1.0")
    monkeypatch.syspath_prepend(tmp_path)

    loudness = _found()["loudness"]

    told = "for audiomentations[extras]: 1.0, but <1 is needed; pip install 'loudness<1'"
    assert loudness == CheckResult("loudness", told, is_there=False)


@pytest.mark.parametrize("source", ["an installation", "a file"])
def test_what_is_declared_is_read_where_it_is(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an installed project by its metadata; else in the pyproject.toml beside the code."""
    if source == "an installation":
        _install(tmp_path, "unanimous", "9")
        with (tmp_path / "unanimous-9.dist-info" / "METADATA").open("a") as file:
            file.write(
                "Provides-Extra: more\nRequires-Dist: rich>=13\nRequires-Dist: jsonschema; extra == 'more'\n"
            )
        monkeypatch.syspath_prepend(tmp_path)
    expected: Mapping[str, Any] = {
        "an installation": (["rich"], {"more": ["jsonschema"]}),
        "a file": (["audiomentations"], {"whisper": ["openai-whisper"]}),
    }

    project = declared()

    names, extras = expected[source]
    assert [each.name for each in project.always][: len(names)] == names
    for extra, inside in extras.items():
        assert [each.name for each in project.extras[extra]][: len(inside)] == inside


def test_models_inside_packages_are_looked_at() -> None:
    """Those of the operators that are asked for."""
    found = {finding.name: finding.is_there for finding in check_embedded_models([Needy])}

    assert found == {"A model": True, "None": False}
    assert [finding.name for finding in check_embedded_models([METRICS["plcmos"]])] == ["PLCMOS v2"]
