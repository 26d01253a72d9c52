"""The root of every schema: immutable, closed to unknown fields, named by its content."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue


def fingerprint_of(value: Any) -> str:
    """Return sixteen hex digits that differ whenever the JSON form of ``value`` differs."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class Record(BaseModel):
    """A value that cannot change, whose fingerprint is a function of its fields alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that differ whenever any field differs."""
        return fingerprint_of(self.model_dump(mode="json"))


Params = dict[str, JsonValue]


class OperatorSpec(Record):
    """One operator, one version of its code, one setting of its parameters."""

    kind: str
    version: int
    params: Params = {}
