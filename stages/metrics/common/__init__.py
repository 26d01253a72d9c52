"""What several metrics share, and no metric by itself.

Ratios of energies (``distortion_ratio``), envelopes and their correlations (``envelopes``,
``intelligibility``), pitch (``fundamental_frequency``, ``pitch_agreement``), speakers
(``speaker_similarity``), words (``word_error_rate``, ``word_error_metric``) and ``time_warping``. The shapes
of a metric are in ``stages.operators.metric_bases``.
"""
