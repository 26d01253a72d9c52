"""Packet loss: which packets of a stream never arrive, and what a receiver plays in their place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Samples

Lost = NDArray[np.bool_]
"""One entry per packet, true where it is lost."""


def draw_independent(rng: np.random.Generator, num_packets: int, loss_rate: float) -> Lost:
    """Return losses that know nothing of one another (Bernoulli)."""
    return np.asarray(rng.random(num_packets) < loss_rate)


def draw_bursts(rng: np.random.Generator, num_packets: int, loss_rate: float, longest: int) -> Lost:
    """Return ``round(loss_rate · num_packets)`` losses in separate bursts of 1 to ``longest``, all as likely.

    Where the losses leave too few packets to keep the bursts apart, bursts are as long as allowed. After
    ``longest`` lost packets one arrives all the same: no more are lost than that leaves.
    """
    wanted = min(round(loss_rate * num_packets), num_packets - num_packets // (longest + 1))
    slots = num_packets - wanted + 1
    lengths = _draw_lengths(rng, wanted, longest)
    if lengths.size > slots:
        lengths = np.diff(np.append(np.arange(0, wanted, longest), wanted))
    places = np.sort(rng.choice(slots, lengths.size, replace=False))
    lost = np.zeros(num_packets, dtype=np.bool_)
    for start, length in zip(places + np.cumsum(lengths) - lengths, lengths, strict=True):
        lost[start : start + length] = True
    return lost


def draw_gilbert_elliott(
    rng: np.random.Generator,
    num_packets: int,
    transitions: tuple[float, float],
    losses: tuple[float, float],
) -> Lost:
    """Return losses of a channel that is good or bad (Gilbert 1960, Elliott 1963), met in its usual state.

    ``transitions`` are the probabilities of good to bad and of bad to good from one packet to the next,
    ``losses`` those of losing a packet while it is good and while it is bad.
    """
    good_to_bad, bad_to_good = transitions
    leaves = {False: good_to_bad, True: bad_to_good}
    moves, fates = rng.random(num_packets), rng.random(num_packets)
    bad = bool(rng.random() < good_to_bad / (good_to_bad + bad_to_good))
    states = np.zeros(num_packets, dtype=np.bool_)
    for place, move in enumerate(moves):
        states[place] = bad
        bad ^= bool(move < leaves[bad])
    return np.asarray(fates < np.where(states, losses[1], losses[0]))


def draw_from_trace(rng: np.random.Generator, num_packets: int, runs: Sequence[int]) -> Lost:
    """Return what was observed, from a random place on and again from the start where it ends.

    ``runs`` count packets that arrived, were lost, arrived, and so on.
    """
    pattern = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    start = int(rng.integers(pattern.size))
    return np.asarray(np.take(pattern, np.arange(start, start + num_packets), mode="wrap"))


def read_trace(path: Path) -> tuple[int, ...]:
    """Return the run lengths of a file with one 0 (arrived) or 1 (lost) per packet; blanks do not count.

    Raises ``ValueError`` if it cannot be read or holds anything else.
    """
    try:
        marks = "".join(path.read_text(encoding="ascii").split())
    except OSError as error:
        raise ValueError(f"the trace {path} cannot be read: {error.strerror}") from error
    if not marks or set(marks) - {"0", "1"}:
        raise ValueError(f"the trace {path} should hold a 0 or a 1 for each packet and nothing else")
    return run_lengths(np.array([mark == "1" for mark in marks]))


def limit_runs(lost: Lost, longest: int) -> Lost:
    """Return the losses without those that would make a run longer than ``longest``."""
    kept = lost.copy()
    run = 0
    for place, gone in enumerate(lost):
        run = run + 1 if gone else 0
        if run > longest:
            kept[place], run = False, 0
    return kept


def run_lengths(lost: Lost) -> tuple[int, ...]:
    """Return the lengths of runs: packets that arrived (it may be 0), were lost, arrived, and so on."""
    turns = np.flatnonzero(np.diff(lost, prepend=False))
    return tuple(int(length) for length in np.diff(turns, prepend=0, append=lost.size))


def packet_bounds_of(num_samples: int, packet_samples: float) -> NDArray[np.int64]:
    """Return where packets begin, and where the last one, which may be short, ends."""
    starts = np.round(np.arange(0.0, num_samples / packet_samples) * packet_samples).astype(np.int64)
    return np.append(starts[starts < num_samples], num_samples)


def silence_lost(samples: Samples, lost: Lost, bounds: NDArray[np.int64]) -> Samples:
    """Return ``samples`` with silence where packets are lost."""
    return np.where(np.repeat(lost, np.diff(bounds)), np.float32(0.0), samples)


def repeat_last(samples: Samples, lost: Lost, bounds: NDArray[np.int64], fade_samples: int) -> Samples:
    """Return ``samples`` with the last packet that arrived in place of lost ones, faded to nothing.

    Before the first packet there is silence. The packet is repeated whatever its pitch.
    """
    filled = silence_lost(samples, lost, bounds)
    fade = np.maximum(0.0, 1.0 - np.arange(samples.size) / max(1, fade_samples)).astype(np.float32)
    ends = np.cumsum(run_lengths(lost))
    for first, last in zip(ends[0:-1:2], ends[1::2], strict=False):
        if first > 0:
            start, stop = bounds[first], bounds[last]
            packet = samples[bounds[first - 1] : start]
            filled[start:stop] = np.resize(packet, stop - start) * fade[: stop - start]
    return filled


def _draw_lengths(rng: np.random.Generator, total: int, longest: int) -> NDArray[np.int64]:
    """Return lengths from 1 to ``longest`` that add up to ``total``, the last one cut to fit."""
    drawn = rng.integers(1, longest, size=max(1, total), endpoint=True)
    ends = np.minimum(np.cumsum(drawn), total)
    lengths = np.diff(ends, prepend=0)
    return lengths[lengths > 0]
