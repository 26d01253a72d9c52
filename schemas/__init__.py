"""What flows through Unanimous: frozen Pydantic records, and nothing that computes.

``record`` is what all of them are; ``source`` is what comes in, ``audio`` how it is held, ``rows`` what
each stage makes of it. ``outcome`` says how a row ended: a value, or a reason from a closed list;
``errors`` is the tree of what can be raised; ``field_docs`` is what fields say of themselves.
"""

from schemas.audio import AudioRef, Digest, EncodedAudio, SampleRate
from schemas.errors import (
    BrokenError,
    BudgetExceededError,
    ConfigError,
    DamagedFileError,
    IntegrityError,
    MissingWeightsError,
    RecordError,
    RunError,
    UnanimousError,
    UnfitError,
    UnknownOperatorError,
    UserError,
    WorkspaceError,
)
from schemas.outcome import NONDETERMINISTIC, Outcome, Reason, Row, Status
from schemas.record import OperatorSpec, Params, Record, fingerprint_of
from schemas.rows import (
    AppliedStep,
    ComparisonCounts,
    Degraded,
    Fact,
    Given,
    Margin,
    Pair,
    Preference,
    Recipe,
    Removal,
    Restored,
    Score,
    Scored,
    Take,
    TakeScores,
)
from schemas.source import Ingested, PoolRecording, Probe, Segment, Source, Split

__all__ = [
    "NONDETERMINISTIC",
    "AppliedStep",
    "AudioRef",
    "BrokenError",
    "BudgetExceededError",
    "ComparisonCounts",
    "ConfigError",
    "DamagedFileError",
    "Degraded",
    "Digest",
    "EncodedAudio",
    "Fact",
    "Given",
    "Ingested",
    "IntegrityError",
    "Margin",
    "MissingWeightsError",
    "OperatorSpec",
    "Outcome",
    "Pair",
    "Params",
    "PoolRecording",
    "Preference",
    "Probe",
    "Reason",
    "Recipe",
    "Record",
    "RecordError",
    "Removal",
    "Restored",
    "Row",
    "RunError",
    "SampleRate",
    "Score",
    "Scored",
    "Segment",
    "Source",
    "Split",
    "Status",
    "Take",
    "TakeScores",
    "UnanimousError",
    "UnfitError",
    "UnknownOperatorError",
    "UserError",
    "WorkspaceError",
    "fingerprint_of",
]
