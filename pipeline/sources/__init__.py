"""Sources: recordings as people have them, listed and measured from outside.

Speech, noise and responses come from folders and globs (``folders``), CSV and JSONL manifests
(``manifests``) and datasets on disk (``saved_datasets``); ``corpora`` lists them in one order on every
machine. Files are known by digests that are remembered (``stamps``); recordings are put into shards for
good (``shards``); ``audio`` opens them.
"""
