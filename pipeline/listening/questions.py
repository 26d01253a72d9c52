"""What can be compared by ear in a run, as far as it is: kept pairs, and restorations drawn by chance."""

from collections import defaultdict

from pipeline.listening.trials import StimulusPair
from pipeline.listening.votes import Origin, Stimulus
from pipeline.tables.sql import RunTables
from schemas.rows import CLEAN

_DAMAGED = "degraded"
"""What the damaged input goes by where a model's name would be."""
_MOST = 2_000
"""Comparisons of each origin that are offered: more than anybody listens to."""
_HEARD = """
    SELECT id, model, t.take AS take, t.audio.digest AS digest,
           substr(md5('listening' || id), 1, 1) < '8' AS is_for_pairs
    FROM (SELECT id, model, unnest(takes) AS t FROM restore_rows)
    WHERE t.audio.digest IS NOT NULL AND model <> 'clean'"""
"""Half of the degraded utterances are asked about by their pairs, the other half by what is drawn: so the
metrics have no say in what is drawn."""
_PAIRS = f"""
    WITH heard AS ({_HEARD})
    SELECT pair_id AS question, heard.id, model, take, digest
    FROM pairs JOIN heard ON heard.id = pairs.id
        AND (model, take) IN ((chosen_model, chosen_take), (rejected_model, rejected_take))
    WHERE is_for_pairs ORDER BY md5(pair_id), pair_id LIMIT 2 * {_MOST}"""  # noqa: S608 - nothing of a user's
_DRAWN = f"""
    WITH heard AS ({_HEARD}),
    distinct_ones AS (SELECT DISTINCT ON (id, digest) * FROM heard ORDER BY id, digest, model, take),
    placed AS (SELECT *, row_number() OVER (PARTITION BY id ORDER BY md5(concat(id, model, take))) AS place
               FROM distinct_ones WHERE NOT is_for_pairs)
    SELECT id AS question, id, model, take, digest FROM placed WHERE place <= 2
    ORDER BY md5(id), id LIMIT 2 * {_MOST}"""  # noqa: S608 - nothing of a user's

_REFERENCES = f"""
    SELECT id AS question, id, side AS model, 0 AS take, digest
    FROM (SELECT id, '{CLEAN}' AS side, clean.digest AS digest FROM degrade_rows
          UNION ALL SELECT id, '{_DAMAGED}', degraded.digest FROM degrade_rows)
    WHERE digest IS NOT NULL ORDER BY md5('reference' || id), id LIMIT {_MOST}"""  # noqa: S608 - nothing of a user's


def stimulus_pairs_of(tables: RunTables) -> list[StimulusPair]:
    """Return what there is to compare in the finished shards, without restorations that are the same."""
    return [*_query_pairs(tables, _PAIRS, Origin.PAIR), *_query_pairs(tables, _DRAWN, Origin.DRAWN)]


def reference_pairs_of(tables: RunTables) -> list[StimulusPair]:
    """Return the clean speech beside the damaged input: a listener who hears no difference hears nothing."""
    return _query_pairs(tables, _REFERENCES, Origin.DRAWN)


def _query_pairs(tables: RunTables, query: str, origin: Origin) -> list[StimulusPair]:
    rows: dict[str, str] = {}
    sides: defaultdict[str, set[Stimulus]] = defaultdict(set)
    for found in tables.rows(query):
        rows[found["question"]] = found["id"]
        side = Stimulus(model=found["model"], take=found["take"], digest=found["digest"])
        sides[found["question"]].add(side)
    return [
        StimulusPair(rows[question], frozenset(two), origin)
        for question, two in sides.items()
        if len({side.digest for side in two}) == 2  # noqa: PLR2004 - two sides
    ]
