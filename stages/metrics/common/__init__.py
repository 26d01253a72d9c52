"""What several metrics share, and no metric by itself.

The three shapes of a metric are in ``bases``: it hears the candidate alone, embeds both sides and compares,
or compares with the clean reference. Beside them what families of measures have in common: envelopes and
their correlations, fundamental frequency, speaker embeddings, word errors, time warping, ratios of
energies.
"""
