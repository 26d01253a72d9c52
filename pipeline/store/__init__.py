"""Store: the only code that opens, lists, writes or removes a file of a table or a dataset.

``files`` is the door: a handful of operations on whole files, with one class per kind of storage
(``local_files``, ``memory_files``, ``object_files``). Over it lie tables (``table_store``: one Parquet
file is one table × one shard is one commit), files of records (``record_file``), the schemas of records
(``arrow``) and of datasets (``dataset_columns``), how rows ended (``missing_values``) and the workspace with
its lock (``workspace``).

What is appended to, or opened by people, is in folders: a worker's notes (``journal``), logs of lines
(``line_log``), and the dataset (``dataset_files``, written by ``parquet_draft``). At a URL there are no
folders: ``object_workspace`` has the same of objects. ``workspaces`` tells by a name which one is meant.
"""
