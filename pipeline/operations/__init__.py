"""Operations on a workspace, each from beginning to end.

``run`` brings a workspace to where a config wants it; ``decide`` makes pairs of finished scores under other
criteria; ``export`` writes the dataset and ``publish`` the audit and report beside it; ``replay`` makes a
published row again; ``calibrate`` measures noise floors on a run's own speech; ``tokens`` turns pairs into
codes. What they print is in ``pipeline.cli``.
"""
