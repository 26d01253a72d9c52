"""From a config file to operators: everything is checked before anything runs, all mistakes at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.config.chain import ChainReader
from pipeline.config.document import Document
from pipeline.config.files import check_recordings, install_listed_modules, locate
from pipeline.config.operators import MetricSetup, RestorerSetup, metrics_of, restorers_of
from pipeline.config.overrides import POOL_OPTIONS, document_of
from pipeline.config.preference import (
    check_comparisons,
    check_coverage,
    criteria_of,
    held_out_of,
    outputs_of,
    vetoes_of,
)
from pipeline.config.problems import Problems
from pipeline.config.reader import PartialConfig, ReadContext
from pipeline.config.rounds import Lineage
from pipeline.config.schema import Config, MetricEntry, RestorerEntry
from pipeline.config.stand_ins import (
    Begun,
    Decide,
    StandIn,
    decide_as_begun,
    decide_once,
    explain_begun_with,
    nothing_begun,
)
from pipeline.config.substitution import substitute
from schemas import ConfigError
from stages.operators.metric import Output
from stages.operators.operator import Operator
from stages.operators.user_modules import OperatorModule
from stages.plan.chain import Part
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import Rules

__all__ = ["MetricSetup", "ResolvedConfig", "RestorerSetup", "operators_in", "resolve"]


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
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
    stand_ins: tuple[StandIn, ...] = ()
    """What was decided for operators whose weights may not be here."""
    lineage: Lineage | None = None
    """The rounds before, once it is known after which this run begins; None where a config names no round."""

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
        return locate(self.base, text)

    def outputs(self) -> dict[str, Output]:
        """Return every score of the run."""
        return outputs_of(self.metrics)


def resolve(
    path: Path,
    assignments: Sequence[str] = (),
    replacements: Mapping[str, str] | None = None,
    begun: Begun = nothing_begun,
) -> ResolvedConfig:
    """Return the run that the config in ``path`` describes.

    ``assignments`` are ``a.b=value`` texts; ``replacements`` point ``speech``, ``noise`` or ``responses`` at
    a folder or manifest of the user's own, relative to the current folder; ``begun`` knows what a run began
    with. Raises ``ConfigError`` with every mistake and its place.
    """
    given = (path, assignments, replacements or {})
    document = document_of(*given)
    decided = substitute(document, path.parent, decide_once(begun(_name_in(document))))
    context = ReadContext(path.parent, Problems(document))
    run = None
    with suppress(ConfigError):
        run = _build(document, context, replacements or {})
    for each in decided:
        if (why := explain_begun_with(each)) is not None and run is None:
            context.problems.found.append(f"{path}: {why}")
    if decided:
        _check_cases(given, context.problems)
    context.problems.raise_if_any()
    if run is None:
        raise AssertionError("a run that cannot be built has mistakes")
    return replace(run, stand_ins=decided)


def _check_cases(given: tuple[Path, Sequence[str], Mapping[str, str]], problems: Problems) -> None:
    """Note what is wrong with the config where all weights are here, or none: here it may be otherwise."""
    for case, rule_of in (("with all weights", _use_none), ("without weights", _use_all)):
        found = _read_without_weights(given, rule_of).problems.found
        known = set(problems.found)
        problems.found += [f"{line} ({case})" for line in found if line not in known]


def _use_none(_: str) -> Decide:
    return lambda _: False


def _use_all(_: str) -> Decide:
    return lambda _: True


def _name_in(document: Document) -> str:
    """Return what a config calls its run; whether it may is checked later."""
    return str(document.data.get("name", ""))


def operators_in(
    path: Path, assignments: Sequence[str] = (), begun: Begun = nothing_begun
) -> Sequence[Operator]:
    """Return every operator that the config in ``path`` names and that can be built, whatever else is wrong.

    Operators within operators are among them; weights need not be there. Those that a run has begun without,
    as ``begun`` knows, are not, but what stands in for them is.
    """
    context = _read_without_weights((path, assignments, {}), lambda name: decide_as_begun(begun(name)))
    return context.operators  # whoever runs the config is told what is wrong with it


def operators_to_fetch_for(
    path: Path, assignments: Sequence[str], replacements: Mapping[str, str], begun: Begun
) -> Sequence[Operator]:
    """Return what ``operators_in`` does, of a config that weights are fetched for before it is run.

    Raises ``ConfigError`` with all that is wrong with it but missing weights: nobody should fetch for that.
    """
    given = (path, assignments, replacements)
    context = _read_without_weights(given, lambda name: decide_as_begun(begun(name)))
    context.problems.raise_if_any()
    return context.operators


def resolve_but_weights(
    path: Path, assignments: Sequence[str], replacements: Mapping[str, str], begun: Begun
) -> ResolvedConfig:
    """Return what ``resolve`` does where weights and environments may be missing, to look at the rest of it.

    Raises ``ConfigError`` with all else that is wrong.
    """
    document = document_of(path, assignments, replacements)
    decided = substitute(document, path.parent, decide_as_begun(begun(_name_in(document))))
    context = ReadContext(path.parent, Problems(document), needs_weights=False)
    return replace(_build(document, context, replacements), stand_ins=decided)


def gpus_said_in(path: Path, assignments: Sequence[str] = ()) -> Mapping[str, float]:
    """Return by kind how many GPUs per worker a config says, for those of which it says any number."""
    found = PartialConfig(document_of(path, assignments, {}).data)
    entries: list[RestorerEntry | MetricEntry] = [entry for _, entry in found.restorers]
    entries += [entry for _, entry in found.metrics]
    return {entry.kind: entry.gpus for entry in entries if entry.gpus is not None}


def stand_ins_in(
    path: Path, assignments: Sequence[str] = (), begun: Begun = nothing_begun
) -> Sequence[StandIn]:
    """Return what a run of a config goes on with, as ``begun`` knows, or would begin with here and now."""
    document = document_of(path, assignments, {})
    return substitute(document, path.parent, decide_once(begun(_name_in(document))))


def _read_without_weights(
    given: tuple[Path, Sequence[str], Mapping[str, str]], rule_of: Callable[[str], Decide]
) -> ReadContext:
    """Return what could be read of a config, and what is wrong with it, weights apart."""
    path, _, replacements = given
    document = document_of(*given)
    substitute(document, path.parent, rule_of(_name_in(document)))
    context = ReadContext(path.parent, Problems(document), needs_weights=False)
    with suppress(ConfigError):  # the context has it
        _build(document, context, replacements)
    return context


def _build(document: Document, context: ReadContext, replacements: Mapping[str, str]) -> ResolvedConfig:
    """Read each section as far as it can be read, whatever is wrong with the others; raise all mistakes."""
    base, problems = context.base, context.problems
    config = None
    with problems.at((), Config):
        config = Config.model_validate(document.data)
        problems.add_flags((), document.data, config)
    sections = PartialConfig(document.data if config is None else config)
    modules = install_listed_modules(base, sections.operators, problems)
    context.all_known = len(modules) == len(sections.operators)
    context.allow_licences = sections.allow_licences
    reader = ChainReader(sections.pools, context)
    chain = reader.parts(sections.chain)
    restorers = restorers_of(sections.restorers, context)
    metrics = metrics_of(sections.metrics, context)
    built = {setup.name for setup in metrics}
    lacking = {entry.called for _, entry in sections.metrics} - built
    outputs = outputs_of(metrics)
    criteria = criteria_of(sections.criteria, outputs, lacking, problems)
    vetoes = vetoes_of(sections.vetoes, outputs, lacking, problems)
    rules = Rules(criteria, PairRule() if config is None else config.preference.pairs, vetoes)
    held_out: tuple[str, ...] = ()
    context.check_corpora((*sections.speech, *sections.pool_parts))
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
    return ResolvedConfig(config, base, modules, chain, restorers, metrics, rules, held_out)


def _check_pools(
    sections: PartialConfig, chain: Sequence[Part] | None, replacements: Mapping[str, str], problems: Problems
) -> None:
    for name, parts in sections.pools.items():
        if parts in ([], ()):
            problems.add(("pools", name), "the pool is empty")
    if chain is not None:
        used = {pool for part in chain for pool in part.pools}
        for pool in (POOL_OPTIONS[what] for what in replacements if what in POOL_OPTIONS):
            if pool not in used:
                problems.add(("pools", pool), f"no degradation draws from the pool {pool!r}")
