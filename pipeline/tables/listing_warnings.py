"""What can be doubted of a listing before anything is decoded: said by ``plan``, and when a run begins."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.config.resolve import ResolvedConfig
from pipeline.sources.corpora import count_passed_over_in
from pipeline.sources.duplicates import duplicate_warnings
from pipeline.sources.first_look import describe_missing, look_at
from pipeline.sources.folders import describe_passed_over
from pipeline.tables.empty_pools import empty_pool_warnings
from pipeline.tables.graph import Graph
from pipeline.tables.pools import RecordedPoolTable
from pipeline.text import count
from schemas import Source
from stages.ingest.splits import side_of

_SHOWN = 3


def listing_warnings(run: ResolvedConfig, graph: Graph) -> Iterator[str]:
    """Yield what is odd about the recordings that were found."""
    speech = [source for shard in graph.shards for source in shard.sources]
    yield from _missing_warnings(speech)
    yield from _passed_over_warnings(run)
    yield from _shared_warnings(graph, speech)
    yield from duplicate_warnings(speech)
    yield from _empty_side_warnings(graph, speech)
    yield from empty_pool_warnings(graph)


def _missing_warnings(speech: Sequence[Source]) -> Iterator[str]:
    """Yield those that are not where their paths point, and corpora that do not begin with audio."""
    for corpus, sources in _by_corpus(speech).items():
        missing = [source for source in sources if not source.content]
        if missing:
            yield f"warning: corpus {corpus!r}: {describe_missing(missing, len(sources))}"
        there = [source for source in sources if source.content]
        look = look_at(there)
        if look.heard is None and there:
            yield (
                f"warning: corpus {corpus!r}: the first {count(len(look.refused), 'recording')} cannot be "
                f"decoded; {look.why}"
            )


def _by_corpus(sources: Sequence[Source]) -> dict[str, list[Source]]:
    found: defaultdict[str, list[Source]] = defaultdict(list)
    for source in sources:
        found[source.corpus].append(source)
    return found


def _passed_over_warnings(run: ResolvedConfig) -> Iterator[str]:
    """Yield files of folders that may hold speech and are not taken."""
    for corpus in run.config.speech:
        if found := count_passed_over_in(run.path(corpus.path)):
            yield f"warning: corpus {corpus.name!r}{describe_passed_over(found)}"


def _shared_warnings(graph: Graph, speech: Sequence[Source]) -> Iterator[str]:
    """Yield recordings of pools that are taken as clean speech too, unless the pool is the whole corpus."""
    owners = {source.content: source for source in speech if source.content}
    corpora = {source.corpus for source in speech}
    for table in graph.pools:
        if not isinstance(table, RecordedPoolTable):
            continue
        sources = [source for shard in table.shards for source in shard.sources]
        shared = [source for source in sources if source.content in owners and source.corpus not in corpora]
        if shared:
            named = ", ".join(repr(owners[source.content].id) for source in shared[:_SHOWN])
            more = ", …" if len(shared) > _SHOWN else ""
            are = "is" if len(shared) == 1 else "are"
            yield (
                f"warning: {count(len(shared), 'recording')} of pool {table.pool!r} {are} taken as clean "
                f"speech too ({named}{more}): move the pool out of the folder of speech, or list the speech "
                "without it"
            )


def _empty_side_warnings(graph: Graph, speech: Sequence[Source]) -> Iterator[str]:
    """Yield sides of the split that are to have a share and have no speech."""
    splits = graph.ingest.settings.splits
    may_serve = [s for s in speech if s.content and s.licence_allowed and s.duplicate_of is None]
    held = {side_of(source, splits) for source in may_serve}
    empty = [side for side, share in splits.items() if share > 0 and side not in held]
    if not empty or not may_serve:
        return
    speakers = sorted({f"{s.corpus}/{s.speaker}" for s in may_serve if s.speaker is not None})
    named = ", ".join(map(repr, speakers[:_SHOWN])) + (", …" if len(speakers) > _SHOWN else "")
    by = f"by {count(len(speakers), 'speaker')} ({named})" if speakers else "by nobody who is named"
    yield (
        f"warning: no speech is on the {' and '.join(empty)} side of the split, to which 'ingest.splits' "
        f"gives a share: there are {count(len(may_serve), 'recording')} {by}, and a speaker is on one side"
    )
