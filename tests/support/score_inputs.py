"""Records as the score stage meets them."""

from collections.abc import Sequence

from schemas import Degraded, Reason, Recipe, Restored, Split, Status, Take
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.score.stage import ScoreInput


def score_input(clean: Waveform, *candidates: Waveform, name: str = "a", **said: str | None) -> ScoreInput:
    """Return one degraded utterance with one take for each candidate; ``said`` as ``with_takes`` takes it."""
    takes = [Take(take=place, audio=encode_flac(candidate)) for place, candidate in enumerate(candidates)]
    return with_takes(clean, takes, name=name, **said)


def with_takes(
    clean: Waveform,
    takes: Sequence[Take],
    *,
    name: str = "a",
    transcript: str | None = None,
    language: str | None = None,
) -> ScoreInput:
    """Return one degraded utterance with these takes."""
    recipe = Recipe(
        id=name,
        utterance_id=name,
        source_id=name,
        corpus="test",
        repeat=0,
        split=Split.TRAIN,
        transcript=transcript,
        language=language,
        sample_rate=clean.sample_rate,
        num_samples=clean.samples.size,
        bandwidth_hz=clean.sample_rate / 2,
        steps=(),
        sources=(),
    )
    stored = encode_flac(clean)
    degraded = Degraded(id=name, degraded=stored, clean=stored)
    return ScoreInput(recipe, degraded, Restored(id=name, model="m", takes=tuple(takes)))


def without_audio(place: int, reason: Reason) -> Take:
    """Return a take that has no audio for ``reason``."""
    return Take(take=place, status=Status.SKIPPED, reason=reason)
