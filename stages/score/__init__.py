"""Score: one metric's opinion of every take of one model.

``inputs`` brings stored audio to the metric's rate, level and length, once for all takes; ``stage`` asks
the metric in batches; ``rows`` turns values and reasons into the row of the record. A metric that calls
code which can crash or hang runs in a process of its own (``isolated_metric``): its crash is one record's
reason, not the run's end.
"""

from stages.score.stage import SCORING_LEVEL_DB, VERSION, ScoreInput, ScoreStage

__all__ = ["SCORING_LEVEL_DB", "VERSION", "ScoreInput", "ScoreStage"]
