"""Prefer: from scores to pairs, by unanimity.

One candidate is chosen over another only if every criterion favours it beyond its margin (``criteria``, the
readable definition; ``comparisons``, the same for all candidates of an utterance at once). ``pair_rules``
says who is compared and which pairs are kept, ``vetoes`` what a unanimous pair is refused for. A missing
score is no vote, and without every vote there is no pair. What several models made sample for sample is one
candidate (``same_audio``).
"""

from stages.prefer.stage import VERSION, Choice, PreferStage, Rules

__all__ = ["VERSION", "Choice", "PreferStage", "Rules"]
