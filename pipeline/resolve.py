"""From a config file to operators: everything is checked before anything runs, all mistakes at once."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.chain_entries import ChainReader
from pipeline.config import Config
from pipeline.config_paths import check_recordings, installed_modules, is_url, located
from pipeline.coverage import (
    CRITERIA,
    check_comparisons,
    check_coverage,
    criteria_of,
    held_out_of,
    outputs_of,
    vetoes_of,
)
from pipeline.folders import at_home
from pipeline.fragments import include_recipes
from pipeline.operator_entries import (
    MetricSetup,
    RestorerSetup,
    metrics_of,
    restorers_of,
)
from pipeline.places import Document, load, override
from pipeline.problems import Problems
from pipeline.reading import Reading
from pipeline.sections import Sections
from schemas import ConfigError
from stages.chain import Part
from stages.metrics.base import Output
from stages.operator import Operator
from stages.pair_rules import PairRule
from stages.prefer import Rules
from stages.unanimity import Criterion
from stages.user_modules import OperatorModule

__all__ = ["MetricSetup", "RestorerSetup", "Run", "operators_in", "resolve"]

POOLS = {"noise": "noise", "responses": "rir"}
"""The pools that options of the command line stand for."""
PARTS = {"speech": "speech corpus", "noise": "noise corpus", "responses": "room responses"}
"""What the options are called where a config names its substitutes."""


@dataclass(frozen=True, slots=True)
class Run:
    """A config, checked, with its operators built."""

    config: Config
    base: Path
    modules: tuple[OperatorModule, ...]
    chain: tuple[Part, ...]
    restorers: tuple[RestorerSetup, ...]
    metrics: tuple[MetricSetup, ...]
    rules: Rules
    """Who votes, what vetoes, and which pairs are kept."""
    held_out: tuple[str, ...] = ()
    """Scores that take no part in choosing."""

    @property
    def criteria(self) -> Sequence[Criterion]:
        """Who votes."""
        return self.rules.criteria

    @property
    def config_hash(self) -> str:
        """Sixteen hex digits of everything the config says, wherever it lies."""
        return self.config.fingerprint

    def path(self, text: str) -> str:
        """Return a path of the config: relative ones start from the config's folder."""
        return located(self.base, text)

    def outputs(self) -> dict[str, Output]:
        """Return every score of the run."""
        return outputs_of(self.metrics)


def resolve(
    path: Path,
    assignments: Sequence[str] = (),
    replacements: Mapping[str, str] | None = None,
) -> Run:
    """Return the run that the config in ``path`` describes.

    ``assignments`` are ``a.b=value`` texts; ``replacements`` point ``speech``, ``noise`` or ``responses`` at
    a folder or manifest of the user's own, relative to the current folder. Raises ``ConfigError`` with every
    mistake and its place.
    """
    document = _document(path, assignments, replacements or {})
    reading = Reading(path.parent, Problems(document))
    return _built(document, reading, replacements or {})


def operators_in(path: Path, assignments: Sequence[str] = ()) -> Sequence[Operator]:
    """Return every operator that the config in ``path`` names and that can be built, whatever else is wrong.

    Operators within operators are among them; weights need not be there.
    """
    document = _document(path, assignments, {})
    reading = Reading(path.parent, Problems(document), needs_weights=False)
    with suppress(ConfigError):  # whoever runs the config is told
        _built(document, reading, {})
    return reading.operators


def _document(path: Path, assignments: Sequence[str], replacements: Mapping[str, str]) -> Document:
    document = load(path)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}: a config is a mapping of settings, see 'python -m pipeline schema'")
    include_recipes(document)  # so that assignments reach into them
    if any(assignment.startswith(f"{'.'.join(CRITERIA)}.") for assignment in assignments):
        _write_out_criteria(document.data)
    for assignment in assignments:
        override(document, assignment)
    for what, where in replacements.items():
        _replace(document, what, where)
    return document


def _write_out_criteria(data: dict[str, Any]) -> None:
    """Turn criteria that are only a name into mappings, so that assignments reach their margins."""
    preference = data.get("preference")
    criteria = preference.get("criteria") if isinstance(preference, dict) else None
    if isinstance(criteria, list):
        criteria[:] = [{"metric": item} if isinstance(item, str) else item for item in criteria]


def _built(document: Document, reading: Reading, replacements: Mapping[str, str]) -> Run:
    base, problems = reading.base, reading.problems
    for location, message in include_recipes(document):
        problems.add(location, message)
    config = None
    with problems.at((), Config):
        config = Config.model_validate(document.data)
    sections = Sections(document.data)
    modules = installed_modules(base, sections.operators, problems)
    reading.all_known = len(modules) == len(sections.operators)
    reading.allow_licences = sections.allow_licences
    reader = ChainReader(sections.pools, reading)
    chain = reader.parts(sections.chain)
    restorers = restorers_of(sections.restorers, reading)
    metrics = metrics_of(sections.metrics, reading)
    built = {setup.name for setup in metrics}
    lacking = {entry.name or entry.kind for _, entry in sections.metrics} - built
    outputs = outputs_of(metrics)
    criteria = criteria_of(sections.criteria, outputs, lacking, problems)
    vetoes = vetoes_of(sections.vetoes, outputs, lacking, problems)
    rules = Rules(criteria, PairRule() if config is None else config.preference.pairs, vetoes)
    held_out: tuple[str, ...] = ()
    reading.check_corpora((*sections.speech, *sections.pool_parts))
    check_recordings(base, sections.speech, sections.pool_parts, problems)
    _check_pools(sections, chain if reader.is_whole else None, replacements, problems)
    if config is not None:
        held_out = held_out_of(config, metrics, lacking, rules, problems)
        if not lacking and len(criteria) == len(config.preference.criteria):
            check_coverage(config, metrics, criteria, problems)
        if len(restorers) == len(config.restorers):
            check_comparisons(config, restorers, problems)
    problems.raise_if_any()
    if config is None:
        raise AssertionError("a config that is not valid has mistakes")
    return Run(config, base, modules, chain, restorers, metrics, rules, held_out)


def _check_pools(
    sections: Sections, chain: Sequence[Part] | None, replacements: Mapping[str, str], problems: Problems
) -> None:
    for name, parts in sections.pools.items():
        if parts == []:
            problems.add(("pools", name), "the pool is empty")
    if chain is not None:
        used = {pool for part in chain for pool in part.pools}
        for pool in (POOLS[what] for what in replacements if what in POOLS):
            if pool not in used:
                problems.add(("pools", pool), f"no degradation draws from the pool {pool!r}")


def _replace(document: Document, what: str, where: str) -> None:
    """Put a folder or manifest of the user's own in place of the config's."""
    data, option = document.data, f"--{what} {where}"
    if not where:
        raise ConfigError(f"--{what} is empty; give a folder or a manifest, or leave it out")
    substitutes = data.get("substitutes")
    if isinstance(substitutes, dict) and PARTS[what] in substitutes:
        substitutes[PARTS[what]] = f"your own, {Path(where).name}"
    absolute = where if is_url(where) else str(at_home(where).absolute())
    if what == "speech":
        data["speech"] = [{"name": _corpus_name(absolute), "path": absolute}]
        document.came_from(("speech",), option)
        return
    pool = POOLS[what]
    if not isinstance(data.get("pools"), dict):
        data["pools"] = {}
    data["pools"][pool] = [{"path": absolute}]
    document.came_from(("pools", pool), option)


def _corpus_name(path: str) -> str:
    """Return the name of the folder or file, without what a corpus may not be called."""
    last = Path(path)
    name = last.name if last.is_dir() else last.stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "speech"
