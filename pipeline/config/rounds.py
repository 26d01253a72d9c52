"""Rounds: models are trained on the pairs of one run and restore in the next; what a run knows of others.

A workspace keeps what its round began after, so that it ends as it began, whatever becomes of the one before.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from pydantic import ValidationError

from pipeline.store.files import StoredFile
from schemas import Record, WorkspaceError

STALE_ROUNDS = 2
"""A policy that is so many rounds old or older is marked: its takes are no longer what is being trained."""


class RoundModel(Record):
    """A restoration model as it was in one round, and how it fared."""

    name: str
    model_fingerprint: str
    has_weights: bool
    """What has none cannot be trained."""
    candidates: int = 0
    chosen: int = 0
    rejected: int = 0
    means: dict[str, float] = {}
    """Of each score over its candidates."""


class RoundSummary(Record):
    """What a round came to."""

    number: int
    key: str
    """Of its dataset."""
    name: str
    config_hash: str
    models: tuple[RoundModel, ...]
    comparisons: int
    unanimous: int
    pairs: int
    judges: dict[str, float] = {}
    """In what share of the pairs the chosen side is better, by each score that did not choose."""


class Lineage(Record):
    """The rounds before a run, the first one first."""

    earlier: tuple[RoundSummary, ...] = ()
    policies: tuple[str, ...] = ()
    """Restorers of this round that are said to be trained between rounds."""

    @property
    def number(self) -> int:
        """Which round this is; the first is 0."""
        return len(self.earlier)

    @property
    def parent(self) -> str | None:
        """The key of the dataset of the round before; None in the first round."""
        return self.earlier[-1].key if self.earlier else None

    @property
    def key(self) -> list[object]:
        """All of it that a dataset depends on: not what earlier rounds came to."""
        models = [
            [[m.name, m.model_fingerprint, m.has_weights] for m in each.models] for each in self.earlier
        ]
        return [[each.key for each in self.earlier], models, list(self.policies)]

    def first_round_of(self, fingerprint: str) -> int:
        """Return the first round that had this very model; this one if none before had it."""
        had = (
            each.number for each in self.earlier if fingerprint in {m.model_fingerprint for m in each.models}
        )
        return min(had, default=self.number)

    def stale_models(self, models: Sequence[RoundModel]) -> frozenset[str]:
        """Return the names of those of this round's models that are policies as they were two rounds ago."""
        policies = self._policies_among(models)
        old = {
            m.name for m in models if self.number - self.first_round_of(m.model_fingerprint) >= STALE_ROUNDS
        }
        return frozenset(m.name for m in models if m.name in old and m.model_fingerprint in policies)

    def _policies_among(self, models: Sequence[RoundModel]) -> Collection[str]:
        """Return the fingerprints of all that is trained between rounds, under whatever name."""
        if self.policies:
            return {model.model_fingerprint for model in models if model.name in self.policies}
        versions: defaultdict[str, set[str]] = defaultdict(set)
        for model in self._all_models(models):
            if model.has_weights:
                versions[model.name].add(model.model_fingerprint)
        return {found for each in versions.values() if len(each) > 1 for found in each}

    def _all_models(self, models: Sequence[RoundModel]) -> Iterable[RoundModel]:
        return (*models, *(model for each in self.earlier for model in each.models))


class BegunRound(Record):
    """What a workspace keeps of the round that began in it."""

    of: str
    """The workspace of the round before, where it was then; empty in the first round."""
    lineage: Lineage


def read_round(file: StoredFile) -> BegunRound | None:
    """Return what the round in a workspace began after; None if none has begun.

    Raises ``WorkspaceError`` if it cannot be read.
    """
    content = file.read_if_there()
    try:
        return None if content is None else BegunRound.model_validate_json(content)
    except ValidationError as error:
        raise WorkspaceError(
            f"{file}, which says what this round began after, cannot be read: remove it, and it is looked up "
            "anew"
        ) from error
