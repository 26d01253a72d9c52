"""A panel: the metrics of a config and who of them votes, without anything that makes audio."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from pipeline.config.document import Document
from pipeline.config.files import install_listed_modules
from pipeline.config.operators import MetricSetup, metrics_of
from pipeline.config.overrides import document_of
from pipeline.config.preference import criteria_of, outputs_of, vetoes_of
from pipeline.config.problems import Problems, suggest
from pipeline.config.reader import PartialConfig, ReadContext
from pipeline.config.schema import ANY_LICENCE, NAME_PATTERN, Config, MetricEntry, PreferenceSettings
from pipeline.config.stand_ins import Begun, StandIn, decide_once, nothing_begun
from pipeline.config.substitution import substitute
from schemas import Record
from stages.operators.metric import Output
from stages.operators.user_modules import OperatorModule
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto


class PanelConfig(Record):
    """What scores audio that is there already. Every config of a run is one too: the rest is passed over."""

    name: str = Field(default="panel", pattern=NAME_PATTERN)
    stand_ins: dict[str, str] = {}
    shard_seconds: float = Field(default=300.0, gt=0, description="audio per shard")
    deadline_s: float = Field(default=600.0, gt=0, description="as in the config of a run")
    allow_licences: tuple[str, ...] = Field(default=ANY_LICENCE, min_length=1)
    operators: tuple[str, ...] = Field(default=(), description="Python files with operators of your own")
    metrics: tuple[MetricEntry, ...] = Field(min_length=1)
    preference: PreferenceSettings | None = Field(
        default=None, description="who votes, for the share of others that a candidate beats"
    )


@dataclass(frozen=True, slots=True)
class ResolvedPanel:
    """A panel, checked, with its metrics built."""

    config: PanelConfig
    modules: tuple[OperatorModule, ...]
    metrics: tuple[MetricSetup, ...]
    criteria: tuple[Criterion, ...]
    vetoes: tuple[Veto, ...]
    """Those that look at scores: what models did to the length of takes is not known here."""
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def config_hash(self) -> str:
        """Sixteen hex digits of everything that is said of the panel."""
        return self.config.fingerprint

    def outputs(self) -> dict[str, Output]:
        """Return every score of the panel."""
        return outputs_of(self.metrics)


def resolve_panel(path: Path, assignments: Sequence[str] = (), begun: Begun = nothing_begun) -> ResolvedPanel:
    """Return the panel that the config in ``path`` describes; ``begun`` knows what was begun with.

    Raises ``ConfigError`` with every mistake and its place.
    """
    document = document_of(path, assignments, {})
    unknown = sorted(document.data.keys() - Config.model_fields.keys())
    document.data = {key: value for key, value in document.data.items() if key in PanelConfig.model_fields}
    decided = substitute(document, path.parent, decide_once(begun(str(document.data.get("name", "panel")))))
    problems = Problems(document)
    for name in unknown:
        problems.add((name,), f"a panel has no {name!r}; {suggest(name, PanelConfig.model_fields)}")
    return replace(_build(document, ReadContext(path.parent, problems)), stand_ins=decided)


def _build(document: Document, context: ReadContext) -> ResolvedPanel:
    problems, data = context.problems, document.data
    config = None
    with problems.at((), PanelConfig):
        config = PanelConfig.model_validate(data)
        problems.add_flags((), data, config)
    sections = PartialConfig(data if config is None else config)
    modules = install_listed_modules(context.base, sections.operators, problems)
    context.all_known = len(modules) == len(sections.operators)
    context.allow_licences = sections.allow_licences
    metrics = metrics_of(sections.metrics, context)
    lacking = {entry.called for _, entry in sections.metrics} - {setup.name for setup in metrics}
    outputs = outputs_of(metrics)
    criteria = criteria_of(sections.criteria, outputs, lacking, problems)
    vetoes = vetoes_of(sections.vetoes, outputs, lacking, problems)
    problems.raise_if_any()
    if config is None:
        raise AssertionError("a panel that is not valid has mistakes")
    looking = tuple(veto for veto in vetoes if veto.score is not None)
    return ResolvedPanel(config, modules, metrics, criteria, looking)
