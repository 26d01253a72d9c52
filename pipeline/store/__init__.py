"""Store: the only code that opens, lists, writes or removes a file of a table or a dataset.

``files`` is the door: a handful of operations on whole files, over a small protocol with one class per kind
of storage. Over it lie tables (``table_store``: one Parquet file is one table × one shard is one commit),
the schemas of records (``arrow``) and of datasets (``dataset_columns``), what a worker notes while it works
(``journal``), how rows ended (``missing_values``) and the workspace with its lock (``workspace``).
"""
