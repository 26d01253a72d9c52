"""Tables: what a run makes, as a graph of tables cut into shards.

A table (``table``) says where its rows come from, which stage makes them and under which key: its settings
and its true ancestors, and nothing else. ``pools``, ``speech`` and ``scores`` are the tables there are;
``graph`` puts them together from what ``listing`` finds; a ticket is one shard of one table. The other
modules read finished tables, as records, columns or SQL.
"""
