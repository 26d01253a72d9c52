"""Restorers as a command names them: a kind, a folder of weights that ``train`` has filled, or both."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.store.files import expand_home
from schemas import UserError
from stages.operators.restorer import Restorer
from stages.restorers import RESTORERS

_SUFFIX = ".safetensors"
SEVERAL = 5
"""Takes of a model that can give several, unless somebody says how many."""


def restorer_entries_of(models: Sequence[str], takes: int | None) -> list[Mapping[str, Any]]:
    """Return entries of ``restorers`` for what was named: a kind, a folder of weights, or KIND=FOLDER.

    ``takes`` of each; by default five where a model can give several. Raises ``UserError`` for what is
    neither a kind nor a folder with the weights of one.
    """
    entries: list[dict[str, Any]] = []
    for text in models:
        entry = _entry_of(text)
        entry["takes"] = (SEVERAL if _gives_several(entry["kind"]) else 1) if takes is None else takes
        taken = {each["name"] for each in entries}
        numbered = (f"{entry['kind']}-{number}" for number in range(2, len(models) + 2))
        entry["name"] = next(name for name in (entry["kind"], *numbered) if name not in taken)
        entries.append(entry)
    return list(entries)


def own_codec_folder(codec: Path) -> Path | None:
    """Return where the networks of our own codec lie, if ``codec`` is ``ours`` or a folder of them."""
    if codec == Path("ours") and not codec.exists():
        from stages.networks.generative.parts import SHIPPED  # noqa: PLC0415 - torch

        return SHIPPED
    folder = next((each for each in (codec, codec / "weights") if (each / f"codes{_SUFFIX}").is_file()), None)
    return None if folder is None else folder.absolute()


def _gives_several(kind: str) -> bool:
    member = RESTORERS[kind]
    return bool(member.draws) or member.sampling is not Restorer.sampling


def _entry_of(text: str) -> dict[str, Any]:
    if text in RESTORERS:
        return {"kind": text}
    kind, equals, place = text.partition("=")
    if equals and kind in RESTORERS:
        return {"kind": kind, "path": str(_weights_in(expand_home(place), text))}
    folder = expand_home(text)
    if not folder.is_dir():
        raise UserError(f"--model {text}: no folder, and {RESTORERS.describe_unknown(text)}")
    folder = _weights_in(folder, text)
    whole = _kinds_in(folder)
    if len(whole) != 1:
        named = f"weights of {', '.join(whole)}; say which: {whole[0]}={text}" if whole else _lacking(folder)
        raise UserError(f"--model {text}: the folder has {named}")
    return {"kind": whole[0], "path": str(folder)}


def _weights_in(folder: Path, text: str) -> Path:
    """Return the folder of weights: the one that is named, or that within it which ``train`` fills."""
    if not folder.exists():
        raise UserError(f"--model {text}: there is no {folder}")
    inner = folder / "weights"
    return (inner if folder.is_dir() and inner.is_dir() else folder).absolute()


def _parts() -> Mapping[str, Sequence[str]]:
    """Return the kinds that ``train`` makes, with the names of their networks."""
    members = ((kind, getattr(RESTORERS[kind], "parts", None)) for kind in RESTORERS)
    return {kind: parts for kind, parts in members if isinstance(parts, tuple)}


def _kinds_in(folder: Path) -> list[str]:
    there = {path.stem for path in folder.glob(f"*{_SUFFIX}")}
    return [kind for kind, parts in _parts().items() if there.issuperset(parts)]


def _lacking(folder: Path) -> str:
    ways = "; ".join(
        f"{kind} needs {', '.join(f'{part}{_SUFFIX}' for part in parts)}" for kind, parts in _parts().items()
    )
    found = ", ".join(sorted(path.name for path in folder.glob(f"*{_SUFFIX}"))) or "none"
    return f"the weights of no model of 'train' (it has {found}): {ways}. For another model say KIND={folder}"
