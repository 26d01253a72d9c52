"""Operators: what a degradation, a restorer and a metric is. The one import for operators of your own.

>>> from stages.operators import DEGRADATIONS, Degradation, Uniform, Waveform

An operator is a frozen record of settings with a kind, a version, its licence (``licences``), its costs
and what it needs of a machine (``operator``); a family is a ``Registry``, and its members register
themselves. A new one is a ``degradation``, a ``restorer`` (``unbatched_restorer`` if it takes one recording
at a time) or a ``metric`` (``metric_bases`` has three shapes; most metrics are one of them).
Parameters are drawn from distributions, which are data (``distributions``, ``distribution_forms``), by
streams of randomness that have names (``rng``). A user's own modules travel to every worker as source
(``user_modules``).
"""

from schemas import BrokenError, Outcome, Reason, UnfitError
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import (
    Buckets,
    Constant,
    Distribution,
    FromPool,
    Integer,
    LogUniform,
    OneOf,
    SeveralFromPool,
    Uniform,
)
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Metric, Output
from stages.operators.metric_bases import EmbeddingMetric, FullReferenceMetric, NoReferenceMetric
from stages.operators.operator import Operator, Resources
from stages.operators.restorer import RESTORERS, MixedPrecision, Restorer
from stages.operators.rng import rng_for
from stages.operators.unbatched_restorer import UnbatchedRestorer

__all__ = [
    "DEGRADATIONS",
    "METRICS",
    "RESTORERS",
    "Aspect",
    "AudioSource",
    "Better",
    "BrokenError",
    "Buckets",
    "Comparison",
    "Constant",
    "Degradation",
    "Distribution",
    "EmbeddingMetric",
    "FromPool",
    "FullReferenceMetric",
    "Integer",
    "LogUniform",
    "Measured",
    "Metric",
    "MixedPrecision",
    "NoReferenceMetric",
    "OneOf",
    "Operator",
    "Outcome",
    "Output",
    "Reason",
    "Resources",
    "Restorer",
    "Samples",
    "Scene",
    "SeveralFromPool",
    "UnbatchedRestorer",
    "UnfitError",
    "Uniform",
    "Waveform",
    "rng_for",
]
