"""The panel over audio that is there already: scores with reasons, and rewards made of them.

``panel`` scores audio in memory, by the stage and in the batches of a run, so the numbers are a run's;
``rewards`` makes rewards of scores that are safe where some are missing. Of files, ``score_rows`` says
what is written of them; which belong together, ``pipeline/sources`` knows.
"""

from pipeline.panel.panel import Panel, PanelScores
from pipeline.panel.rewards import group_advantages

__all__ = ["Panel", "PanelScores", "group_advantages"]
