"""What ``annotate`` goes by: models that restore, scores without a reference, and what takes must keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config.document import Document, override
from pipeline.config.files import install_listed_modules
from pipeline.config.operators import MetricSetup, RestorerSetup, metrics_of, restorers_of
from pipeline.config.overrides import document_of
from pipeline.config.panel import PanelConfig
from pipeline.config.preference import CRITERIA, criteria_of, outputs_of, vetoes_of
from pipeline.config.problems import Problems, suggest
from pipeline.config.reader import PartialConfig, ReadContext
from pipeline.config.schema import Config, PreferenceSettings, RestorerEntry
from pipeline.config.stand_ins import Begun, StandIn, decide_once, nothing_begun
from pipeline.config.substitution import substitute
from stages.ingest.stage import IngestSettings
from stages.operators.metric import Output
from stages.operators.user_modules import OperatorModule
from stages.prefer.annotation import AS_RECORDED, AnnotationRules

ANNOTATION_PANEL = Path(__file__).with_name("annotation.yaml")
"""Who decides unless somebody names another panel."""


class AnnotationConfig(PanelConfig):
    """A panel, and the models whose takes it judges. Each config of a run is one: the rest is passed over."""

    seed: int = Field(default=0, ge=0)
    ingest: IngestSettings = IngestSettings()
    restorers: tuple[RestorerEntry, ...] = ()
    preference: PreferenceSettings


@dataclass(frozen=True, slots=True)
class ResolvedAnnotation:
    """Models and panel, checked, with all operators built."""

    config: AnnotationConfig
    modules: tuple[OperatorModule, ...]
    restorers: tuple[RestorerSetup, ...]
    metrics: tuple[MetricSetup, ...]
    rules: AnnotationRules
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def config_hash(self) -> str:
        """Sixteen hex digits of everything that is said."""
        return self.config.fingerprint

    def outputs(self) -> dict[str, Output]:
        """Return every score of the panel."""
        return outputs_of(self.metrics)


def resolve_annotation(
    path: Path,
    models: Sequence[Mapping[str, Any]],
    assignments: Sequence[str] = (),
    begun: Begun = nothing_begun,
) -> ResolvedAnnotation:
    """Return what the panel in ``path`` and ``models``, entries as in ``restorers``, come to.

    Without models those of the config restore. Raises ``ConfigError`` with every mistake and its place.
    """
    later = [each for each in assignments if models and each.startswith("restorers.")]
    document = document_of(path, [each for each in assignments if each not in later], {})
    unknown = sorted(document.data.keys() - Config.model_fields.keys())
    document.data = {
        key: value for key, value in document.data.items() if key in AnnotationConfig.model_fields
    }
    if models:
        document.data["restorers"] = [dict(model) for model in models]
        document.set_by_option(("restorers",), "--model")
    for assignment in later:  # they reach into what the option names
        override(document, assignment)
    name = str(document.data.get("name", "annotations"))
    decided = substitute(document, path.parent, decide_once(begun(name)))
    problems = Problems(document)
    for key in unknown:
        problems.add((key,), f"a panel has no {key!r}; {suggest(key, AnnotationConfig.model_fields)}")
    return _build(document, ReadContext(path.parent, problems), decided)


def _build(document: Document, context: ReadContext, stand_ins: tuple[StandIn, ...]) -> ResolvedAnnotation:
    problems, data = context.problems, document.data
    if not data.get("restorers"):
        problems.add(("restorers",), "nothing restores; give --model, such as --model fm")
    config = None
    with problems.at((), AnnotationConfig):
        config = AnnotationConfig.model_validate(data)
        problems.add_flags((), data, config)
    sections = PartialConfig(data if config is None else config)
    modules = install_listed_modules(context.base, sections.operators, problems)
    context.all_known = len(modules) == len(sections.operators)
    context.allow_licences = sections.allow_licences
    restorers = restorers_of(sections.restorers, context)
    metrics = metrics_of(sections.metrics, context)
    lacking = {entry.called for _, entry in sections.metrics} - {setup.name for setup in metrics}
    outputs = outputs_of(metrics)
    criteria = criteria_of(sections.criteria, outputs, lacking, problems)
    vetoes = vetoes_of(sections.vetoes, outputs, lacking, problems)
    _check_roles(sections, restorers, metrics, problems)
    problems.raise_if_any()
    if config is None:
        raise AssertionError("a panel that is not valid has mistakes")
    return ResolvedAnnotation(
        config, modules, restorers, metrics, AnnotationRules(criteria, vetoes), stand_ins
    )


def _check_roles(
    sections: PartialConfig,
    restorers: Sequence[RestorerSetup],
    metrics: Sequence[MetricSetup],
    problems: Problems,
) -> None:
    """Note votes that need the reference that nobody has, and a model that is called like the recording."""
    needing = {name for setup in metrics if setup.metric.needs_clean for name in setup.outputs}
    for place, entry in sections.criteria:
        if entry.metric in needing:
            problems.add(
                place,
                f"{entry.metric} compares with clean speech, and there is none; it may be a veto, where it "
                "compares with the recording",
            )
    if not sections.criteria:
        problems.add(CRITERIA, "nobody votes; name scores that need no reference, such as dnsmos_ovrl")
    if AS_RECORDED in {setup.name for setup in restorers}:
        problems.add(
            ("restorers",), f"the recording itself is called {AS_RECORDED!r}; give a model another 'name'"
        )
