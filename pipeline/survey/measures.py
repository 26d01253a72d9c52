"""One recording looked at: decoded once, as ingest would, and measured at its own rate."""

import hashlib

import numpy as np

from pipeline.sources.audio import open_source
from pipeline.survey.records import Measurements, SurveyedRecording
from schemas import Probe, Source
from stages.audio.audible import audible_energy
from stages.audio.level import from_db, peak, to_db
from stages.audio.waveform import Samples
from stages.ingest.decoding import Decoded
from stages.ingest.inspection import inspect_recording
from stages.ingest.probe import clipped_fraction
from stages.ingest.stage import IngestSettings

_FRAME_S = 0.02
QUIETEST_PERCENT = 10.0
LOWEST_FLOOR_DB = -100.0
"""What rounding to 16 bits leaves; a floor under it says that pauses were blanked, not how quiet it was."""


def survey_recording(source: Source, settings: IngestSettings) -> SurveyedRecording:
    """Return what ingest would make of ``source``, and what its samples say."""
    found = inspect_recording(source, settings, open_source)
    measured = None if found.decoded is None else measure_recording(found.decoded, found.probe)
    return SurveyedRecording(
        **found.outcome.fields, source=source, utterances=found.utterances, measured=measured
    )


def measure_recording(decoded: Decoded, probe: Probe | None) -> Measurements:
    """Return what the samples say, ``probe`` being what ingest has measured; None for silence.

    The SNR is an estimate without a reference: the active speech level (ITU-T P.56) over the level of the
    quietest tenth of the 20 ms frames, which pauses are. Each frame is taken without its own mean, so that
    neither an offset nor drift is a floor. A recording without pauses gets too low a value; one that was
    blanked in its pauses gets that of a floor of −100 dBFS.
    """
    samples, rate = decoded.waveform.samples, decoded.waveform.sample_rate
    offset = float(samples.mean(dtype=np.float64))
    said = {} if probe is None else _measure_speech(samples, rate, probe)
    return Measurements(
        sample_rate=rate,
        channels=decoded.channels,
        bits=decoded.bits,
        is_float=decoded.is_float,
        duration_s=decoded.waveform.duration_s,
        peak=peak(samples),
        offset=offset,
        clipped_fraction=clipped_fraction(samples) if probe is None else probe.clipped_fraction,
        audio=hashlib.sha256(samples.tobytes() + rate.to_bytes(4)).hexdigest(),
        **said,
    )


def _measure_speech(samples: Samples, rate: int, probe: Probe) -> dict[str, float]:
    power = audible_energy(samples, rate) / samples.size
    floor_db = max(_floor_db(samples, rate), LOWEST_FLOOR_DB)
    return {
        "active_level_db": probe.active_level_db,
        "activity": float(min(1.0, power / from_db(probe.active_level_db) ** 2)),
        "floor_db": floor_db,
        "snr_db": probe.active_level_db - floor_db,
        "bandwidth_hz": probe.bandwidth_hz,
    }


def _floor_db(samples: Samples, rate: int) -> float:
    """Return the level of the frame that a tenth of the frames are under."""
    size = min(samples.size, max(1, round(_FRAME_S * rate)))
    frames = samples[: samples.size // size * size].reshape(-1, size)
    squares = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
    variances = np.maximum(0.0, squares - np.square(frames.mean(axis=1, dtype=np.float64)))
    return to_db(float(np.sqrt(np.percentile(variances, QUIETEST_PERCENT))))
