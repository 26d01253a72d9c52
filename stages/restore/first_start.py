"""The first start of a model on a machine: clean speech through it, and what to think of what comes out.

A network on random weights, or on those of another network, gives samples like any other. What it gives has
nothing to do with what it was given, and this is looked for here: levels over time and frequency, which all
restorations of a recording share with it, however little of its phases they keep.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.audio.bandwidth import bandwidth_hz
from stages.audio.level import rms, to_db
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.restorer import Restorer
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls
from stages.weights.files import cache_directory

LONGEST_S = 5.0
"""Of the speech that is given: a sentence."""
LEAST_LIKENESS = 0.2
"""Speech and other speech of the same length have about 0.1, speech and its restorations 0.5 and more."""
LARGEST_CHANGE_DB = 20.0
LARGEST_DIFFERENCE_S = 0.1
NARROWEST_SHARE = 0.4
"""Of the band that was given and that the model's rate can carry."""
ROUNDING = 1e-3
"""By how much two runs of the same may differ, relative to their level: GPUs add in any order."""
_FRAME_S = 0.02
_BANDS = 24
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 7_000.0
_RANGE_DB = 50.0
_MOST_FRAMES_LATE = 25
log = logging.getLogger("unanimous")


def start_first(model: Restorer, name: str, device: str, speech: Waveform) -> tuple[str, ...]:
    """Log what is suspicious about a model that was loaded, and return it; once on a machine.

    ``speech`` is clean. What was found is kept beside the cache of weights, under what the model is known by
    and the kind of device, and is said again whenever the model starts.
    """
    note = _note_of(model, device)
    if note.is_file():
        found = tuple(json.loads(note.read_text(encoding="utf-8"))["found"])
    else:
        found = tuple(find_suspicious(model, device, speech))
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"model": name, "found": found}), encoding="utf-8")
    for each in found:
        log.warning("%s: %s (first start on this machine; %s keeps it)", name, each, note)
    return found


def find_suspicious(model: Restorer, device: str, speech: Waveform) -> Iterator[str]:
    """Yield what a restoration of clean ``speech`` should not be, and what the model says wrongly of itself.

    Raises what the model raises.
    """
    rate = model.sample_rate or speech.sample_rate
    given = resample(speech.with_samples(speech.samples[: round(LONGEST_S * speech.sample_rate)]), rate)
    calls = ModelCalls(device)
    first, again, other = (
        calls.outputs(model, [given], [rng_for(0, "first start", seed)])[0] for seed in ("one", "one", "two")
    )
    yield from _compare(given, first)
    if _difference(first, again) > ROUNDING:
        yield "it gives something else when it is asked the same with the same seed"
        return
    draws = _difference(first, other) > ROUNDING
    if draws and not model.sampling:
        yield "it says that it does not sample, and gives something else with another seed"
    if model.sampling and not draws:
        yield "it says that it samples, and gives the same with another seed: its takes will be the same"


def likeness(given: Waveform, restored: Waveform) -> float:
    """Return the correlation, -1 to 1, of levels over time in bands; the best over half a second of delay.

    Each band's mean is taken out first, so that only what speech does in time counts, not its colour.
    """
    one, two = (_levels_db(each) for each in (given, restored))
    frames = min(len(one), len(two))
    if frames <= 2 * _MOST_FRAMES_LATE:
        return _correlation(one[:frames], two[:frames])
    pairs = ((one[:frames], two[:frames]), (two[:frames], one[:frames]))
    lags = range(_MOST_FRAMES_LATE + 1)
    return max(_correlation(early[: frames - lag], late[lag:]) for early, late in pairs for lag in lags)


def _compare(given: Waveform, restored: Waveform) -> Iterator[str]:
    if not np.isfinite(restored.samples).all() or rms(restored.samples) == 0.0:
        yield "it makes clean speech into silence, or into no numbers"
        return
    alike = likeness(given, restored)
    if alike < LEAST_LIKENESS:
        yield (
            f"what it makes of clean speech has nothing to do with it (correlation of levels {alike:.2f}): "
            "it looks like a network on random weights"
        )
    change_db = to_db(rms(restored.samples) / rms(given.samples))
    if abs(change_db) > LARGEST_CHANGE_DB:
        yield f"it changes the level of clean speech by {change_db:+.0f} dB"
    difference_s = restored.duration_s - given.duration_s
    if abs(difference_s) > LARGEST_DIFFERENCE_S:
        yield f"what it makes of {given.duration_s:.2f} s is {restored.duration_s:.2f} s long"
    carried_hz, made_hz = (bandwidth_hz(each.samples, each.sample_rate) for each in (given, restored))
    if made_hz < NARROWEST_SHARE * carried_hz:
        yield f"of clean speech up to {carried_hz:.0f} Hz it leaves what is below {made_hz:.0f} Hz"


def _difference(one: Waveform, two: Waveform) -> float:
    """Return the level of the difference relative to the first; infinite for other lengths."""
    if one.samples.shape != two.samples.shape:
        return float("inf")
    return rms(one.samples - two.samples) / max(rms(one.samples), 1e-9)


def _levels_db(waveform: Waveform) -> NDArray[np.float64]:
    """Return (frames, bands) of levels, none further below the loudest than speech is above its room."""
    hop = max(1, round(_FRAME_S * waveform.sample_rate))
    padded = np.pad(waveform.samples, (0, -waveform.samples.size % hop + hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop]
    powers = np.abs(np.fft.rfft(frames * np.hanning(2 * hop), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, 0.45 * waveform.sample_rate), _BANDS + 1)
    edges = np.unique(np.round(edges_hz * 2 * hop / waveform.sample_rate).astype(int))
    bands = np.add.reduceat(powers[:, : edges[-1]], edges[:-1], axis=1)
    loudest = max(float(bands.max()), 1e-20)
    levels_db = 10.0 * np.log10(np.maximum(bands / loudest, 10 ** (-_RANGE_DB / 10)))
    return np.asarray(levels_db - levels_db.mean(axis=0))


def _correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    bands = min(one.shape[1], two.shape[1])
    a, b = one[:, :bands].ravel(), two[:, :bands].ravel()
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return float(np.dot(a, b)) / power if power else 0.0


def _note_of(model: Restorer, device: str) -> Path:
    known = [model.kind, model.version, model.fingerprint_params, device.partition(":")[0]]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()
    return cache_directory() / ".first_starts" / f"{model.kind}-{digest[:16]}.json"
