"""A config's document, with what the command line changes in it: settings, and whole corpora and pools."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.document import Document, load_document, override
from pipeline.config.files import is_url
from pipeline.config.preference import CRITERIA
from pipeline.config.recipes import include_recipes
from pipeline.sources.folders import AUDIO_SUFFIXES
from pipeline.sources.manifests import MANIFEST_SUFFIXES
from pipeline.store.files import expand_home
from schemas import ConfigError

POOL_OPTIONS = {"noise": "noise", "responses": "rir"}
"""The pools that options of the command line stand for."""
_PARTS = {"speech": "speech corpus", "noise": "noise corpus", "responses": "room responses"}
"""What the options are called where a config names its substitutes."""


def document_of(path: Path, assignments: Sequence[str], replacements: Mapping[str, str]) -> Document:
    """Return the document in ``path``, its recipes included, as ``resolve`` is told to change it.

    Raises ``ConfigError`` for a file that is no config, and for an option that reaches nothing.
    """
    document = load_document(path)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}: a config is a mapping of settings, see 'python -m pipeline schema'")
    include_recipes(document)  # so that assignments reach into them
    if any(assignment.startswith(f"{'.'.join(CRITERIA)}.") for assignment in assignments):
        _write_out_criteria(document.data)
    for assignment in assignments:
        override(document, assignment)
    if assignments:
        include_recipes(document)  # those that an assignment names
    for what, where in replacements.items():
        _replace(document, what, where)
    return document


def _write_out_criteria(data: dict[str, Any]) -> None:
    """Turn criteria that are only a name into mappings, so that assignments reach their margins."""
    preference = data.get("preference")
    criteria = preference.get("criteria") if isinstance(preference, dict) else None
    if isinstance(criteria, list):
        criteria[:] = [{"metric": item} if isinstance(item, str) else item for item in criteria]


def _replace(document: Document, what: str, where: str) -> None:
    """Put a folder or manifest of the user's own in place of the config's."""
    data, option = document.data, f"--{what} {where}"
    if not where:
        raise ConfigError(f"--{what} is empty; give a folder or a manifest, or leave it out")
    substitutes = data.get("substitutes")
    if isinstance(substitutes, dict) and _PARTS[what] in substitutes:
        substitutes[_PARTS[what]] = f"your own, {Path(where).name}"
    absolute = where if is_url(where) else str(expand_home(where).absolute())
    if what == "speech":
        data["speech"] = [{"name": _corpus_name(absolute), "path": absolute}]
        document.set_by_option(("speech",), option)
        return
    pool = POOL_OPTIONS[what]
    if not isinstance(data.get("pools"), dict):
        data["pools"] = {}
    data["pools"][pool] = [{"path": absolute}]
    document.set_by_option(("pools", pool), option)


def _corpus_name(path: str) -> str:
    """Return the name of the folder or file, without what a corpus may not be called."""
    last = Path(path)
    is_file = is_url(path) and last.suffix.lower() in AUDIO_SUFFIXES | MANIFEST_SUFFIXES
    is_folder = last.is_dir() or (is_url(path) and not is_file)
    name = last.name if is_folder else last.stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "speech"
