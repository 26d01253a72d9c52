"""Dataset: from finished tables to what ``datasets.load_dataset`` opens, and back.

``candidates`` reads the tables of a shard side by side, ``rows`` says what the rows of a dataset are,
``writer`` cuts them into files, in the ``background``. ``summary``, ``provenance`` and ``licences`` say what
it is made of, ``card`` tells people; ``description`` is what a dataset says of itself, ``published`` reads
it back, ``hub`` uploads it.
"""
