"""Candidates of one degraded utterance that are the same recording: the first of them stands for all."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from stages.prefer.comparisons import CandidateScores


def merge_same_audio(candidates: CandidateScores, audio: Sequence[Hashable | None]) -> CandidateScores:
    """Return the candidates without those whose audio an earlier one has, and how many these were.

    ``audio`` tells recordings apart, one entry per candidate; None is like no other.
    """
    first: dict[Hashable, int] = {}
    kept = [
        place
        for place, recording in enumerate(audio)
        if recording is None or first.setdefault(recording, place) == place
    ]
    if len(kept) == len(audio):
        return candidates
    return replace(
        candidates,
        models=tuple(candidates.models[place] for place in kept),
        takes=tuple(candidates.takes[place] for place in kept),
        scores={name: values[kept] for name, values in candidates.scores.items()},
        num_same_audio=len(audio) - len(kept),
    )
