"""Published restoration models by our stages and metrics, beside what was measured apart from this code.

    PYTHONPATH=. python tests/benchmarks/restoration_models.py [MODEL ...] [--files 25]

Needs the VoiceBank-DEMAND files of the shared data, and the models from there or, as $UNANIMOUS_WEIGHTS says,
from the cache; those in neither are left out. Each model restores the noisy files
through the restore stage; PESQ, DNSMOS and SI-SDR come from the score stage. Prints the means and, in
brackets, by how much they differ from the other measurement, and fails beyond 0.05 PESQ, 0.05 OVRL or 0.5 dB.
There DNSMOS heard each file at its own level, here at the level of the score stage: the noisy files
themselves, which ``identity`` leaves as they are, so get 0.06 more.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import soundfile

from schemas import Degraded, EncodedAudio, Recipe, Restored, Split
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.metrics import METRICS
from stages.restore.stage import RestoreStage
from stages.restorers import RESTORERS, Restorer
from stages.score.stage import ScoreInput, ScoreStage
from stages.weights.files import CACHE_VARIABLE
from stages.weights.has_weights import HasWeights
from tests.support.shared_weights import lay_out

DATA = Path(__file__).parents[3] / "shared" / "data"
METRICS_AND_TOLERANCES: Mapping[str, tuple[str, float]] = {
    "pesq": ("pesq", 0.05),
    "dnsmos": ("dnsmos_ovrl", 0.05),
    "si_sdr": ("si_sdr", 0.5),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A model, its settings, and its mean PESQ, DNSMOS OVRL and SI-SDR in dB over the 25 files."""

    kind: str
    means: tuple[float, float, float]
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The kind and what sets it apart from others of it."""
        return "_".join([self.kind, *map(str, self.settings.values())])

    @property
    def restorer(self) -> Restorer:
        """The model, its weights in the cache. Raises ``KeyError`` if the shared data lacks them too."""
        restorer = RESTORERS[self.kind].model_validate(self.settings)
        published = restorer.published if isinstance(restorer, HasWeights) else None
        if published is not None and published.missing:
            lay_out(published, DATA)
        return restorer


def _expected(kind: str, pesq: float, ovrl: float, si_sdr_db: float, **settings: Any) -> Expected:
    return Expected(kind, (pesq, ovrl, si_sdr_db), settings)


EXPECTED = (
    _expected("identity", 2.19, 2.78, 8.2),
    _expected("gtcrn", 2.70, 3.05, 14.0),
    _expected("ul_unas", 2.65, 3.13, 16.5),
    _expected("dtln", 2.64, 3.05, 16.9),
    _expected("deepfilternet3", 2.89, 3.37, 18.2),
    _expected("fast_enhancer", 3.02, 3.23, 18.2, size="t"),
    _expected("fast_enhancer", 3.20, 3.28, 19.1, size="b"),
    _expected("fast_enhancer", 3.27, 3.33, 19.4, size="s"),
    _expected("fast_enhancer", 3.27, 3.34, 19.6, size="m"),
    _expected("lisennet", 3.07, 3.25, 18.7),
    _expected("fspen", 3.06, 3.22, 18.4),
    _expected("bsrnn", 3.11, 3.26, 19.2),
    _expected("fe_dprnn", 3.26, 3.31, 19.1),
    _expected("fe_dpt", 2.99, 3.16, 18.3),
    _expected("nsnet2", 2.48, 3.01, 15.1, model_sample_rate=16_000),
    _expected("nsnet2", 2.39, 3.18, 14.4, model_sample_rate=48_000),
    _expected("hush", 2.56, 3.21, 11.6),
    _expected("deepfilternet3", 2.89, 3.37, 18.2, exported_by="authors"),
)


def voicebank(number: int) -> list[Degraded]:
    """Return the first noisy files, each with its clean one."""
    noisy = sorted((DATA / "golden/voicebank_demand/noisy").glob("*.flac"))[:number]
    return [
        Degraded(id=file.stem, degraded=_audio(file), clean=_audio(file.parents[1] / "clean" / file.name))
        for file in noisy
    ]


def restored(restorer: Restorer, records: Sequence[Degraded]) -> tuple[list[Restored], float]:
    """Return a row per record, and the processing time over the time of the audio."""
    stage = RestoreStage("model", restorer, num_takes=1, draws={}, seed=0, cache=AudioCache())
    stage.load("cpu")
    stage.process(records[:1])  # libraries are imported, caches are filled
    began = time.process_time()
    rows = [row for record in records for row in stage.process([record])]
    seconds = sum(record.degraded.duration_s for record in records if record.degraded)
    return rows, (time.process_time() - began) / seconds


def scores(records: Sequence[Degraded], rows: Sequence[Restored]) -> Iterator[float]:
    """Yield the mean of each metric. Raises ``KeyError`` where a score is missing."""
    inputs = [ScoreInput(_recipe(record), record, row) for record, row in zip(records, rows, strict=True)]
    for kind, (output, _) in METRICS_AND_TOLERANCES.items():
        stage = ScoreStage(kind, METRICS[kind](), AudioCache())
        stage.load("cpu")
        scored = [row for batch in stage.batches(inputs) for row in stage.process(batch)]
        values = [{score.name: score.value for score in row.takes[0].scores}[output] for row in scored]
        yield float(np.mean([value for value in values if value is not None]))


def _audio(file: Path) -> EncodedAudio:
    samples, sample_rate = soundfile.read(file, dtype="float32")
    return encode_flac(Waveform(samples, sample_rate))


def _recipe(record: Degraded) -> Recipe:
    assert record.clean is not None
    return Recipe(
        id=record.id, utterance_id=record.id, source_id=record.id, corpus="voicebank", repeat=0,
        split=Split.TEST, sample_rate=16_000, num_samples=record.clean.num_samples, bandwidth_hz=8_000.0,
        steps=(), sources=(),
    )  # fmt: skip


def offsets(expected: Expected, means: Sequence[float]) -> list[float]:
    """Return by how much each mean is over the other measurement."""
    return [mean - other for mean, other in zip(means, expected.means, strict=True)]


def is_met(expected: Expected, means: Sequence[float]) -> bool:
    """Whether all means are within their tolerance."""
    tolerances = (tolerance for _, tolerance in METRICS_AND_TOLERANCES.values())
    return all(abs(o) <= t for o, t in zip(offsets(expected, means), tolerances, strict=True))


def main() -> int:
    """Print the table; return 1 if a mean is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="names from the table; all unless said")
    parser.add_argument("--files", type=int, default=25)
    options = parser.parse_args()
    records, missed = voicebank(options.files), []
    _say("model", "PESQ", "OVRL", "SI-SDR", "processing time / audio time")
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault(CACHE_VARIABLE, cache)
        for expected in EXPECTED:
            if options.models and expected.name not in options.models:
                continue
            try:
                restorer = expected.restorer
            except KeyError:
                _say(expected.name, "its weights are not here")
                continue
            rows, real_time_factor = restored(restorer, records)
            means = list(scores(records, rows))
            cells = zip(means, offsets(expected, means), strict=True)
            _say(expected.name, *(f"{m:.3f} ({o:+.3f})" for m, o in cells), f"{real_time_factor:.3f}")
            if expected.kind != "identity" and not is_met(expected, means):
                missed.append(expected.name)
    _say(f"beyond the tolerance: {', '.join(missed)}" if missed else "all models within the tolerance")
    return bool(missed)


def _say(name: str, *cells: str) -> None:
    sys.stdout.write("".join([name.ljust(20), *(cell.ljust(18) for cell in cells)]).rstrip() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
