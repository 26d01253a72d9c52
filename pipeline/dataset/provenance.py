"""What a dataset says of the models and metrics behind it: settings, weights, licences, fingerprints."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from pydantic import Field

from pipeline.config.nested_operators import with_nested
from pipeline.config.operators import MetricSetup, RestorerSetup
from schemas import Digest, Params, Record, fingerprint_of
from stages.operators.metric import Aspect, Better
from stages.operators.operator import Operator
from stages.weights.has_weights import HasWeights


class WeightsFacts(Record):
    """Weights of one network."""

    kind: str
    """Of the operator that loads them."""
    sha256: Digest | None = None
    source: str
    revision: str | None = None
    unpinned: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    """Files that came from an address which may give others later; the digest is of what the run had."""


class ModelFacts(Record):
    """A restoration model."""

    name: str
    kind: str
    version: int
    paradigm: str
    takes: int
    settings: Params
    draws: dict[str, Any]
    """How settings of takes are drawn; by the model's own rule, from the second take on."""
    licences: tuple[str, ...]
    weights: tuple[WeightsFacts, ...]

    @property
    def model_fingerprint(self) -> str:
        """Sixteen hex digits of what it is, whatever it is called and however many takes it gives."""
        digests = [weights.sha256 for weights in self.weights]
        return fingerprint_of([self.kind, self.version, self.settings, digests])


class ScoreFacts(Record):
    """One score, and which way is better."""

    name: str
    aspect: Aspect
    better: Better
    low: float | None
    high: float | None
    noise_floor: float


class MetricFacts(Record):
    """A metric. ``identity`` is all that its scores depend on besides the audio."""

    name: str
    metric_fingerprint: str
    identity: Params
    licences: tuple[str, ...]
    weights: tuple[WeightsFacts, ...]
    scores: tuple[ScoreFacts, ...]

    @property
    def settings(self) -> Params:
        """Its settings in the run."""
        found = self.identity["params"]
        return found if isinstance(found, dict) else {}


def metric_fingerprint(setup: MetricSetup) -> str:
    """Return sixteen hex digits that differ whenever a metric may give other numbers.

    Code, settings, digests of weights, versions of packages, and the level at which it hears are in it.
    """
    return fingerprint_of(setup.identity)


class OperatorSetups(Protocol):
    """What a config comes to: models that restore, and metrics."""

    @property
    def restorers(self) -> Sequence[RestorerSetup]:
        """The models."""
        ...

    @property
    def metrics(self) -> Sequence[MetricSetup]:
        """The metrics."""
        ...


def model_facts_of(run: OperatorSetups) -> tuple[ModelFacts, ...]:
    """Return the restoration models of a run."""
    return tuple(_model(setup) for setup in run.restorers)


def metric_facts_of(run: OperatorSetups) -> tuple[MetricFacts, ...]:
    """Return the metrics of a run."""
    return tuple(_metric(setup) for setup in run.metrics)


def _model(setup: RestorerSetup) -> ModelFacts:
    restorer = setup.restorer
    draws = setup.draws or ({} if restorer.sampling or setup.takes == 1 else restorer.draws)
    fixed = {k: v for k, v in restorer.fingerprint_params.items() if k not in setup.draws}
    return ModelFacts(
        name=setup.name,
        kind=restorer.kind,
        version=restorer.version,
        paradigm=restorer.paradigm,
        takes=setup.takes,
        settings=fixed,
        draws={name: draw.model_dump(mode="json") for name, draw in sorted(draws.items())},
        licences=restorer.licences,
        weights=_weights(with_nested(restorer)),
    )


def _metric(setup: MetricSetup) -> MetricFacts:
    return MetricFacts(
        name=setup.name,
        metric_fingerprint=metric_fingerprint(setup),
        identity=setup.identity,
        licences=setup.metric.licences,
        weights=_weights(with_nested(setup.metric)),
        scores=tuple(
            ScoreFacts(name=name, **output.model_dump(include=set(ScoreFacts.model_fields)))
            for name, output in setup.outputs.items()
        ),
    )


def _weights(operators: Iterable[Operator]) -> tuple[WeightsFacts, ...]:
    return tuple(_weights_facts_of(each) for each in operators if each.weights != Operator.weights)


def _weights_facts_of(operator: Operator) -> WeightsFacts:
    digest = getattr(operator, "sha256", None)
    published = operator.published if isinstance(operator, HasWeights) else None
    if published is not None and digest in {None, published.digest}:
        return WeightsFacts(
            kind=operator.kind, sha256=digest, source=published.source, revision=published.revision
        )
    is_fetched = isinstance(operator, HasWeights) and operator.path is None  # a copy is the user's own
    moving = published.moving if published is not None and is_fetched else ()
    names = tuple(file.name for file in moving)
    return WeightsFacts(kind=operator.kind, sha256=digest, source=operator.weights, unpinned=names)
