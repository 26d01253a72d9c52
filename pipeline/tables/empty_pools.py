"""Sides of the split on which a pool has nothing, though speech is there: said before a run stops at them."""

from collections import Counter
from collections.abc import Iterator

from pipeline.tables.graph import Graph
from pipeline.text import count
from schemas import Source, Split
from stages.ingest.splits import side_of


def empty_pool_warnings(graph: Graph) -> Iterator[str]:
    """Yield a warning for each pool and each side where what draws from the pool would find nothing.

    Which recordings can be used is not known before they are decoded: there may be more such sides.
    """
    speech = [source for shard in graph.shards for source in shard.sources if _may_serve(source)]
    there = Counter(side_of(source, graph.ingest.settings.splits) for source in speech)
    for pool in dict.fromkeys(table.pool for table in graph.pools):
        held = {
            table.side(source)
            for table in graph.pools
            if table.pool == pool
            for shard in table.shards
            for source in shard.sources
            if _may_serve(source)
        }
        for side in Split:
            if there[side] and side not in held:
                yield (
                    f"warning: pool {pool!r} has nothing on the {side} side of the split, where "
                    f"{there[side]:,} of {count(len(speech), 'recording')} of speech are; a run stops when "
                    "it draws from it there: add recordings, or give that side no share in 'ingest.splits'"
                )


def _may_serve(source: Source) -> bool:
    return bool(source.content) and source.licence_allowed and source.duplicate_of is None
