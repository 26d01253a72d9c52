"""How the house is built: rooms with a story, no circles, families of members, one meaning per name."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipeline", "stages", "schemas")
FAMILIES = ("degradations", "restorers", "metrics")
WORKERS = "stages.restorers.workers"
MOST_FLAT = 4
STORY_LINES = range(3, 13)

DEFINED_OFTEN = {
    "VERSION": "of each stage, of the audit and of the dataset: rises when the same settings give other rows",
    "log": "the logger of a module, as the standard library's guide has it",
    "T": "a type variable",
    "R": "a type variable",
}
"""Public names that more than one module may define, and why."""

REGISTRIES = frozenset({"DEGRADATIONS", "RESTORERS", "METRICS"})
PATH_IN_PROSE = re.compile(r"`((?:pipeline|stages|schemas|tests|configs|docs|docker)(?:/[a-z0-9_.-]+)+)/?`")
MODULE_IN_PROSE = re.compile(r"`((?:pipeline|stages|schemas)(?:\.\w+)+)`")
IN_STORY = re.compile(r"``([a-z0-9_]+)``")


@cache
def modules() -> Mapping[str, Path]:
    """Return the files of the three packages by the names of their modules."""
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


@cache
def tree_of(module: str) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Return what each module imports of the three packages, at its top or inside a function."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {name: frozenset(graph.find_modules_directly_imported_by(name)) for name in graph.modules}


def rooms() -> list[str]:
    """Return the names of all folders."""
    return [name for name, file in modules().items() if file.name == "__init__.py"]


def room_of(module: str) -> str:
    """Return the folder that a module is in; what lies flat in a package is a room by itself."""
    above = module.rpartition(".")[0]
    return module if module in rooms() or above in {"pipeline", "stages", ""} else above


def circle_in(arrows: Mapping[str, frozenset[str]]) -> list[str]:
    """Return names that import one another in turn, if there are any."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def public_names_in(module: str) -> Iterator[str]:
    """Walk the public classes, functions and constants that a module defines."""
    for node in tree_of(module).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names = [name]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def kinds_in(module: str) -> list[str]:
    """Return the kinds of the operators that a module registers."""
    return [
        ast.literal_eval(field.value)
        for node in tree_of(module).body
        if isinstance(node, ast.ClassDef) and any(map(is_registration, node.decorator_list))
        for field in node.body
        if isinstance(field, ast.AnnAssign) and ast.unparse(field.target) == "kind" and field.value
    ]


def is_registration(node: ast.AST) -> bool:
    """Return whether a node puts a class into a family."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "register"
        and isinstance(node.value, ast.Name)
        and node.value.id in REGISTRIES
    )


def members_of(family: str) -> list[str]:
    """Return the modules that lie in a family's folder itself."""
    folder = f"stages.{family}"
    return [name for name in modules() if name.rpartition(".")[0] == folder and name not in rooms()]


@pytest.mark.parametrize("package", ["pipeline", "stages"])
def test_few_modules_lie_flat(package: str) -> None:
    """A stranger sees a handful of rooms and no heap."""
    flat = list((ROOT / package).glob("*.py"))

    assert len(flat) <= MOST_FLAT


def test_configs_are_data() -> None:
    """What a user copies from there is read, never run."""
    assert list((ROOT / "configs").rglob("*.py")) == []


@pytest.mark.parametrize("room", rooms())
def test_a_room_tells_its_story(room: str) -> None:
    """Whoever opens a folder reads first what it is for, in a few lines."""
    story = ast.get_docstring(tree_of(room))

    assert story is not None
    assert len([line for line in story.splitlines() if line]) in STORY_LINES


def test_no_file_imports_itself_in_a_round() -> None:
    """Files can be read one after the other."""
    assert circle_in(imports()) == []


