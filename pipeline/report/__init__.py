"""Report: one HTML file on a run, that opens anywhere: numbers, charts, and pairs to hear.

``snapshot`` is a run at one moment; ``sections`` makes facts of it, ``charts`` figures, ``pages`` and
``filters`` the page. ``pairs``, ``pair_cards``, ``clips`` and ``recordings`` choose what can be heard;
``costs`` and ``failures`` say what it took and what went wrong. The dashboard serves the same views live.
"""
