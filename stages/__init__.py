"""What is done to speech: six stages, three families of operators, and the toolboxes they share.

A stage is one verb, one folder: ``ingest``, ``plan``, ``degrade``, ``restore``, ``score``, ``prefer``; each
takes one record and returns one record, which holds a value or the reason why there is none.
``calibration`` asks whether a metric may vote. The families ``degradations``, ``restorers`` and ``metrics``
hold one operator per file, named after its kind. ``operators`` says what each kind of operator is;
``audio``, ``dsp``, ``networks``, ``weights`` and ``runtime`` are tools. Nothing here knows of paths,
tables, Parquet or Ray, and importing it loads no torch.
"""
