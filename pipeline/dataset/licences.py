"""Under which licences a row of the dataset is: those of all that went into it, and the most restrictive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from pipeline.config.nested_operators import network_licences_of
from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from schemas import PoolRecording, Recipe
from stages.degradations import DEGRADATIONS
from stages.operators.licences import most_restrictive_of
from stages.plan.chain import places_of
from stages.weights.locations import with_paths


class LicensedPart(NamedTuple):
    """Something that went into a row, and its licence; None where nobody states one."""

    part: str
    """``speech``, ``pool``, ``step`` or ``model``."""
    name: str
    licence: str | None


class Licences:
    """Looks up the licences of speech, of recordings of pools, and of networks."""

    def __init__(self, graph: Graph, store: TableStore) -> None:
        self._graph = graph
        self._store = store
        self._places = places_of(graph.plan.chain)
        self._of_models = {
            table.setup.name: network_licences_of(table.setup.restorer) for table in graph.restores
        }

    def of_recipe(self, recipe: Recipe) -> list[LicensedPart]:
        """Return the speech, the noise and responses, and the networks among the steps.

        Filters are not among them: they leave nothing of themselves behind.
        """
        recordings = [
            LicensedPart("pool", f"{r.pool}:{r.id}", self._of_recordings[r.pool, r.id])
            for r in recipe.sources
        ]
        return [LicensedPart("speech", recipe.corpus, recipe.licence), *recordings, *self._of_steps(recipe)]

    def of_models(self, models: Iterable[str]) -> list[LicensedPart]:
        """Return the networks of restoration models."""
        return [
            LicensedPart("model", model, licence) for model in models for licence in self._of_models[model]
        ]

    def _of_steps(self, recipe: Recipe) -> Iterator[LicensedPart]:
        for step in recipe.steps:
            operator = DEGRADATIONS.build(with_paths(step, self._places))
            yield from (LicensedPart("step", step.kind, licence) for licence in network_licences_of(operator))

    @cached_property
    def _of_recordings(self) -> Mapping[tuple[str, str], str | None]:
        return {
            (table.pool, row.id): row.licence
            for table in self._graph.pools
            for shard in table.shards
            for row in self._store.read(table.folder, shard.name, PoolRecording, audio=False)
        }


def strictest_of(parts: Sequence[LicensedPart]) -> str:
    """Return what a row is under: the most restrictive licence of its parts."""
    return most_restrictive_of(part.licence for part in parts)