def test_no_room_imports_itself_in_a_round() -> None:
    """Rooms can be read one after the other."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for module, imported in imports().items():
        arrows[room_of(module)] |= {room_of(each) for each in imported} - {room_of(module)}

    assert circle_in({room: frozenset(others) for room, others in arrows.items()}) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_member_lies_in_a_file_named_after_its_kind(family: str) -> None:
    """Every file of a family holds a member; of two, their kinds begin with its name."""
    misplaced = {
        name: kinds
        for name in members_of(family)
        if not (kinds := kinds_in(name))
        or not all(f"{kind}_".startswith(f"{name.rpartition('.')[2]}_") for kind in kinds)
    }

    assert misplaced == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_members_share_is_no_member(family: str) -> None:
    """``common`` registers nothing and knows none of those that use it."""
    shared = [name for name in modules() if name.startswith(f"stages.{family}.common")]

    assert [name for name in shared if any(map(is_registration, ast.walk(tree_of(name))))] == []
    assert [name for name in shared if imports()[name] & {f"stages.{family}", *members_of(family)}] == []


def test_one_public_name_has_one_meaning() -> None:
    """A class, function or constant is defined in one module, so that a name can be looked up."""
    places = defaultdict(list)
    for module in modules():
        if room_of(module) != WORKERS:  # scripts of other interpreters, never imported
            for name in set(public_names_in(module)):
                places[name].append(module)

    several = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: found for name, found in several.items() if name not in DEFINED_OFTEN} == {}
    assert sorted(DEFINED_OFTEN.keys() - several.keys()) == []


def test_a_face_shows_what_is_there() -> None:
    """Every name in a folder's ``__all__`` can be imported from it."""
    faces = {room: importlib.import_module(room) for room in rooms()}
    shown = [(face, name) for face in faces.values() for name in getattr(face, "__all__", ())]

    assert shown
    assert [f"{face.__name__}.{name}" for face, name in shown if not hasattr(face, name)] == []


def test_a_story_names_what_is_in_the_room() -> None:
    """A folder's docstring is a map: what it names in small letters is a file or a folder there."""
    wrong = {
        room: strangers
        for room in rooms()
        if (strangers := set(IN_STORY.findall(ast.get_docstring(tree_of(room)) or "")) - contents_of(room))
    }

    assert wrong == {}


def contents_of(room: str) -> set[str]:
    """Return the names of modules and folders in a room."""
    return {path.stem for path in modules()[room].parent.iterdir()}


def test_no_module_uses_what_another_keeps_to_itself() -> None:
    """A leading underscore means what it says."""
    wrong = [
        f"{module}: {alias.name}"
        for module in modules()
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.endswith("__")
    ]

    assert wrong == []


def test_prose_names_what_is_there() -> None:
    """Pages, docstrings and comments name files and modules, and what is in them, as they are called."""
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in (*pages(), *modules().values())
        for text in [file.read_text(encoding="utf-8")]
        for name in (*missing_paths(text), *missing_modules(text))
    ]

    assert wrong == []


def pages() -> list[Path]:
    """Return the pages for people; the changelog tells what was and is none of them."""
    folders = ("*.md", "docs/*.md", "docker/**/*.md", "stages/**/*.md", "configs/**/*.md", "tests/**/*.md")
    found = (page for folder in folders for page in sorted(ROOT.glob(folder)))
    return [page for page in found if page.name != "CHANGELOG.md"]


def missing_paths(text: str) -> list[str]:
    """Return the paths that a text names and that are not there."""
    return [path for path in PATH_IN_PROSE.findall(text) if not (ROOT / path).exists()]


def missing_modules(text: str) -> list[str]:
    """Return the modules, or names in them, that a text names and that are not there."""
    return [name for name in MODULE_IN_PROSE.findall(text) if not exists(name)]


def exists(name: str) -> bool:
    """Return whether a dotted name is a module, or what a module defines or shows."""
    above, _, last = name.rpartition(".")
    return name in modules() or (above in modules() and hasattr(importlib.import_module(above), last))
