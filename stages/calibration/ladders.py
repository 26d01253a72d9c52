"""Ladders: one utterance damaged more and more, to see whether a metric notices that it gets worse.

Six are built from degradations; on the last two, more and more of the utterance is replaced by other words
of its speaker, or by another speaker. Every draw comes from a stream named by utterance and ladder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stages.audio.level import from_db
from stages.audio.loudness import active_level_db
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.degradations.bandwidth import Bandwidth
from stages.degradations.clipping import Clipping
from stages.degradations.codec import Codec
from stages.degradations.noise import Noise
from stages.degradations.packet_loss import PacketLoss
from stages.degradations.reverb import Reverb
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.mixing import stretch_of
from stages.dsp.noise import synthesise
from stages.dsp.rooms import RoomRanges, simulate_room
from stages.operators.rng import rng_for

SHARES_PERCENT = (10.0, 25.0, 50.0, 75.0, 100.0)
_SEAM_S = 0.01
HALL = {"length_m": (18.0, 18.0), "width_m": (14.0, 14.0), "height_m": (8.0, 8.0)}
"""Large enough for reflections of few orders to ring for a second and a half."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clean utterance."""

    id: str
    waveform: Waveform
    speaker: str | None = None
    transcript: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Foot:
    """Where a ladder stands: the utterance, and others to take words and voices from, where there are any."""

    spoken: Spoken
    same_speaker: Waveform | None
    other_speaker: Waveform | None


def split_by_speaker(place: int, speakers: Sequence[str | None]) -> tuple[list[int], list[int]]:
    """Return the places of others by the same speaker, and by other speakers: the next first, around the end.

    Of who is not known nobody can say either.
    """
    speaker, after = speakers[place], [*range(place + 1, len(speakers)), *range(place)]
    known = [other for other in after if None not in {speaker, speakers[other]}]
    same = [other for other in known if speakers[other] == speaker]
    return same, [other for other in known if speakers[other] != speaker]


@dataclass(frozen=True, slots=True)
class Ladder:
    """A kind of damage, from hardly audible to grave."""

    name: str
    unit: str
    steps: tuple[float, ...]
    damaged: Callable[[Foot, float], Waveform | None]
    """The utterance at one step; None if there is nobody to replace it with."""

    def versions_of(self, foot: Foot) -> list[Waveform]:
        """Return the utterance at every step, the mildest first; none if it cannot be damaged this way."""
        waveforms = [self.damaged(foot, step) for step in self.steps]
        return [waveform for waveform in waveforms if waveform is not None]


def _add_noise(foot: Foot, snr_db: float) -> Waveform:
    speech, sources = foot.spoken.waveform, MemoryAudioSource()
    pink = synthesise(
        "pink", rng_for(0, "ladder", foot.spoken.id), speech.duration_s + 1.0, speech.sample_rate
    )
    noise = sources.add("noise", "pink", pink)
    return Noise(noise=noise, offset_fraction=0.0, snr_db=snr_db).apply(speech, sources)


def _add_hall(foot: Foot, rt60_s: float) -> Waveform:
    speech, sources = foot.spoken.waveform, MemoryAudioSource()
    response, direct_path_sample = _simulate_hall(rt60_s, speech.sample_rate)
    reference = sources.add("rir", "hall", response, {"direct_path_sample": direct_path_sample})
    return Reverb(response=reference, target="dry").apply(speech, sources)


@lru_cache(maxsize=16)
def _simulate_hall(rt60_s: float, sample_rate: int) -> tuple[Waveform, float]:
    """Return the response of the same hall with other walls, and when its direct sound comes."""
    ranges = RoomRanges(**HALL, rt60_s=(rt60_s, rt60_s))
    response, facts = simulate_room(rng_for(0, "ladder", "hall"), sample_rate, ranges)
    return response, facts["direct_path_sample"]


def _clip(foot: Foot, percent: float) -> Waveform:
    return Clipping(clipped_fraction=percent / 100.0).apply(foot.spoken.waveform, MemoryAudioSource())


def _limit_band(foot: Foot, bandwidth_khz: float) -> Waveform:
    limit = Bandwidth(sample_rate_hz=round(2_000 * bandwidth_khz))
    return limit.apply(foot.spoken.waveform, MemoryAudioSource())


def _encode_decode(foot: Foot, bitrate_kbps: float) -> Waveform:
    codec = Codec(codec="opus", bitrate_kbps=bitrate_kbps)
    return codec.apply(foot.spoken.waveform, MemoryAudioSource())


def _lose_packets(foot: Foot, percent: float) -> Waveform:
    seed = int(rng_for(0, "ladder", "loss", foot.spoken.id).integers(2**31))
    loss = PacketLoss(model="bernoulli", loss_rate=percent / 100.0, seed=seed)
    return loss.apply(foot.spoken.waveform, MemoryAudioSource())


def _splice_other_words(foot: Foot, percent: float) -> Waveform | None:
    return (
        None
        if foot.same_speaker is None
        else splice_speakers(foot.spoken.waveform, foot.same_speaker, percent)
    )


def _splice_other_speaker(foot: Foot, percent: float) -> Waveform | None:
    return (
        None
        if foot.other_speaker is None
        else splice_speakers(foot.spoken.waveform, foot.other_speaker, percent)
    )


def splice_speakers(speech: Waveform, other: Waveform, percent: float) -> Waveform:
    """Return ``speech`` with ``percent`` of it, in its middle, replaced by ``other`` at the same level."""
    length = round(percent / 100.0 * speech.samples.size)
    start = (speech.samples.size - length) // 2
    there = resample(other, speech.sample_rate)
    gain_db = active_level_db(speech.samples, speech.sample_rate) - active_level_db(
        there.samples, speech.sample_rate
    )
    stretch, _ = stretch_of(there.samples, 0.5, length, speech.sample_rate)
    share = np.zeros(speech.samples.size)
    share[start : start + length] = 1.0
    seam = max(1, round(_SEAM_S * speech.sample_rate))
    share = np.convolve(share, np.full(seam, 1.0 / seam), mode="same")
    placed = np.zeros(speech.samples.size)
    placed[start : start + length] = stretch * from_db(gain_db)
    return speech.with_samples((1.0 - share) * speech.samples + share * placed)


LADDERS = (
    Ladder("SNR", "dB", (30.0, 20.0, 10.0, 0.0, -10.0), _add_noise),
    Ladder("T60", "s", (0.3, 0.5, 0.8, 1.1, 1.4), _add_hall),
    Ladder("clipping", "% of samples", (1.0, 5.0, 15.0, 35.0, 70.0), _clip),
    Ladder("bandwidth", "kHz", (6.0, 4.0, 3.0, 2.0, 1.0), _limit_band),
    Ladder("bitrate", "kbit/s Opus", (32.0, 20.0, 14.0, 10.0, 6.0), _encode_decode),
    Ladder("packet loss", "%", (2.0, 5.0, 10.0, 20.0, 40.0), _lose_packets),
    Ladder("other words", "%", SHARES_PERCENT, _splice_other_words),
    Ladder("other speaker", "%", SHARES_PERCENT, _splice_other_speaker),
)
"""Each step far enough from the last that whoever listens hears the difference."""
