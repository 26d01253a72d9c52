"""What the tables of a run are called in SQL, and their columns: rows of rows are laid flat."""

_TABLE = "regexp_replace(folder, '-[0-9a-f]{16}$', '')"

VIEWS = {
    "recipes": """
        SELECT id, utterance_id, source_id, corpus, repeat, split, speaker, transcript, language, licence,
               sample_rate, num_samples / sample_rate AS duration_s, bandwidth_hz, steps, shard
        FROM plan_rows""",
    "degraded": "SELECT id, status, reason, detail, joint_gain_db, applied, shard FROM degrade_rows",
    "takes": """
        SELECT id, model, t.take, t.status, t.reason, t.detail, t.settings, t.lag_samples,
               t.length_change_s, t.level_gain_db, folder, shard
        FROM (SELECT *, unnest(takes) AS t FROM restore_rows)""",
    "scores": """
        SELECT id, model, t.take, s.name, s.value, s.status, s.reason, s.detail, folder, shard
        FROM (SELECT *, unnest(t.scores) AS s FROM (SELECT *, unnest(takes) AS t FROM score_rows))""",
    "pairs": """
        SELECT id || '/' || number AS pair_id, id, number, p.chosen_model, p.chosen_take,
               p.rejected_model, p.rejected_take, p.strength, p.margins, shard
        FROM (SELECT id, shard, unnest(range(len(pairs))) AS number, unnest(pairs) AS p FROM prefer_rows)""",
    "endings": " UNION ALL ".join(
        f"SELECT {_TABLE} AS table_name, id, status, reason, detail FROM {rows} "  # noqa: S608 - our own names
        "WHERE reason IS NOT NULL AND reason <> 'no_value_upstream'"
        for rows in (
            "ingest_rows",
            "plan_rows",
            "degrade_rows",
            "restore_rows",
            "takes",
            "score_rows",
            "scores",
        )
    ),
}
"""``endings`` are rows, takes and scores without a value, but for those that lack an ancestor's."""
