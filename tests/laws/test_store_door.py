"""One door: only ``pipeline/store`` opens, lists, writes or removes files of tables and datasets."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "pipeline"
DOORS = {
    "pipeline/store/": "the door itself",
    "pipeline/sources/": "recordings and manifests as people have them",
    "pipeline/weights/": "the cache of weights",
    "pipeline/environments/": "environments of published models, and the lock files that they are made from",
    "pipeline/config/": "configs, recipes, and the paths that they name",
    "pipeline/cli/options.py": "shipped configs, found by name",
    "pipeline/cli/commands/train.py": "checkpoints of a network that is being trained",
    "pipeline/cli/commands/environments.py": "folders of environments, which are listed and removed",
    "pipeline/cli/commands/doctor.py": "sizes of weights and programs that a config names",
    "pipeline/cli/commands/environment.py": "the project's own pyproject.toml, and files of its environment",
    "pipeline/dataset/card.py": "the template of the card, which is package data",
    "pipeline/report/report.py": "style sheets and scripts of the page, which are package data",
    "pipeline/survey/neighbours.py": "what lies beside recordings, as people have it",
    "pipeline/survey/page.py": "the style sheet of the page, which is package data",
    "pipeline/execution/machine.py": "what the kernel says of the processor",
    "pipeline/execution/peak_memory.py": "what the kernel says of processes",
}
"""Who may touch files, and which."""
TOUCHING = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "OSFile", "memory_map", "write_whole"),
    *("exists", "is_file", "is_dir", "is_symlink", "glob", "rglob", "iterdir", "stat", "lstat", "scandir"),
    *("listdir", "walk", "unlink", "remove", "rmdir", "rmtree", "mkdir", "makedirs", "rename", "touch"),
    *("symlink_to", "hardlink_to", "move", "copyfile", "copytree", "copy2", "fsync", "truncate"),
    *("disk_usage",),
}
"""What is called to touch a file, or to see whether one is there."""
OUR_OWN = frozenset({"walk", "remove", "move"})
"""Names that classes of ours have too; they touch files only in these modules."""
LIBRARIES = frozenset({"os", "shutil"})


def modules() -> list[Path]:
    """Return the modules that have to ask."""
    paths = sorted(PIPELINE.rglob("*.py"))
    return [path for path in paths if not path.relative_to(ROOT).as_posix().startswith(tuple(DOORS))]


def touches_in(tree: ast.AST) -> Iterator[str]:
    """Yield the calls that touch files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id == "open":
            yield f"line {node.lineno}: open"
        if isinstance(called, ast.Attribute) and called.attr in TOUCHING:
            owner = called.value.id if isinstance(called.value, ast.Name) else ""
            if called.attr not in OUR_OWN or owner in LIBRARIES:
                yield f"line {node.lineno}: {ast.unparse(called)}"


def parquet_in(tree: ast.AST) -> Iterator[str]:
    """Yield the imports of what reads and writes Parquet, or opens file systems."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (
            name for name in names if name.startswith(("pyarrow.parquet", "pyarrow.fs", "pyarrow.dataset"))
        )


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PIPELINE).as_posix())
def test_whoever_needs_a_file_asks_the_store(path: Path) -> None:
    """Another kind of storage is one class in ``pipeline/store``, because nobody else knows of files."""
    assert list(touches_in(ast.parse(path.read_text()))) == []


def test_parquet_is_known_in_the_store_alone() -> None:
    """Others are handed what is open already, wherever it is kept."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in PIPELINE.rglob("*.py")
        if list(parquet_in(ast.parse(path.read_text())))
    }

    assert users == {name for name in users if name.startswith("pipeline/store/")}


def test_every_exception_is_still_needed() -> None:
    """A name in the list that touches nothing any more is taken out of it."""
    for name in DOORS:
        place = ROOT / name
        files = place.rglob("*.py") if place.is_dir() else [place]
        assert any(list(touches_in(ast.parse(file.read_text()))) for file in files), name


@pytest.mark.parametrize(
    "line", ["path.read_bytes()", "open(name)", "os.remove(name)", "Path(a, b).glob('*')", "pa.OSFile(name)"]
)
def test_the_law_sees_what_it_is_for(line: str) -> None:
    """Each way to get past the door is found."""
    assert list(touches_in(ast.parse(line)))
