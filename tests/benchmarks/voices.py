"""Can metrics judge these voices? What they say of clean speech, and of it in noise at 20 and 10 dB.

    PYTHONPATH=. python tests/benchmarks/voices.py [MANIFEST] [--weights FOLDER]

A voice is fit for the bundled speech if DNSMOS, P.808, Distill-MOS and NISQA all fall from clean to 20 to
10 dB, of the mean over its sentences, in white noise and in pink. Exits with 1 if a voice is not. MANIFEST is
that of the bundled speech unless said; FOLDER is that of real models that tests use too, for NISQA.
Distill-MOS is of the package distillmos 0.9.1, which is no dependency: `pip install --no-deps distillmos
xls-r-sqa`.
"""

import argparse
import csv
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile
import torch

from pipeline.text import align_columns, say
from stages import torchaudio_guard
from stages.audio.cache import AudioCache
from stages.audio.level import from_db, rms
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.dsp.noise import NoiseKind, synthesise
from stages.metrics import METRICS
from stages.operators.rng import rng_for
from stages.score.stage import ScoreStage
from tests.conftest import SHARED_DATA
from tests.support.score_inputs import score_input

BUNDLED = Path(__file__).parents[2] / "configs" / "speech" / "manifest.csv"
KINDS: tuple[NoiseKind, ...] = ("white", "pink")
SNRS_DB = (20.0, 10.0)
SCORES = {"dnsmos_ovrl": "OVRL", "dnsmos_p808": "P.808", "distill_mos": "Distill-MOS", "nisqa_mos": "NISQA"}
Sentence = tuple[str, Waveform]
Means = Mapping[str, Sequence[float]]
"""By score: clean, at 20 and at 10 dB."""


class Judges:
    """The four, loaded once."""

    def __init__(self, weights: Path) -> None:
        torchaudio_guard.install_guard()
        import distillmos  # noqa: PLC0415 - not a package of the project

        torch.set_num_threads(1)
        self._distill_mos = distillmos.ConvTransformerSQAModel().eval()
        nisqa = {"path": weights / "metrics" / "nisqa" / "nisqa.tar"}
        settings = {"dnsmos": {"windows": "all"}, "nisqa": nisqa}
        self._stages = [
            ScoreStage(k, METRICS[k].model_validate(s), AudioCache()) for k, s in settings.items()
        ]
        for stage in self._stages:
            stage.load("cpu")

    def score(self, clean: Waveform, versions: Sequence[Waveform]) -> Iterator[tuple[str, list[float]]]:
        """Give every score's name and its values, in the order of the versions."""
        for stage in self._stages:
            (row,) = stage.process([score_input(clean, *versions)])
            for place, score in enumerate(row.takes[0].scores):
                yield score.name, [take.scores[place].value for take in row.takes]
        with torch.inference_mode():
            heard = [self._distill_mos(torch.from_numpy(v.samples.copy())[None]) for v in versions]
        yield "distill_mos", [float(opinion) for opinion in heard]


def read_voices(manifest: Path) -> Mapping[str, list[Sentence]]:
    """Return the sentences of every speaker, at 16 kHz."""
    voices = defaultdict(list)
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spoken = Waveform(*soundfile.read(manifest.parent / row["path"], dtype="float32"))
            voices[row["speaker"]].append((row["id"], resample(spoken, 16_000)))
    return voices


def add_noise(sentence: Sentence, kind: NoiseKind, snr_db: float) -> Waveform:
    """Return the sentence with noise under it, the same at every level."""
    name, clean = sentence
    noise = synthesise(kind, rng_for(0, "voices", name, kind), clean.duration_s, clean.sample_rate).samples
    return clean.with_samples(clean.samples + noise * from_db(-snr_db) * rms(clean.samples) / rms(noise))


def judge(judges: Judges, sentences: Sequence[Sentence]) -> Mapping[NoiseKind, Means]:
    """Return, by noise, the mean of every score over the sentences."""
    values: dict[str, list[list[float]]] = defaultdict(list)
    for sentence in sentences:
        noisy = [add_noise(sentence, kind, snr_db) for kind in KINDS for snr_db in SNRS_DB]
        for name, of_versions in judges.score(sentence[1], [sentence[1], *noisy]):
            values[name].append(of_versions)
    means = {name: np.mean(values[name], axis=0).tolist() for name in SCORES}
    steps = len(SNRS_DB)
    return {
        kind: {name: [every[0], *every[1 + place * steps :][:steps]] for name, every in means.items()}
        for place, kind in enumerate(KINDS)
    }


def falls(means: Means) -> bool:
    """Return whether every score falls at every step."""
    return all(clean > mild > grave for clean, mild, grave in means.values())


def main(manifest: Path, weights: Path) -> bool:
    """Print a line per voice and noise; return whether all are fit."""
    judges = Judges(weights)
    rows, fit = [("voice", "sentences", "noise", *SCORES.values(), "fit")], True
    for speaker, sentences in sorted(read_voices(manifest).items()):
        for kind, means in judge(judges, sentences).items():
            fit &= falls(means)
            cells = (" ".join(f"{value:.2f}" for value in means[name]) for name in SCORES)
            rows.append((speaker, str(len(sentences)), kind, *cells, "yes" if falls(means) else "no"))
    for line in align_columns(rows):
        say(line)
    return fit


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("manifest", type=Path, nargs="?", default=BUNDLED)
    parser.add_argument("--weights", type=Path, default=SHARED_DATA)
    arguments = parser.parse_args()
    sys.exit(0 if main(arguments.manifest, arguments.weights) else 1)
