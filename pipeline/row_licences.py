"""Under which licence a row of the dataset is: the most restrictive one of all that went into it."""

from collections.abc import Mapping
from functools import cached_property

from pipeline.graph import Graph
from pipeline.nested import network_licences
from pipeline.store import TableStore
from schemas import Pair, PoolRecording, Recipe
from schemas.licences import most_restrictive
from stages.chain import places_of
from stages.degradations import DEGRADATIONS
from stages.weight_places import with_places


class Licences:
    """Looks up the licences of speech, of recordings of pools, and of networks."""

    def __init__(self, graph: Graph, store: TableStore) -> None:
        self._graph = graph
        self._store = store
        self._places = places_of(graph.plan.chain)
        self._of_models = {
            table.setup.name: network_licences(table.setup.restorer) for table in graph.restores
        }

    def of(self, recipe: Recipe, pair: Pair) -> str:
        """Return the licence of a row: speech, noise, responses, both models, networks among the steps."""
        recordings = [self._of_recordings[ref.pool, ref.id] for ref in recipe.sources]
        operators = [DEGRADATIONS.build(with_places(step, self._places)) for step in recipe.steps]
        steps = [licence for operator in operators for licence in network_licences(operator)]
        models = self._of_models[pair.chosen_model] + self._of_models[pair.rejected_model]
        return most_restrictive([recipe.licence, *recordings, *steps, *models])

    @cached_property
    def _of_recordings(self) -> Mapping[tuple[str, str], str | None]:
        return {
            (table.pool, row.id): row.licence
            for table in self._graph.pools
            for shard in table.shards
            for row in self._store.read(table.folder, shard.name, PoolRecording, audio=False)
        }
