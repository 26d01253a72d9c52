"""Recipes in files of their own: ``{recipe: urgent2025}`` in a chain becomes the chain of that file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.chain_schema import form_of
from pipeline.config.document import Document, Location, load_document
from pipeline.config.problems import suggest
from schemas import ConfigError

SHIPPED_RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
KEYS = ("description", "chain")


def include_recipes(document: Document) -> None:
    """Put the chains of files in their places; the document is told what keeps the others from it."""
    degradations = document.data.get("degradations")
    chain = degradations.get("chain") if isinstance(degradations, dict) else None
    _Inclusion(document).into(chain, ("degradations", "chain"), (document.path.resolve(),))


class _Inclusion:
    """One walk through a chain; ``around`` are the files that the place is in, outermost first."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def into(self, items: Any, location: Location, around: tuple[Path, ...]) -> None:
        """Replace the recipes in a list of entries, and in all lists within."""
        for index in range(len(items) if isinstance(items, list) else 0):
            place, inside = (*location, index), around
            if form_of(items[index]) == "recipe" and (*place, "recipe") not in self._document.refused:
                try:
                    items[index], inside = self._include(items[index], place, around)
                except ConfigError as error:
                    self._document.refused[*place, "recipe"] = str(error)
            for below, members in _lists_in(items[index]):
                self.into(members, (*place, *below), inside)

    def _include(
        self, item: Mapping[str, Any], place: Location, around: tuple[Path, ...]
    ) -> tuple[dict[str, Any], tuple[Path, ...]]:
        path = _find_recipe(str(item["recipe"]), around[-1].parent)
        recipe = _load_recipe(path, around)
        others = {key: value for key, value in item.items() if key != "recipe"}
        self._document.set_by_include((*place, "chain"), recipe, ("chain",))
        return {**others, "chain": recipe.data["chain"]}, (*around, path)


def _lists_in(item: Any) -> Iterator[tuple[Location, Any]]:
    """Yield the lists of entries that an entry holds."""
    if not isinstance(item, dict):
        return
    for key in ("chain", "one_of"):
        yield (key,), item.get(key)
    if isinstance(item.get("some_of"), dict):
        yield ("some_of", "members"), item["some_of"].get("members")


def _find_recipe(text: str, base: Path) -> Path:
    """Return the file that is meant: beside the file that names it, or of those that ship."""
    candidates = [
        base / text,
        SHIPPED_RECIPES / text,
        SHIPPED_RECIPES / f"{text}.yaml",
        SHIPPED_RECIPES.parent / text,
    ]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    known = sorted(path.stem for path in SHIPPED_RECIPES.glob("*.yaml"))
    raise ConfigError(f"there is no recipe {text!r}; {suggest(text, known)}")


def _load_recipe(path: Path, around: tuple[Path, ...]) -> Document:
    if path in around:
        raise ConfigError(f"{path.name} includes itself")
    recipe = load_document(path)
    data = recipe.data
    if not isinstance(data, dict) or not isinstance(data.get("chain"), list):
        raise ConfigError(f"{path}: a recipe is a mapping with a list 'chain'")
    unknown = [str(key) for key in data if key not in KEYS]
    if unknown:
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}; {suggest(unknown[0], KEYS)}")
    return recipe
