"""A chain of degradations in a file of its own, which damages recordings that are there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from pipeline.config.chain import ChainReader
from pipeline.config.chain_schema import PartEntry
from pipeline.config.files import install_listed_modules
from pipeline.config.overrides import document_of
from pipeline.config.problems import Problems
from pipeline.config.reader import PartialConfig, ReadContext
from pipeline.config.schema import ANY_LICENCE, NAME_PATTERN
from schemas import Record
from stages.plan.chain import Part


class DamageConfig(Record):
    """What damages recordings, without pools to draw from."""

    name: str = Field(default="damage", pattern=NAME_PATTERN)
    allow_licences: tuple[str, ...] = Field(default=ANY_LICENCE, min_length=1)
    operators: tuple[str, ...] = Field(default=(), description="Python files with operators of your own")
    chain: tuple[PartEntry, ...] = Field(min_length=1, description="as 'degradations.chain' of a config")


@dataclass(frozen=True, slots=True)
class ResolvedDamage:
    """A chain, checked, with its operators built."""

    config: DamageConfig
    chain: tuple[Part, ...]


def resolve_damage(path: Path, assignments: Sequence[str] = ()) -> ResolvedDamage:
    """Return the chain in the file ``path``. Raises ``ConfigError`` with every mistake and its place."""
    document = document_of(path, assignments, {})
    problems = Problems(document)
    context = ReadContext(path.parent, problems)
    config = None
    with problems.at((), DamageConfig):
        config = DamageConfig.model_validate(document.data)
        problems.add_flags((), document.data, config)
    sections = PartialConfig(document.data if config is None else config)
    modules = install_listed_modules(context.base, sections.operators, problems)
    context.all_known = len(modules) == len(sections.operators)
    context.allow_licences = sections.allow_licences
    items = document.data.get("chain") if config is None else config.chain
    listed = items if isinstance(items, list | tuple) else ()
    chain = ChainReader((), context).parts((("chain", index), item) for index, item in enumerate(listed))
    problems.raise_if_any()
    if config is None:
        raise AssertionError("a chain that is not valid has mistakes")
    return ResolvedDamage(config, chain)
